//! The journal is damaged: beside a tree that is whole, which is then believed; and when the tree is gone as well, where what is missing must be
//! noticed.
//!
//! What nobody can notice then is damage at the very end of the last segment: a batch that the power cut in the middle of its writing looks the same,
//! and was not acknowledged.

use std::fs;
use std::path::PathBuf;

use doorstep_tests::torture::Torture;

use super::file::{Harm, files};
use super::sample::{Copy, Fate, Fates, Sample};
use super::torture;

/// The journal alone, and mostly a checkpoint.
const CHECKPOINTS: [u64; 2] = [u64::MAX, 1_500_000];

/// A file of the journal; the last segment as often as all others.
fn pick(copy: &Copy, torture: &mut Torture) -> PathBuf {
    let mut segments = files(&copy.journal(), "", ".segment");
    let last = segments.pop().unwrap();
    let others = [segments, files(&copy.journal(), "", ".checkpoint")].concat();
    if others.is_empty() || torture.one_in(2) { last } else { others[torture.below(others.len())].clone() }
}

#[test]
fn damage_to_the_journal_beside_a_whole_tree_takes_nothing() {
    let (mut torture, rounds) = torture(25);
    let mut fates = Fates::new();
    for checkpoint_bytes in CHECKPOINTS {
        let sample = Sample::filled(checkpoint_bytes, &mut torture);
        for _ in 0..rounds / CHECKPOINTS.len() {
            let copy = sample.copy();
            let (harm, file) = (Harm::ALL[torture.below(Harm::ALL.len())], pick(&copy, &mut torture));
            harm.befall(&file, &mut torture);
            let fate = sample.fate_of(&copy, checkpoint_bytes);
            assert!([Fate::Untouched, Fate::Mended].contains(&fate), "{harm:?}: {fate:?}");
            *fates.entry(format!("{harm:?} of {}: {fate:?}", file.extension().unwrap().display())).or_default() += 1;
        }
    }
    println!("{fates:#?}");
}

#[test]
fn a_bit_that_flips_in_the_journal_when_the_tree_is_gone_is_noticed_or_harmless() {
    let (mut torture, rounds) = torture(25);
    let mut fates = Fates::new();
    for checkpoint_bytes in CHECKPOINTS {
        let sample = Sample::filled(checkpoint_bytes, &mut torture);
        for _ in 0..rounds / CHECKPOINTS.len() {
            let copy = sample.copy();
            fs::remove_dir_all(copy.tree()).unwrap();
            let file = pick(&copy, &mut torture);
            Harm::Bit.befall(&file, &mut torture);
            let fate = sample.fate_of(&copy, checkpoint_bytes);
            *fates.entry(format!("in {}: {fate:?}", file.extension().unwrap().display())).or_default() += 1;
        }
    }
    println!("{fates:#?}");
}
