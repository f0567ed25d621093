//! The engine over a sealed store in a folder: what was recorded is in no file of it.

use std::path::Path;
use std::sync::Arc;

use crate::field::MemoryMark;
use crate::field::vector::{Counting, fill, open};
use crate::model::{Personal, VisitDraft, VisitSubject};
use crate::store::{SealedStore, SledOptions, SledStore, Store, StoreKey};

/// Whose phone it is, and what is recorded.
const WORDS: [&str; 3] = ["王建国", "夜里施工", "燃气软管老化,已劝其更换"];

fn folder_store(folder: &Path) -> SledStore {
    // So that there are checkpoints among the files.
    SledStore::open(folder, SledOptions { checkpoint_bytes: 4_000, ..SledOptions::default() }).unwrap()
}

fn sealed(folder: &Path) -> Arc<dyn Store> {
    let key = StoreKey::make(&mut Counting(40));
    Arc::new(SealedStore::open(folder_store(folder), &key, Box::new(Counting(80))).unwrap())
}

/// Records in a store, and gives back nothing: what is there is on the disk.
fn record(store: Arc<dyn Store>) {
    let engine = fill(store);
    let household = engine.households(None).unwrap()[0].row.id;
    let mut draft = VisitDraft::routine(VisitSubject::Household(household));
    draft.findings = Personal::new(WORDS[2].to_owned());
    engine.record_visit(draft).unwrap();
}

/// How many files there are, and which words stand in some of them.
fn words_in(folder: &Path) -> (usize, Vec<&'static str>) {
    let (mut files, mut found, mut folders) = (0, Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(path).unwrap();
            found.extend(WORDS.iter().filter(|word| bytes.windows(word.len()).any(|window| window == word.as_bytes())));
        }
    }
    found.sort_unstable();
    found.dedup();
    (files, found)
}

#[test]
fn nothing_that_was_recorded_is_in_a_file_of_a_sealed_store() {
    let home = tempfile::tempdir().unwrap();
    let (clear, closed) = (home.path().join("clear"), home.path().join("sealed"));
    record(Arc::new(folder_store(&clear)));
    record(sealed(&closed));
    let mut words = WORDS.to_vec();
    words.sort_unstable();
    let (files_in_clear, in_clear) = words_in(&clear);
    assert_eq!(in_clear, words, "the search finds what is there");
    let (files, found) = words_in(&closed);
    assert_eq!(found, Vec::<&str>::new());
    assert!(files >= files_in_clear.min(4), "{files} files and {files_in_clear}");
}

#[test]
fn a_sealed_phone_shows_after_the_next_start_what_was_recorded() {
    let home = tempfile::tempdir().unwrap();
    record(sealed(home.path()));
    let engine = open(sealed(home.path()), &MemoryMark::default());
    let household = engine.households(None).unwrap()[0].row.id;
    let visits = engine.visits(VisitSubject::Household(household)).unwrap();
    assert!(visits.iter().any(|visit| visit.findings == Personal::new(WORDS[2].to_owned())));
}

#[test]
fn an_engine_over_a_sealed_store_without_its_key_says_so() {
    let home = tempfile::tempdir().unwrap();
    record(sealed(home.path()));
    let opened = crate::field::Engine::is_begun(&folder_store(home.path()));
    assert_eq!(opened.unwrap_err().code(), "store.key_needed");
}
