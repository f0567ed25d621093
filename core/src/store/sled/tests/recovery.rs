//! Trees that are damaged, gone or old under a journal that is whole, and the other way round.

use super::super::tree::SledTree;
use super::*;
use crate::store::journal::Journal;
use crate::store::journal::frame::Mark;

const ROWS: u32 = 400;

fn key(number: u32) -> Vec<u8> {
    [&[9u8][..], &number.to_be_bytes()].concat()
}

/// A store of some batches, of which every tenth deletes what came before.
fn filled(path: &Path, options: SledOptions) -> SledStore {
    let store = SledStore::open(path, options).unwrap();
    for number in 0..ROWS {
        let mut batch = Batch::new();
        batch.put(key(number), vec![number as u8; 900]);
        if number % 10 == 9 {
            batch.delete(key(number - 1));
        }
        store.commit(batch).unwrap();
    }
    store
}

fn small() -> SledOptions {
    SledOptions { cache_bytes: 1 << 20, checkpoint_bytes: 100_000, ..SledOptions::default() }
}

fn contents(store: &SledStore) -> Vec<Entry> {
    store.range(Bound::Unbounded, Bound::Unbounded, usize::MAX).unwrap()
}

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_tree_that_was_deleted_is_built_anew_with_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let before = contents(&filled(folder.path(), small()));
    assert_eq!(before.len() as u32, ROWS - ROWS / 10);
    fs::remove_dir_all(folder.path().join(TREE)).unwrap();
    let mut progress = 0;
    let store = SledStore::open_with(folder.path(), small(), &mut |done| progress = done.rows).unwrap();
    assert!(matches!(store.opening(), Opening::Rebuilt { set_aside: None, .. }), "{:?}", store.opening());
    assert_eq!(contents(&store), before);
    assert!(progress > 0);
    drop(store);
    let store = SledStore::open(folder.path(), small()).unwrap();
    assert_eq!((store.opening(), contents(&store)), (&Opening::Whole, before));
}

#[test]
fn a_tree_that_opens_and_has_lost_everything_is_built_anew_also_when_nothing_stands_behind_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let before = contents(&filled(folder.path(), small()));
    let store = SledStore::open(folder.path(), small()).unwrap();
    store.checkpoint().unwrap();
    drop(store);
    assert_eq!(Found::look(DiskFolder::at(folder.path().join(JOURNAL))).unwrap().segments.len(), 1);
    fs::remove_dir_all(folder.path().join(TREE)).unwrap();
    drop(SledTree::open(&folder.path().join(TREE), 1 << 20).unwrap());
    let store = SledStore::open(folder.path(), small()).unwrap();
    assert_eq!(contents(&store), before);
    assert!(matches!(store.opening(), Opening::Rebuilt { set_aside: Some(_), .. }), "{:?}", store.opening());
}

#[test]
fn a_tree_that_was_truncated_anywhere_comes_back_whole_and_is_set_aside_where_it_had_to_be_built_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let before = contents(&filled(&path, small()));
    drop(SledStore::open(&path, small()).unwrap()); // sled writes its snapshot when it opens
    let mut rebuilt = 0;
    for (part, keeps_snapshot) in (0..8).flat_map(|part| [(part, true), (part, false)]) {
        let copy = folder.path().join(format!("copy{part}{keeps_snapshot}"));
        copy_folder(&path, &copy);
        let data = copy.join(TREE).join(DATA);
        let length = fs::metadata(&data).unwrap().len();
        OpenOptions::new().write(true).open(&data).unwrap().set_len(length * part / 8).unwrap();
        if !keeps_snapshot {
            let snapshots = names(&copy.join(TREE)).into_iter().filter(|name| name.starts_with("snap."));
            snapshots.for_each(|name| fs::remove_file(copy.join(TREE).join(name)).unwrap());
        }
        let store = SledStore::open(&copy, small()).unwrap();
        assert_eq!(contents(&store), before, "{part}/8, {keeps_snapshot}: {:?}", store.opening());
        if let Opening::Rebuilt { set_aside, .. } = store.opening() {
            rebuilt += 1;
            assert!(set_aside.as_ref().is_some_and(|aside| aside.is_dir()));
        }
    }
    assert!(rebuilt > 0);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy_folder(&entry.path(), &target) } else { fs::copy(entry.path(), target).map(|_| ()).unwrap() }
    }
}

#[test]
fn a_tree_that_lacks_the_last_batches_gets_them() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("store"), folder.path().join("old"));
    let quiet = SledOptions { checkpoint_bytes: u64::MAX, ..small() };
    let store = filled(&path, quiet);
    drop(store);
    copy_folder(&path.join(TREE), &old);
    let store = SledStore::open(&path, quiet).unwrap();
    (ROWS..ROWS + 7).for_each(|number| {
        let mut batch = Batch::new();
        batch.put(key(number), vec![1; 10]);
        store.commit(batch).unwrap();
    });
    let before = contents(&store);
    drop(store);
    fs::remove_dir_all(path.join(TREE)).unwrap();
    copy_folder(&old, &path.join(TREE));
    let store = SledStore::open(&path, quiet).unwrap();
    assert_eq!(store.opening(), &Opening::CaughtUp { batches: 7 });
    assert_eq!(contents(&store), before);
}

#[test]
fn a_journal_that_was_lost_is_begun_anew_from_the_tree_and_carries_it_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let before = contents(&filled(folder.path(), small()));
    fs::remove_dir_all(folder.path().join(JOURNAL)).unwrap();
    let store = SledStore::open(folder.path(), small()).unwrap();
    assert_eq!(store.opening(), &Opening::JournalReplaced);
    drop(store);
    fs::remove_dir_all(folder.path().join(TREE)).unwrap();
    let store = SledStore::open(folder.path(), small()).unwrap();
    assert_eq!(contents(&store), before);
}

#[test]
fn where_neither_tree_nor_journal_is_whole_the_error_is_typed_and_nothing_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path(), SledOptions { checkpoint_bytes: u64::MAX, ..small() }));
    let data = folder.path().join(TREE).join(DATA);
    OpenOptions::new().write(true).open(&data).unwrap().set_len(1_000).unwrap();
    let segment = folder.path().join(JOURNAL).join(&names(&folder.path().join(JOURNAL))[0]);
    let mut bytes = fs::read(&segment).unwrap();
    bytes[2_000] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    // A last segment that breaks off is a torn end, unless something follows it: then a batch is missing.
    let journal = Journal::begin(DiskFolder::at(folder.path().join(JOURNAL)), Mark { sequence: ROWS.into(), check: 7 }, SEGMENT_BYTES);
    drop(journal);
    assert_eq!(SledStore::open(folder.path(), small()).err().map(|error| error.code()), Some("store.damaged"));
    assert!(data.exists() && segment.exists());
}

/// A store that keeps everything behind its checkpoints, closed; what it held, and its journal's folder.
fn keeping(path: &Path) -> (Vec<Entry>, PathBuf) {
    let store = filled(path, KEEPS);
    store.checkpoint().unwrap();
    let mut batch = Batch::new();
    batch.put(key(ROWS), vec![1; 10]);
    store.commit(batch).unwrap();
    (contents(&store), path.join(JOURNAL))
}

const KEEPS: SledOptions =
    SledOptions { cache_bytes: 1 << 20, checkpoint_bytes: 50_000, keep: Duration::from_secs(86_400), floor_bytes: 8 << 20 };

/// The journal's files of this kind, in order.
fn files(journal: &Path, extension: &str) -> Vec<String> {
    names(journal).into_iter().filter(|name| name.ends_with(extension)).collect()
}

#[test]
fn a_last_checkpoint_that_is_broken_anywhere_costs_nothing_while_one_before_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let (before, journal) = keeping(&path);
    let checkpoint = files(&journal, ".checkpoint").pop().unwrap();
    let whole = fs::read(journal.join(&checkpoint)).unwrap();
    for (part, has_tree) in [(0, true), (0, false), (1, true), (1, false), (2, true), (2, false)] {
        let copy = folder.path().join(format!("copy{part}{has_tree}"));
        copy_folder(&path, &copy);
        let mut broken = whole.clone();
        broken[(whole.len() - 1) * part / 2] ^= 1;
        fs::write(copy.join(JOURNAL).join(&checkpoint), &broken).unwrap();
        if !has_tree {
            fs::remove_dir_all(copy.join(TREE)).unwrap();
        }
        let store = SledStore::open(&copy, KEEPS).unwrap();
        assert_eq!(contents(&store), before, "{part}, {has_tree}");
        match (has_tree, store.opening()) {
            (true, Opening::CheckpointReplaced) | (false, Opening::Rebuilt { set_aside: None, .. }) => {}
            other => panic!("{part}: {other:?}"),
        }
        drop(store);
        assert_eq!(fs::read(copy.join(JOURNAL).join(format!("{checkpoint}.damaged"))).unwrap(), broken);
        let store = SledStore::open(&copy, KEEPS).unwrap();
        assert_eq!((store.opening(), contents(&store)), (&Opening::Whole, before.clone()));
    }
}

#[test]
fn an_earlier_checkpoint_and_the_segments_behind_it_are_a_backup_of_then() {
    let folder = tempfile::tempdir().unwrap();
    let (_, journal) = keeping(&folder.path().join("store"));
    let checkpoints = files(&journal, ".checkpoint");
    assert!(checkpoints.len() > 2, "{checkpoints:?}");
    let (then, elsewhere) = (folder.path().join("then"), folder.path().join("elsewhere"));
    fs::create_dir(&then).unwrap();
    for name in [&checkpoints[0]].into_iter().chain(&files(&journal, ".segment")) {
        fs::copy(journal.join(name), then.join(name)).unwrap();
    }
    // What was written after a segment began, somebody wants to be without.
    let last = files(&then, ".segment").pop().unwrap();
    let length = fs::metadata(then.join(&last)).unwrap().len();
    OpenOptions::new().write(true).open(then.join(&last)).unwrap().set_len(length / 2).unwrap();
    let restored = SledStore::restore(&then, &elsewhere).unwrap();
    let store = SledStore::open(&elsewhere, small()).unwrap();
    let batches = restored.last.sequence as u32;
    assert!((100..ROWS).contains(&batches), "{batches}");
    let expected: Vec<Vec<u8>> = (0..batches).filter(|number| number % 10 != 8 || *number + 1 == batches).map(key).collect();
    assert_eq!(contents(&store).into_iter().map(|(key, _)| key).collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_only_kept_is_given_up_when_there_is_no_room_and_a_broken_checkpoint_keeps_what_it_could_be_built_from() {
    let folder = tempfile::tempdir().unwrap();
    for is_broken in [true, false] {
        let path = folder.path().join(format!("{is_broken}"));
        let (before, journal) = keeping(&path);
        let kept = files(&journal, "");
        let store = SledStore::open(&path, SledOptions { floor_bytes: u64::MAX, ..KEEPS }).unwrap();
        let checkpoint = journal.join(files(&journal, ".checkpoint").pop().unwrap());
        if is_broken {
            let mut bytes = fs::read(&checkpoint).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&checkpoint, bytes).unwrap();
        }
        let refused = put(&store, b"\x09a");
        drop(store);
        if is_broken {
            assert_eq!(refused.map_err(|error| error.code()), Err("store.full"));
            assert!(kept.iter().all(|name| journal.join(name).exists()));
        } else {
            assert_eq!(refused, Err(StoreError::Full));
            assert_eq!(files(&journal, ".checkpoint").len(), 1);
        }
        fs::remove_dir_all(path.join(TREE)).unwrap();
        assert_eq!(contents(&SledStore::open(&path, KEEPS).unwrap()), before);
    }
}

#[test]
fn a_backup_made_under_load_holds_what_was_committed_before_it_and_opens_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (path, backup, elsewhere) = (folder.path().join("store"), folder.path().join("backup"), folder.path().join("elsewhere"));
    let store = Arc::new(filled(&path, small()));
    let before = contents(&store);
    fs::create_dir(&backup).unwrap();
    let (stop, writing) = (Arc::new(AtomicBool::new(false)), Arc::clone(&store));
    let told = Arc::clone(&stop);
    let writer = std::thread::spawn(move || {
        let mut number = ROWS;
        while !told.load(Ordering::SeqCst) {
            let mut batch = Batch::new();
            batch.put(key(number), vec![3; 500]);
            writing.commit(batch).unwrap();
            number += 1;
        }
    });
    store.backup(&backup).unwrap();
    stop.store(true, Ordering::SeqCst);
    writer.join().unwrap();
    let restored = SledStore::restore(&backup, &elsewhere).unwrap();
    assert_eq!(SledStore::verify(&backup), Ok(restored));
    assert_eq!(SledStore::verify(&elsewhere), Ok(restored));
    assert_eq!(SledStore::restore(&backup, &elsewhere), Err(StoreError::InUse));
    let restored = SledStore::open(&elsewhere, small()).unwrap();
    let (there, here) = (contents(&restored), contents(&store));
    assert!(before.iter().all(|entry| there.contains(entry)));
    assert_eq!(there, here[..there.len()], "the backup is a beginning of what was committed");
}

#[test]
fn without_room_nothing_is_written_and_with_room_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path(), small()));
    let store = SledStore::open(folder.path(), SledOptions { floor_bytes: u64::MAX, ..small() }).unwrap();
    assert_eq!((put(&store, b"\x09a"), store.health()), (Err(StoreError::Full), Err(StoreError::Full)));
    assert_eq!(store.get(b"\x09a"), Ok(None));
    assert!(!contents(&store).is_empty());
    drop(store);
    let store = SledStore::open(folder.path(), small()).unwrap();
    assert_eq!((put(&store, b"\x09a"), store.health()), (Ok(()), Ok(())));
}
