//! Files of the journal, which a restore takes from elsewhere.

use doorstep_core::store::SledStore;
use doorstep_core::store::journal::Rows;
use doorstep_core::store::journal::frame::{self, Mark, Payload};
use doorstep_core::store::{Batch, SledOptions, Store as _};

use super::fuzz;

const HEADER: usize = 24;

fn rows() -> Rows {
    (0..20u8).map(|number| (vec![9, number], (number % 3 != 0).then(|| vec![number; usize::from(number) * 7]))).collect()
}

/// Puts the right checks into the frames of these bytes, as far as their lengths go.
fn repair(bytes: &mut [u8], mut last: Mark) {
    let mut at = 0;
    while let Some(length) = bytes.get(at..at + frame::HEAD).and_then(|head| head.first_chunk::<4>()) {
        let length = u32::from_be_bytes(*length) as usize;
        let Some(payload) = bytes.get(at + frame::HEAD..at + frame::HEAD + length) else { return };
        let mut whole = Vec::new();
        last = frame::append(&mut whole, last, payload);
        bytes[at..at + whole.len()].copy_from_slice(&whole);
        at += whole.len();
    }
}

#[test]
fn frames_and_rows() {
    let mut seed = Vec::new();
    let payload = frame::encode(&rows());
    let last = (0..3).fold(Mark::default(), |last, _| frame::append(&mut seed, last, &payload));
    assert_eq!(last.sequence, 3);
    fuzz(bolero::check!(), "frames-of-a-journal", vec![seed], |bytes| {
        let _ = frame::is_followed(bytes, Mark::default());
        let mut bytes = bytes.to_vec();
        repair(&mut bytes, Mark::default());
        let (mut rest, mut last, mut taken) = (bytes.as_slice(), Mark::default(), false);
        while let Ok((mark, payload)) = frame::take(&mut rest, last) {
            last = mark;
            if let Some(rows) = Payload::parse(payload).map(Payload::to_rows) {
                assert_eq!(Payload::parse(&frame::encode(&rows)).map(Payload::to_rows), Some(rows));
                taken = true;
            }
        }
        taken
    });
}

#[test]
fn backups() {
    let folder = tempfile::tempdir().unwrap();
    let (path, backup) = (folder.path().join("store"), folder.path().join("backup"));
    let store = SledStore::open(&path, SledOptions::default()).unwrap();
    let mut batch = Batch::new();
    rows().into_iter().for_each(|(key, value)| batch.put(key, value.unwrap_or_default()));
    store.commit(batch).unwrap();
    std::fs::create_dir(&backup).unwrap();
    store.backup(&backup).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(&backup).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let whole = std::fs::read(&file).unwrap();
        fuzz(bolero::check!(), "backups", vec![whole.clone()], |bytes| {
            let mut bytes = bytes.to_vec();
            // Headers have a check of their own, which stays as it was; the frames of a segment hang on its mark, and are let be.
            if file.extension().is_some_and(|extension| extension == "checkpoint") && bytes.len() > HEADER {
                bytes[..HEADER].copy_from_slice(&whole[..HEADER]);
                repair(&mut bytes[HEADER..], Mark::default());
            }
            std::fs::write(&file, bytes).unwrap();
            SledStore::verify(&backup).is_ok()
        });
        std::fs::write(&file, whole).unwrap();
    }
}
