//! Whether tree and journal agree, row by row.
//!
//! sled notices most of what rots in its file, and not all: where a part of its log is broken that its snapshot does not yet cover, it leaves out the
//! rest of that segment and goes on with the next, so rows are missing and nothing says so (found with pages that turned to zeros). What checkpoint and
//! journal hold has checks that hang together, so they tell what must be there. Both are read in full at each opening; that also finds out about
//! a journal that rots while the tree is whole, before it is needed.

use std::iter::Peekable;
use std::ops::{Bound, ControlFlow, Range, RangeBounds};

use super::MARK_KEY;
use super::home::Tree;
use crate::store::StoreError;
use crate::store::journal::Found;
use crate::store::journal::frame::Mark;

/// How many rows of the tree are held at a time.
const PAGE: usize = 1_024;

/// A value's length and CRC-32: enough to notice rot, and small where there are many.
type Digest = (usize, u32);

fn digest(value: &[u8]) -> Digest {
    (value.len(), crc32fast::hash(value))
}

/// A key and the digest of its value; none where the value was deleted.
type Row<'a> = (&'a [u8], Option<Digest>);

/// A part of the keys: from the first bound on, up to the second.
type Part<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

fn is_in(part: Part<'_>, key: &[u8]) -> bool {
    RangeBounds::<[u8]>::contains(&part, key)
}

/// What a journal says of the tree, as far as it is read before there is a tree.
pub(super) struct Expected<'a> {
    found: &'a Found,
    /// What was written behind the checkpoint.
    later: Digests,
    /// A key with about as many bytes of the checkpoint before it as behind it.
    middle: Vec<u8>,
}

impl<'a> Expected<'a> {
    /// Reads checkpoint and journal once.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one of them is not whole, or when the disk refuses.
    pub(super) fn read(found: &'a Found) -> Result<Self, StoreError> {
        let after = found.checkpoint.as_ref().map_or(Mark::default(), |(at, _)| *at);
        let mut later = Digests::default();
        found.replay(after, &mut |_, batch| {
            batch.rows().for_each(|(key, value)| later.push(key, value.map(digest)));
            Ok(())
        })?;
        later.keep_last();
        // All frames but the last are about as long.
        let mut firsts = Vec::new();
        found.read_checkpoint(&mut |rows| {
            firsts.extend(rows.rows().next().map(|(key, _)| key.to_vec()));
            Ok(())
        })?;
        let half = firsts.len() / 2;
        Ok(Self { found, later, middle: firsts.into_iter().nth(half).unwrap_or_default() })
    }

    /// Whether the tree holds exactly these rows. Reads all of it and the checkpoint once more, the lower and the upper half of the keys at the same time:
    /// most of the time goes into the pages of the tree, and an app shows nothing until this is done.
    ///
    /// # Errors
    /// As of [`Expected::read`].
    pub(super) fn is_held_by(&self, tree: &impl Tree) -> Result<bool, StoreError> {
        let (lower, upper) =
            ((Bound::Unbounded, Bound::Excluded(&*self.middle)), (Bound::Included(&*self.middle), Bound::Excluded(&MARK_KEY[..])));
        let (upper, lower) = beside(|| self.is_held_in(tree, upper), || self.is_held_in(tree, lower));
        Ok(lower? && upper?)
    }

    fn is_held_in(&self, tree: &impl Tree, part: Part<'_>) -> Result<bool, StoreError> {
        let later = self.later.iter().filter(|(key, _)| is_in(part, key)).peekable();
        let mut comparison = Comparison { walk: Walk::over(tree, part), later, is_equal: true };
        self.found.read_checkpoint(&mut |rows| {
            let mut rows = rows.rows().filter(|(key, _)| is_in(part, key));
            rows.try_for_each(|(key, value)| comparison.checkpointed(key, value.map(digest)))
        })?;
        comparison.finish()
    }
}

/// Runs one thing on a thread of its own while another runs here. Where there is no thread to be had, one after the other.
pub(super) fn beside<A: Send, B>(there: impl Fn() -> Result<A, StoreError> + Sync, here: impl FnOnce() -> B) -> (Result<A, StoreError>, B) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("store-beside".to_owned()).spawn_scoped(scope, &there);
        let here = here();
        let there = match thread {
            Ok(thread) => thread.join().unwrap_or(Err(StoreError::Damaged { what: "reading panicked" })),
            Err(_) => there(),
        };
        (there, here)
    })
}

/// Rows, their keys one behind the other in one piece of memory.
#[derive(Default)]
struct Digests {
    keys: Vec<u8>,
    rows: Vec<(Range<usize>, Option<Digest>)>,
}

impl Digests {
    fn push(&mut self, key: &[u8], digest: Option<Digest>) {
        let start = self.keys.len();
        self.keys.extend_from_slice(key);
        self.rows.push((start..self.keys.len(), digest));
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.rows.clear();
    }

    /// Puts the rows in the order of their keys, and of those with one key keeps the one that came last.
    fn keep_last(&mut self) {
        let key = |range: &Range<usize>| self.keys.get(range.clone()).unwrap_or_default();
        self.rows.reverse();
        self.rows.sort_by(|(one, _), (other, _)| key(one).cmp(key(other)));
        self.rows.dedup_by(|(later, _), (first, _)| key(later) == key(first));
    }

    fn get(&self, index: usize) -> Option<Row<'_>> {
        let (range, digest) = self.rows.get(index)?;
        Some((self.keys.get(range.clone())?, *digest))
    }

    fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..).map_while(|index| self.get(index))
    }
}

struct Comparison<'a, T, L: Iterator> {
    walk: Walk<'a, T>,
    /// What was written behind the checkpoint.
    later: Peekable<L>,
    is_equal: bool,
}

impl<'l, T: Tree, L: Iterator<Item = Row<'l>>> Comparison<'_, T, L> {
    /// The checkpoint's next row. What was written later stands in for what the checkpoint has of it.
    fn checkpointed(&mut self, key: &[u8], value: Option<Digest>) -> Result<(), StoreError> {
        while let Some((key, value)) = self.later.next_if(|(later, _)| *later < key) {
            self.expect(key, value)?;
        }
        let later = self.later.next_if(|(later, _)| *later == key);
        self.expect(key, later.map_or(value, |(_, value)| value))
    }

    /// What is left of the journal, and then the tree must end.
    fn finish(mut self) -> Result<bool, StoreError> {
        while let Some((key, value)) = self.later.next() {
            self.expect(key, value)?;
        }
        Ok(self.is_equal && self.walk.next()?.is_none())
    }

    /// The tree's next row must be this one; a deleted one says nothing about it.
    fn expect(&mut self, key: &[u8], value: Option<Digest>) -> Result<(), StoreError> {
        if value.is_some() && self.is_equal {
            self.is_equal = self.walk.next()?.is_some_and(|row| row == (key, value));
        }
        Ok(())
    }
}

/// The rows of the tree in a part of its keys, in order, without its mark.
pub(super) struct Walk<'a, T> {
    tree: &'a T,
    part: Part<'a>,
    page: Digests,
    next: usize,
}

impl<'a, T: Tree> Walk<'a, T> {
    pub(super) fn over(tree: &'a T, part: Part<'a>) -> Self {
        Self { tree, part, page: Digests::default(), next: 0 }
    }

    /// All of them.
    pub(super) fn over_all(tree: &'a T) -> Self {
        Self::over(tree, (Bound::Unbounded, Bound::Excluded(&MARK_KEY)))
    }

    /// The next key, and the digest of its value.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, StoreError> {
        if self.next == self.page.rows.len() {
            self.read_page()?;
        }
        self.next += 1;
        Ok(self.page.get(self.next - 1))
    }

    fn read_page(&mut self) -> Result<(), StoreError> {
        let last = self.next.checked_sub(1).and_then(|last| Some(self.page.get(last)?.0.to_vec()));
        self.next = 0;
        self.page.clear();
        let (start, page) = (last.as_deref().map_or(self.part.0, Bound::Excluded), &mut self.page);
        self.tree.scan(start, self.part.1, &mut |key, value| {
            page.push(key, Some(digest(value)));
            if page.rows.len() < PAGE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::store::journal::folder::DiskFolder;
    use crate::store::journal::{Journal, Rows, SEGMENT_BYTES, checkpoint};
    use crate::store::{Batch, MemoryStore, Store as _, Visit};

    struct Map(BTreeMap<Vec<u8>, Vec<u8>>);

    impl Tree for Map {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            Ok(self.0.get(key).cloned())
        }

        fn scan(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, visit: &mut Visit<'_>) -> Result<(), StoreError> {
            let _ = self.0.iter().filter(|(key, _)| is_in((start, end), key)).try_for_each(|(key, value)| visit(key, value));
            Ok(())
        }

        fn apply(&self, _: Rows, _: &dyn Fn()) -> Result<(), StoreError> {
            Err(StoreError::Stopped)
        }

        fn sync(&self) -> Result<(), StoreError> {
            Ok(())
        }

        #[cfg(feature = "seeded-bugs")]
        fn flush(&self) -> Result<(), StoreError> {
            Ok(())
        }

        fn size_on_disk(&self) -> Result<u64, StoreError> {
            Ok(0)
        }
    }

    /// Keys of one or two bytes, so that batches meet, and values so long that a checkpoint has some frames.
    fn rows(value: impl Strategy<Value = Option<Vec<u8>>>) -> impl Strategy<Value = Rows> {
        proptest::collection::btree_map(proptest::collection::vec(0..40u8, 1..=2), value, 0..120)
    }

    fn value() -> impl Strategy<Value = Vec<u8>> {
        (any::<u8>(), prop_oneof![0..40usize, 3_000..4_000usize]).prop_map(|(byte, length)| vec![byte; length])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_tree_agrees_with_its_journal_and_with_any_row_changed_it_does_not(
            first in rows(value().prop_map(Some)),
            batches in proptest::collection::vec(rows(proptest::option::of(value())), 0..5),
            has_checkpoint: bool, at: prop::sample::Index, change in 0..3u8,
        ) {
            let (folder, memory) = (tempfile::tempdir().unwrap(), MemoryStore::new());
            let mut journal = Journal::begin(DiskFolder::at(folder.path()), Mark::default(), SEGMENT_BYTES).unwrap();
            journal.append(&first).unwrap();
            if has_checkpoint {
                let mut batch = Batch::new();
                first.iter().for_each(|(key, value)| batch.put(key.clone(), value.clone().unwrap()));
                memory.commit(batch).unwrap();
                let name = checkpoint::write(&*DiskFolder::at(folder.path()), &memory, journal.last()).unwrap();
                journal.checkpointed(&name, 0, Duration::ZERO).unwrap();
            }
            let mut all = first;
            for batch in batches {
                journal.append(&batch).unwrap();
                all.extend(batch);
            }
            let mut tree = Map(all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect());
            let found = Found::look(DiskFolder::at(folder.path())).unwrap();
            prop_assert!(Expected::read(&found).unwrap().is_held_by(&tree).unwrap());
            prop_assume!(!tree.0.is_empty());
            let key = at.get(&tree.0.keys().cloned().collect::<Vec<_>>()).clone();
            match change {
                0 => drop(tree.0.remove(&key)),
                1 => tree.0.get_mut(&key).unwrap().push(1),
                _ => drop(tree.0.insert([key, vec![1, 1]].concat(), vec![])),
            }
            prop_assert!(!Expected::read(&found).unwrap().is_held_by(&tree).unwrap());
        }
    }
}
