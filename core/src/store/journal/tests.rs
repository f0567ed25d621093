//! The journal on a disk: what comes back, and what is said of one that was damaged.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::folder::DiskFolder;
use super::*;
use crate::store::{Batch, MemoryStore, Store};

fn begin(folder: &Path, last: Mark) -> Result<Journal, StoreError> {
    Journal::begin(DiskFolder::at(folder), last, SEGMENT_BYTES)
}

fn look(folder: &Path) -> Result<Found, StoreError> {
    Found::look(DiskFolder::at(folder))
}

fn rows(number: u64) -> Rows {
    let key = |part: &str| [&number.to_be_bytes()[..], part.as_bytes()].concat();
    Rows::from([(key("put"), Some(vec![7; 40])), (key("gone"), None)])
}

/// A journal with so many batches.
fn journal(folder: &Path, batches: u64) -> Journal {
    let mut journal = begin(folder, Mark::default()).unwrap();
    (1..=batches).for_each(|number| assert_eq!(journal.append(&rows(number)).unwrap().sequence, number));
    journal
}

fn replayed(folder: &Path, after: Mark) -> Replayed {
    let mut seen = Vec::new();
    let last = look(folder)?.replay(after, &mut |mark, rows| {
        seen.push((mark.sequence, rows.to_rows()));
        Ok(())
    })?;
    assert_eq!(last.sequence, seen.last().map_or(after.sequence, |(sequence, _)| *sequence));
    Ok(seen)
}

fn expected(numbers: std::ops::RangeInclusive<u64>) -> Vec<(u64, Rows)> {
    numbers.map(|number| (number, rows(number))).collect()
}

/// The last segment's file.
fn last_file(folder: &Path) -> PathBuf {
    folder.join(look(folder).unwrap().segments.pop().unwrap().name)
}

#[test]
fn what_was_appended_comes_back_in_order_from_any_batch_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = journal(folder.path(), 3);
    let third = journal.last();
    journal.append(&rows(4)).unwrap();
    // A restart goes on in a segment of its own.
    let mut journal = begin(folder.path(), journal.last()).unwrap();
    journal.append(&rows(5)).unwrap();
    assert_eq!(replayed(folder.path(), Mark::default()), Ok(expected(1..=5)));
    assert_eq!(replayed(folder.path(), third), Ok(expected(4..=5)));
    assert_eq!(replayed(folder.path(), journal.last()), Ok(Vec::new()));
}

#[test]
fn a_batch_of_another_journal_is_not_taken_for_one_of_this() {
    let folder = tempfile::tempdir().unwrap();
    journal(folder.path(), 3);
    let foreign = Mark { sequence: 2, check: 1 };
    assert_eq!(replayed(folder.path(), foreign).unwrap_err().code(), "store.damaged");
    let beyond = Mark { sequence: 9, check: 1 };
    assert_eq!(replayed(folder.path(), beyond).unwrap_err().code(), "store.damaged");
}

#[test]
fn a_torn_end_is_cut_off_wherever_it_was_torn_and_the_journal_goes_on() {
    let whole = tempfile::tempdir().unwrap();
    journal(whole.path(), 3);
    let bytes = fs::read(last_file(whole.path())).unwrap();
    let two = {
        let folder = tempfile::tempdir().unwrap();
        journal(folder.path(), 2);
        fs::metadata(last_file(folder.path())).unwrap().len()
    };
    for length in two..bytes.len() as u64 {
        let folder = tempfile::tempdir().unwrap();
        journal(folder.path(), 3);
        OpenOptions::new().write(true).open(last_file(folder.path())).unwrap().set_len(length).unwrap();
        let mut second = Mark::default();
        look(folder.path())
            .unwrap()
            .replay(Mark::default(), &mut |mark, _| {
                second = mark;
                Ok(())
            })
            .unwrap();
        assert_eq!(second.sequence, 2, "{length}");
        let mut journal = begin(folder.path(), second).unwrap();
        journal.append(&rows(3)).unwrap();
        assert_eq!(replayed(folder.path(), Mark::default()), Ok(expected(1..=3)), "{length}");
    }
}

/// What a replay shows: the batches with their numbers.
type Replayed = Result<Vec<(u64, Rows)>, StoreError>;

/// Flips a bit of each byte of a segment in turn, and shows what comes of it.
fn flip_each(folder: &Path, segment: usize, look: &mut dyn FnMut(usize, Replayed)) {
    let path = folder.join(self::look(folder).unwrap().segments.remove(segment).name);
    let bytes = fs::read(&path).unwrap();
    for place in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[place] ^= 0x10;
        fs::write(&path, &flipped).unwrap();
        look(place, replayed(folder, Mark::default()));
    }
}

#[test]
fn a_flipped_bit_in_a_segment_that_others_follow_is_damage_and_never_other_rows() {
    let folder = tempfile::tempdir().unwrap();
    let first = journal(folder.path(), 3);
    begin(folder.path(), first.last()).unwrap().append(&rows(4)).unwrap();
    flip_each(folder.path(), 0, &mut |place, found| assert_eq!(found.unwrap_err().code(), "store.damaged", "byte {place}"));
}

#[test]
fn a_flipped_bit_in_the_last_segment_is_damage_but_in_its_last_batch_which_then_looks_torn() {
    let folder = tempfile::tempdir().unwrap();
    let last = journal(folder.path(), 2).last();
    let mut journal = begin(folder.path(), last).unwrap();
    (3..=6).for_each(|number| assert!(journal.append(&rows(number)).is_ok()));
    let before_the_last = journal.length - (journal.length - segment::HEADER as u64) / 4;
    flip_each(folder.path(), 1, &mut |place, found| match found {
        Ok(all) => assert!(place as u64 >= before_the_last && all == expected(1..=5), "byte {place}"),
        Err(error) => assert!((place as u64) < before_the_last && error.code() == "store.damaged", "byte {place}"),
    });
}

#[test]
fn a_checkpoint_lets_old_segments_go_and_holds_all_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = MemoryStore::new();
    let mut batch = Batch::new();
    (0..200u8).for_each(|number| batch.put(vec![number % 4, number], vec![number; 900]));
    store.commit(batch).unwrap();
    let mut journal = journal(folder.path(), 2);
    let second = journal.last();
    let mut journal = {
        journal.append(&rows(3)).unwrap();
        begin(folder.path(), journal.last()).unwrap()
    };
    journal.append(&rows(4)).unwrap();
    let name = checkpoint::write(&*DiskFolder::at(folder.path()), &store, journal.last()).unwrap();
    journal.checkpointed(&name, 0, Duration::ZERO).unwrap();
    let found = look(folder.path()).unwrap();
    assert_eq!(found.segments.len(), 1, "the segment that ended before the checkpoint is still there");
    let (at, name) = found.checkpoint.clone().unwrap();
    assert_eq!(at, journal.last());
    let path = folder.path().join(&name);
    let mut held = Rows::new();
    checkpoint::read(&*found.folder, &name, &mut |rows| {
        held.extend(rows.to_rows());
        Ok(())
    })
    .unwrap();
    assert_eq!(held.len(), 200);
    assert_eq!(found.replay(second, &mut |_, _| Ok(())).unwrap_err().code(), "store.damaged");

    let bytes = fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(97) {
        fs::write(&path, &bytes[..length]).unwrap();
        assert_eq!(checkpoint::read(&*found.folder, &name, &mut |_| Ok(())).unwrap_err().code(), "store.damaged", "{length}");
    }
}

proptest! {
    #[test]
    fn rows_come_back_from_a_payload(
        rows in proptest::collection::btree_map(
            proptest::collection::vec(any::<u8>(), 0..=crate::store::MOST_KEY),
            proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200)),
            0..20,
        )
    ) {
        prop_assert_eq!(frame::Payload::parse(&frame::encode(&rows)).map(frame::Payload::to_rows), Some(rows));
    }

    #[test]
    fn bytes_that_are_no_frames_are_never_taken_for_any(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut rest = bytes.as_slice();
        prop_assert!(frame::take(&mut rest, Mark::default()).is_err());
        let _ = frame::Payload::parse(&bytes);
    }
}
