//! sled's own files are damaged, the journal is whole.

use super::file::{Harm, files};
use super::sample::{Fate, Fates, Sample};
use super::torture;

/// Enough for the whole history: the journal alone. And so few that a checkpoint carries most of it.
const CHECKPOINTS: [u64; 2] = [u64::MAX, 1_500_000];

#[test]
fn damage_to_the_tree_ends_in_the_same_rows() {
    let (mut torture, rounds) = torture(60);
    let mut fates = Fates::new();
    for checkpoint_bytes in CHECKPOINTS {
        let sample = Sample::filled(checkpoint_bytes, &mut torture);
        for _ in 0..rounds / CHECKPOINTS.len() {
            let copy = sample.copy();
            let harm = [Harm::Bit, Harm::Bit, Harm::Page, Harm::Page, Harm::Cut][torture.below(5)];
            harm.befall(&copy.tree().join("db"), &mut torture);
            let fate = sample.fate_of(&copy, checkpoint_bytes);
            assert!(![Fate::Refused, Fate::WithoutTheLast].contains(&fate), "{harm:?}: {fate:?}, and the journal is whole");
            *fates.entry(format!("{harm:?} of db: {fate:?}")).or_default() += 1;
        }
    }
    println!("{fates:#?}");
}

#[test]
fn damage_to_the_snapshot_ends_in_the_same_rows() {
    let (mut torture, rounds) = torture(15);
    let sample = Sample::filled(u64::MAX, &mut torture);
    let mut fates = Fates::new();
    for _ in 0..rounds {
        let copy = sample.copy();
        let harm = Harm::ALL[torture.below(Harm::ALL.len())];
        let snapshots = files(&copy.tree(), "snap.", "");
        assert!(!snapshots.is_empty());
        harm.befall(&snapshots[torture.below(snapshots.len())], &mut torture);
        let fate = sample.fate_of(&copy, u64::MAX);
        assert!(![Fate::Refused, Fate::WithoutTheLast].contains(&fate), "{harm:?}: {fate:?}, and the journal is whole");
        *fates.entry(format!("{harm:?} of snap: {fate:?}")).or_default() += 1;
    }
    println!("{fates:#?}");
}
