//! Power cuts: a process writes to a store on a file system of its own; what its disk holds at some moment is copied while it runs, mounted, and
//! looked through. Whatever was acknowledged by then must be there, whole, and the store must open.
//!
//! The disk is a file under a loop device with ext4 on it: what the kernel has not yet written is not in the copy, as after a cut. That needs
//! root, `losetup`, `mount` and `mkfs.ext4`; where one is missing this says so in a line and tries nothing. A real drive is worse still:
//! a loop device keeps the order of writes and has no cache of its own.
//!
//! `DOORSTEP_POWER_CUTS` is how many cuts there are, 8 if unset.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use std::ops::Bound;

use doorstep_core::store::{Read as _, SledOptions, SledStore, Store as _};
use doorstep_tests::batches::holds;
use doorstep_tests::disk::{Disk, is_root, run};

/// The disk, in megabytes.
const DISK_MEGABYTES: u64 = 96;
/// How the store is written to, one cut after the other: so many writers at a time, values of so many bytes.
const KINDS: [(u32, usize); 4] = [(1, 200), (4, 200), (1, 9_000), (4, 9_000)];

/// Why power cannot be cut here.
fn lacks() -> Option<&'static str> {
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok();
    match () {
        () if !is_root() => Some("root"),
        () if !Path::new("/dev/loop-control").exists() => Some("loop devices"),
        () if !(has("losetup") && has("mount")) => Some("losetup and mount"),
        () if Command::new("mkfs.ext4").arg("-V").output().is_err() => Some("mkfs.ext4"),
        () => None,
    }
}

/// The writer, killed when it is dropped.
struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a cut came to.
struct Cut {
    acknowledged: Vec<u32>,
    /// What was wrong afterwards.
    wrong: Option<String>,
}

/// Cuts the power after about so many acknowledgements. `None` where nothing can be mounted.
fn cut(writers: u32, bytes: usize, acknowledgements: usize, unsynced: bool) -> Option<Cut> {
    let folder = tempfile::tempdir().unwrap();
    let (image, copy) = (folder.path().join("disk"), folder.path().join("copy"));
    std::fs::File::create(&image).unwrap().set_len(DISK_MEGABYTES << 20).unwrap();
    assert!(run("mkfs.ext4", &["-q", "-F", image.to_str().unwrap()]));
    let disk = Disk::of_image(&image, &folder.path().join("mounted"))?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_writer"));
    command.arg(disk.mounted_at.join("store")).args([writers.to_string(), bytes.to_string()]).stdout(Stdio::piped());
    let mut child = command.args(unsynced.then_some("unsynced")).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let writer = Writer(child);
    let acknowledged: Vec<u32> = lines.by_ref().take(acknowledgements).map(|line| line.unwrap().parse().unwrap()).collect();
    assert!(run("kill", &["-STOP", &writer.0.id().to_string()]));
    std::fs::copy(&image, &copy).unwrap();
    drop((writer, lines));
    drop(disk);
    let after = Disk::of_image(&copy, &folder.path().join("after"))?;
    let wrong = look(&after.mounted_at.join("store"), &acknowledged, bytes).err();
    Some(Cut { acknowledged, wrong })
}

/// Opens the store as it was at the cut and looks for what was acknowledged.
fn look(folder: &Path, acknowledged: &[u32], bytes: usize) -> Result<(), String> {
    let store = SledStore::open(folder, SledOptions { floor_bytes: 0, ..SledOptions::default() }).map_err(|error| error.to_string())?;
    let most = acknowledged.iter().max().copied().unwrap_or(0);
    // Some more than were acknowledged may be there, each of them whole.
    for number in 0..most + 64 {
        let is_there = holds(&store, number, bytes)?;
        if !is_there && acknowledged.contains(&number) {
            return Err(format!("batch {number} was acknowledged and is gone ({:?})", store.opening()));
        }
    }
    store.range(Bound::Unbounded, Bound::Unbounded, usize::MAX).map_err(|error| error.to_string())?;
    let blobs = std::fs::read_dir(folder.join("tree").join("blobs")).map_or(0, Iterator::count);
    if blobs > 0 { Err(format!("{blobs} values left sled's log")) } else { store.barrier().map_err(|error| error.to_string()) }
}

fn cuts() -> usize {
    std::env::var("DOORSTEP_POWER_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(8)
}

/// Cuts as often as is asked for; gives those that went wrong, or none where nothing can be tried.
fn try_all(unsynced: bool) -> Option<Vec<String>> {
    if let Some(what) = lacks() {
        println!("no power was cut: this machine lacks {what}");
        return None;
    }
    let mut wrong = Vec::new();
    for round in 0..cuts() {
        let (writers, bytes) = KINDS[round % KINDS.len()];
        let Some(cut) = cut(writers, bytes, 20 + round * 37 % 160, unsynced) else {
            println!("no power was cut: nothing can be mounted here");
            return None;
        };
        assert!(!cut.acknowledged.is_empty());
        wrong.extend(cut.wrong.map(|what| format!("cut {round}, {writers} writers, {bytes} bytes: {what}")));
    }
    Some(wrong)
}

#[test]
fn a_power_cut_takes_nothing_that_was_acknowledged() {
    let wrong = try_all(false).unwrap_or_default();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[cfg(feature = "seeded-bugs")]
#[test]
fn without_our_own_syncs_the_same_cuts_take_what_was_acknowledged() {
    if let Some(wrong) = try_all(true) {
        assert!(!wrong.is_empty(), "the harness does not notice that nothing is synced");
        println!("{} of {} cuts lost something: {}", wrong.len(), cuts(), wrong[0]);
    }
}
