//! Changes and documents: what automerge would be given. The checksum is put right, so that the fuzzer gets behind it.

use doorstep_core::docs::{Change, DocKind, Document, Write, wellformed};
use doorstep_core::model::{DocId, Hlc, Millis};
use doorstep_tests::forge::{actor, repair_checksum};
use doorstep_tests::handmade::keyed;

use super::corpus::vectors;
use super::fuzz;

/// The changes of the vectors, and the documents that they make, as far as they fit one another.
fn histories() -> (Vec<Vec<u8>>, Vec<Document>) {
    let changes = vectors("documents", "bytes");
    let ids = vectors("documents", "id");
    let mut documents = Vec::new();
    for (kind, id) in DocKind::ALL.into_iter().flat_map(|kind| ids.iter().map(move |id| (kind, id))) {
        let mut document = keyed(Document::new(kind, DocId::from_bytes(id.as_slice().try_into().unwrap())).unwrap());
        let mut took = 0;
        for change in changes.iter().filter_map(|bytes| Change::parse(bytes).ok()) {
            took += usize::from(wellformed::check(&document, &change).is_ok() && document.apply([&change]).is_ok());
        }
        if took > 0 {
            documents.push(document);
        }
    }
    assert!(!documents.is_empty());
    (changes, documents)
}

#[test]
fn changes_against_a_document() {
    let (changes, _) = histories();
    let (kind, id) = (DocKind::Household, DocId::from_bytes([7; 16]));
    let fresh = keyed(Document::new(kind, id).unwrap());
    let mut written = fresh.clone();
    let mut seeds = changes;
    for number in 0..4 {
        let writes = [Write::set("door", format!("{number}").as_str())];
        let at = Hlc::new(Millis(1_800_000_000_000 + number), 0);
        seeds.push(written.edit(actor(number as u8 % 2 + 1), at, &writes).unwrap().unwrap().bytes().to_vec());
    }
    fuzz(bolero::check!(), "changes", seeds, |bytes| {
        let mut bytes = bytes.to_vec();
        if bytes.len() >= 8 {
            repair_checksum(&mut bytes);
        }
        let Ok(change) = Change::parse(&bytes) else { return false };
        for document in [&fresh, &written] {
            if wellformed::check(document, &change).is_ok() {
                let mut scratch = document.clone();
                // What passes the check of its structure is applied, and the document loads again with the same state.
                scratch.apply([&change]).unwrap();
                let saved = scratch.saved_and_reloaded().unwrap().bytes;
                assert_eq!(Document::load(kind, id, &saved).unwrap().digest(), scratch.digest());
            }
        }
        true
    });
}

/// Tries to load documents out of mutants that `prepare` made ready.
fn load_documents(target: &str, prepare: impl Fn(&mut Vec<u8>)) {
    let (_, documents) = histories();
    let kinds: Vec<(DocKind, DocId)> = documents.iter().map(|document| (document.kind(), document.id())).collect();
    fuzz(bolero::check!(), target, documents.iter().map(Document::save).collect(), |bytes| {
        let mut bytes = bytes.to_vec();
        prepare(&mut bytes);
        kinds.iter().any(|(kind, id)| Document::load(*kind, *id, &bytes).is_ok())
    });
}

#[test]
fn documents_as_they_come_from_a_bad_disk_or_network() {
    load_documents("documents", |_| {});
}

#[test]
#[ignore = "automerge expands the run lengths of a document chunk without a bound: some mutants take minutes and gigabytes. A phone takes documents \
            from its own store and its server only"]
fn documents_as_a_hostile_server_would_send_them() {
    load_documents("documents-with-a-right-checksum", |bytes| {
        if bytes.len() >= 8 {
            repair_checksum(bytes);
        }
    });
}
