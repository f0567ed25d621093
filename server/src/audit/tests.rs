//! The log in a folder: whole it is found whole, and whatever is done to its files is found.

use std::sync::atomic::{AtomicI64, Ordering};

use doorstep_core::model::AccountId;
use doorstep_core::store::MemoryStore;
use proptest::prelude::*;

use super::*;

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// Something that is done to the lines of a file.
type Change = fn(&mut Vec<String>);

struct Scene {
    folder: tempfile::TempDir,
    store: Arc<MemoryStore>,
    clock: Arc<TestClock>,
}

/// A bit more than a month, in milliseconds.
const MONTH: i64 = 31 * 86_400_000;

impl Scene {
    fn new() -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(1_790_000_000_000)));
        Self { folder: tempfile::tempdir().unwrap(), store: Arc::new(MemoryStore::default()), clock }
    }

    fn open(&self) -> Audit {
        Audit::open(self.folder.path(), self.store.clone(), self.clock.clone(), 6).unwrap()
    }

    fn later(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// A log of two files with `records` in each.
    fn with(records: u8) -> Self {
        let scene = Self::new();
        for _ in 0..2 {
            let audit = scene.open();
            (0..records).for_each(|n| assert!(audit.note(entry(n)).is_ok()));
            scene.later(MONTH);
        }
        scene
    }

    fn files(&self) -> Vec<PathBuf> {
        files::all(self.folder.path()).unwrap().iter().map(|name| self.folder.path().join(name.to_string())).collect()
    }

    /// What is found wrong by who has the folder and the mark.
    fn broken(&self) -> Vec<(u64, &'static str)> {
        let verified = verify(self.folder.path(), Mark::read(&*self.store).unwrap()).unwrap();
        verified.broken.into_iter().map(|broken| (broken.line, broken.what)).collect()
    }

    /// Changes the lines of a file.
    fn edit(&self, file: usize, change: impl FnOnce(&mut Vec<String>)) {
        let path = &self.files()[file];
        let mut lines: Vec<String> = fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
        change(&mut lines);
        fs::write(path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }
}

fn entry(n: u8) -> Entry {
    Entry::by(Who::Operator, What::Login).from("10.0.0.7".parse().unwrap()).on(AccountId::from_bytes([n; 16]))
}

#[test]
fn what_was_noted_is_read_back_after_a_restart_and_found_whole() {
    let scene = Scene::with(3);
    let audit = scene.open();
    assert_eq!(audit.note(entry(9).refused("account.credentials")).unwrap(), 7);
    let records = audit.records(4, Millis(0), 100).unwrap();
    assert_eq!(records.iter().map(|record| record.number).collect::<Vec<_>>(), [5, 6, 7]);
    assert_eq!(records[2].entry, entry(9).refused("account.credentials"));
    assert_eq!(audit.records(0, records[2].at, 100).unwrap().len(), 1);
    assert_eq!(audit.records(0, Millis(0), 2).unwrap().len(), 2);
    let verified = audit.verify().unwrap();
    assert_eq!((verified.records, verified.files, verified.last, verified.broken), (7, 3, 7, vec![]));
}

#[test]
fn the_text_of_a_record_is_the_written_one_and_a_later_version_s_is_kept() {
    let record = Record { number: 7, at: Millis(5), entry: entry(1) };
    let text = r#"{"n":7,"at":5,"who":"operator","from":"10.0.0.7","what":"login","on":["account:01010101-0101-0101-0101-010101010101"],"outcome":"ok"}"#;
    assert_eq!(serde_json::to_string(&record).unwrap(), text);
    assert_eq!(serde_json::from_str::<Record>(text).unwrap(), record);
    let later = text.replace("operator", "robot:7").replace("login", "carried-off");
    let read: Record = serde_json::from_str(&later).unwrap();
    assert_eq!((read.entry.who.clone(), read.entry.what.clone()), (Who::Unknown("robot:7".into()), What::Unknown("carried-off".into())));
    assert_eq!(serde_json::to_string(&read).unwrap(), later);
}

#[test]
fn a_record_that_was_changed_taken_out_or_moved_is_found() {
    let changes: [(Change, (u64, &str)); 5] = [
        (|lines| lines[2] = lines[2].replace("10.0.0.7", "10.0.0.8"), (3, "wrong-hash")),
        (|lines| drop(lines.remove(2)), (3, "wrong-number")),
        (|lines| lines.swap(1, 2), (2, "wrong-number")),
        (|lines| lines.insert(2, lines[2].clone()), (4, "wrong-number")),
        (|lines| lines[0] = "something else".into(), (1, "file-head")),
    ];
    for (change, wanted) in changes {
        for file in [0, 1] {
            let scene = Scene::with(3);
            scene.edit(file, change);
            assert!(scene.broken().contains(&wanted), "{file} {wanted:?} {:?}", scene.broken());
        }
    }
}

#[test]
fn an_end_that_was_cut_off_is_found_by_the_mark_and_only_by_it() {
    for cut in [1, 2, 3] {
        let scene = Scene::with(3);
        scene.edit(1, |lines| lines.truncate(lines.len() - cut));
        assert_eq!(scene.broken(), [(0, "missing-end")], "{cut} cut off");
        assert_eq!(verify(scene.folder.path(), None).unwrap().broken, []);
    }
    let scene = Scene::with(3);
    fs::remove_file(&scene.files()[1]).unwrap();
    assert_eq!(scene.broken(), [(0, "missing-end")]);
    fs::remove_file(&scene.files()[0]).unwrap();
    assert_eq!(scene.broken(), [(0, "missing-end")]);
}

#[test]
fn an_end_that_was_written_anew_is_found_by_the_mark() {
    let scene = Scene::with(3);
    // Somebody who knows the format cuts the last record off and writes another.
    let forged = Scene { folder: tempfile::tempdir().unwrap(), store: Arc::new(MemoryStore::default()), clock: scene.clock.clone() };
    copy(scene.folder.path(), forged.folder.path()).unwrap();
    forged.edit(1, |lines| drop(lines.pop()));
    scene.later(-MONTH);
    forged.open().note(entry(99)).unwrap();
    copy(forged.folder.path(), scene.folder.path()).unwrap();
    assert_eq!(scene.broken(), [(0, "other-than-marked")]);
}

#[test]
fn a_missing_file_is_found() {
    let scene = Scene::with(3);
    scene.open().note(entry(1)).unwrap();
    fs::remove_file(&scene.files()[1]).unwrap();
    assert_eq!(scene.broken(), [(1, "missing-records")]);
    fs::remove_file(&scene.files()[0]).unwrap();
    assert_eq!(scene.broken(), [(1, "missing-beginning")]);
}

#[test]
fn a_server_goes_on_behind_a_gap_and_the_gap_stays_to_be_seen() {
    let scene = Scene::with(3);
    scene.edit(1, |lines| lines.truncate(2));
    let audit = scene.open();
    assert_eq!(audit.note(entry(1)).unwrap(), 8);
    let noted = audit.records(6, Millis(0), 9).unwrap();
    assert_eq!((noted.len(), &noted[0].entry.what), (2, &What::GapFound));
    assert_eq!(scene.broken(), [(1, "missing-records")]);
    drop(audit);
    assert_eq!(scene.open().note(entry(1)).unwrap(), 9);
    assert_eq!(scene.broken(), [(1, "missing-records")]);
}

#[test]
fn half_a_record_that_a_crash_left_is_cut_off_and_is_no_gap() {
    let scene = Scene::with(3);
    let last = scene.files().pop().unwrap();
    let whole = fs::read(&last).unwrap();
    fs::write(&last, [&whole[..], b"0123 {\"n\":7,"].concat()).unwrap();
    scene.later(-MONTH);
    scene.open();
    assert_eq!(fs::read(&last).unwrap(), whole);
    assert_eq!((scene.open().note(entry(1)).unwrap(), scene.broken()), (7, vec![]));
}

#[test]
fn a_record_that_a_crash_left_without_its_mark_is_kept() {
    let scene = Scene::with(3);
    let before = Mark::read(&*scene.store).unwrap().unwrap();
    scene.open().note(entry(1)).unwrap();
    before.write(&*scene.store).unwrap();
    assert_eq!((scene.open().note(entry(2)).unwrap(), scene.broken()), (8, vec![]));
}

#[test]
fn files_are_kept_for_their_months_and_go_whole_from_the_beginning() {
    let scene = Scene::new();
    for month in 0..12 {
        scene.open().note(entry(month)).unwrap();
        scene.later(MONTH);
    }
    assert_eq!(scene.files().len(), 7, "the present month and six before it");
    let verified = scene.open().verify().unwrap();
    assert_eq!((verified.records, verified.last, verified.broken), (7, 12, vec![]));
    fs::remove_file(&scene.files()[0]).unwrap();
    assert_eq!(scene.broken(), [(1, "missing-beginning")]);
}

#[test]
fn a_clock_that_was_set_back_begins_no_earlier_file() {
    let scene = Scene::with(2);
    scene.later(-12 * MONTH);
    assert_eq!(scene.open().note(entry(1)).unwrap(), 5);
    assert_eq!((scene.files().len(), scene.broken()), (2, vec![]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bit_that_is_flipped_is_found(at in any::<prop::sample::Index>(), bit in 0u8..8, file in 0usize..2) {
        let scene = Scene::with(2);
        let path = &scene.files()[file];
        let mut bytes = fs::read(path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(path, &bytes).unwrap();
        prop_assert!(!scene.broken().is_empty(), "byte {} bit {}", at, bit);
    }
}
