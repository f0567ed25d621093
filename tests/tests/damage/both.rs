//! Tree and journal are damaged, so that neither can stand in for the other: the store does not open, and whoever comes to look finds both where
//! they were.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use doorstep_core::store::SledStore;
use doorstep_tests::torture::Torture;

use super::file::{Harm, files};
use super::sample::{Copy, Fate, Sample, options};
use super::torture;

/// The journal alone, so that none of its batches is replaced by a checkpoint.
const NO_CHECKPOINT: u64 = u64::MAX;

/// Breaks a segment that others follow: that is no torn end.
fn break_journal(copy: &Copy, torture: &mut Torture) {
    let mut segments = files(&copy.journal(), "", ".segment");
    segments.retain(|segment| fs::metadata(segment).unwrap().len() > 10_000);
    segments.pop();
    Harm::Bit.befall(&segments[torture.below(segments.len())], torture);
}

/// So few that sled often still opens, and finds out when a row is read; so many that never all of them lie in rows that were written over since.
const FLIPPED: usize = 40;

/// Flips bits in the middle of values.
fn break_values(copy: &Copy, torture: &mut Torture) {
    let path = copy.tree().join("db");
    let mut bytes = fs::read(&path).unwrap();
    let is_in_a_value =
        |bytes: &[u8], place: usize| bytes.get(place..place + 64).is_some_and(|run| run[0] != 0 && run.iter().all(|byte| *byte == run[0]));
    let mut broken = 0;
    while broken < FLIPPED {
        let place = torture.below(bytes.len());
        if is_in_a_value(&bytes, place) {
            bytes[place + 32] ^= 1;
            broken += 1;
        }
    }
    fs::write(path, bytes).unwrap();
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(folder, "", "").into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
}

#[test]
fn a_store_whose_tree_cannot_be_read_and_whose_journal_is_broken_stays_as_it_is_for_who_can_mend_it() {
    let (mut torture, rounds) = torture(5);
    let sample = Sample::filled(NO_CHECKPOINT, &mut torture);
    for round in 0..rounds {
        let copy = sample.copy();
        // sled writes its snapshot: what breaks then is no part of its log that it would leave out without a word.
        drop(SledStore::open(copy.path(), options(NO_CHECKPOINT)).unwrap());
        break_journal(&copy, &mut torture);
        break_values(&copy, &mut torture);
        let before = contents(&copy.journal());
        for _ in 0..2 {
            assert_eq!(sample.fate_of(&copy, NO_CHECKPOINT), Fate::Refused, "round {round}");
            assert_eq!(contents(&copy.journal()), before);
            assert!(copy.tree().join("db").exists());
        }
    }
}
