//! When a life goes on, and when a new one begins.

use std::ops::Bound;
use std::sync::Arc;

use super::*;
use crate::field::vector::Counting;
use crate::store::{CrashKind, Entry, MemoryStore, Plan, Read};

/// Opens, and says in which life.
fn open(store: &dyn Store, mark: &dyn LifeMark, entropy: &mut Counting) -> Incarnation {
    begin(store, mark, entropy).unwrap()
}

/// A store that was opened twice with its mark, which stayed one life.
fn opened() -> (MemoryStore, MemoryMark, Counting, Incarnation) {
    let (store, mark, mut entropy) = (MemoryStore::new(), MemoryMark::default(), Counting(0));
    let first = open(&store, &mark, &mut entropy);
    assert_eq!(open(&store, &mark, &mut entropy), first, "a store that nobody touched goes on");
    (store, mark, entropy, first)
}

#[test]
fn an_older_copy_begins_a_new_life_and_goes_on_with_that() {
    let (store, mark, mut entropy, first) = opened();
    let copy = store.copy();
    open(&store, &mark, &mut entropy);
    let second = open(&copy, &mark, &mut entropy);
    assert_ne!(second, first);
    assert_eq!(open(&copy, &mark, &mut entropy), second);
    // The store that it took the place of does not come back to life either.
    assert_ne!(open(&store, &mark, &mut entropy), first);
}

#[test]
fn a_copy_on_another_phone_begins_a_new_life_and_the_original_goes_on() {
    let (store, mark, mut entropy, first) = opened();
    assert_ne!(open(&store.copy(), &MemoryMark::default(), &mut entropy), first);
    assert_eq!(open(&store, &mark, &mut entropy), first);
}

#[test]
fn without_a_mark_every_opening_is_a_life_of_its_own() {
    let (store, mut entropy) = (MemoryStore::new(), Counting(0));
    let first = open(&store, &NoMark, &mut entropy);
    assert_ne!(open(&store, &NoMark, &mut entropy), first);
}

#[test]
fn a_cut_between_the_two_writes_costs_a_new_life_and_no_older_copy_is_taken_for_the_store() {
    for kind in [CrashKind::BeforeApply, CrashKind::AppliedNotFlushed] {
        let (store, mark, mut entropy, first) = opened();
        let copy = store.copy();
        store.crash_at(0, kind);
        begin(&store, &mark, &mut entropy).unwrap_err();
        store.restart();
        assert_ne!(open(&copy, &mark.copy(), &mut entropy), first, "{kind:?}");
        assert_ne!(open(&store, &mark, &mut entropy), first, "{kind:?}");
    }
    let (store, mark, mut entropy, first) = opened();
    store.crash_at(0, CrashKind::FlushedNotAnswered);
    begin(&store, &mark, &mut entropy).unwrap_err();
    store.restart();
    assert_eq!(open(&store, &mark, &mut entropy), first);
}

/// A place that takes no mark.
struct ReadOnly<'a>(&'a MemoryMark);

impl LifeMark for ReadOnly<'_> {
    fn read(&self) -> Option<Mark> {
        self.0.read()
    }

    fn write(&self, _: &Mark) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

#[test]
fn where_the_mark_cannot_be_written_the_phone_opens_in_a_new_life() {
    let (store, mark, mut entropy, first) = opened();
    let copy = store.copy();
    let second = open(&store, &ReadOnly(&mark), &mut entropy);
    assert_ne!(second, first);
    assert_ne!(open(&store, &mark, &mut entropy), second, "the mark outside is still an older one");
    assert_ne!(open(&copy, &mark, &mut entropy), first);
}

/// A store in some condition.
struct Troubled<'a> {
    store: &'a MemoryStore,
    mended: bool,
    full: bool,
}

impl Read for Troubled<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(key)
    }

    fn range(&self, start: Bound<&[u8]>, end: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.store.range(start, end, limit)
    }
}

impl Store for Troubled<'_> {
    fn transact(&self, plan: Plan) -> Result<(), StoreError> {
        if self.full { Err(StoreError::Full) } else { self.store.transact(plan) }
    }

    fn barrier(&self) -> Result<(), StoreError> {
        self.store.barrier()
    }

    fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.store.size_on_disk()
    }

    fn roots(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.roots()
    }

    fn set_roots(&self, roots: &[u8]) -> Result<(), StoreError> {
        if self.full { Err(StoreError::Full) } else { self.store.set_roots(roots) }
    }

    fn is_mended(&self) -> bool {
        self.mended
    }
}

#[test]
fn a_store_that_was_mended_begins_a_new_life() {
    let (store, mark, mut entropy, first) = opened();
    let mended: Arc<dyn LifeMark> = Arc::new(mark.copy());
    let second = open(&Troubled { store: &store, mended: true, full: false }, &*mended, &mut entropy);
    assert_ne!(second, first);
    assert_eq!(open(&store, &*mended, &mut entropy), second, "once mended it goes on");
}

#[test]
fn on_a_full_disk_the_phone_opens_and_what_it_records_there_is_under_no_other_openings_life() {
    let (store, mark, mut entropy, first) = opened();
    let full = Troubled { store: &store, mended: false, full: true };
    let second = open(&full, &mark, &mut entropy);
    let third = open(&full, &mark, &mut entropy);
    assert!(first != second && second != third && first != third);
    assert!(![first, second, third].contains(&open(&store, &mark, &mut entropy)));
    let empty = MemoryStore::new();
    assert!(begin(&Troubled { store: &empty, mended: false, full: true }, &mark, &mut entropy).is_err(), "there is nothing to read");
}

#[test]
fn a_mark_in_a_file_is_read_as_it_was_written_and_anything_else_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not-backed-up").join("phone.life");
    let mark = MarkFile::at(&path);
    assert_eq!(mark.read(), None);
    for bytes in [[1; 16], [2; 16]] {
        mark.write(&bytes).unwrap();
        assert_eq!(MarkFile::at(&path).read(), Some(bytes));
    }
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    for length in [0, 15, 17] {
        fs::write(&path, vec![3; length]).unwrap();
        assert_eq!(mark.read(), None);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(mark.read(), None);
    mark.write(&[4; 16]).unwrap_err();
}
