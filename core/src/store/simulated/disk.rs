//! A disk in memory: files, names and a tree, each with what a power cut takes of it.
//!
//! A file that is appended to keeps what was synced and a part of the rest, at whose end there may be zeros where the length arrived before the
//! data. Names keep what was synced and a beginning of what was done since. A tree keeps what was synced, and all or nothing of the rest.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::Numbers;
use super::tree::{MemoryTree, Rows, Slot};
use crate::store::StoreError;
use crate::store::journal::folder::{Appending, Folder};
use crate::store::journaled::home::Home;
use crate::store::journaled::lock_of;
use crate::store::roots;

/// What befalls a tree in a power cut beside the loss of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeLoss {
    /// It opens, and stands where it stood so many syncs ago.
    SetBack(usize),
    /// It is gone.
    Gone,
    /// It does not open any more.
    Unreadable,
    /// It does not open any more, and a bit of the newest checkpoint has flipped, if there is another before it.
    UnreadableWithCheckpoint,
}

/// A file, under whatever name.
#[derive(Clone, Default)]
struct Inode {
    bytes: Vec<u8>,
    /// How many of them are synced.
    durable: usize,
    /// The operation that wrote to it last.
    written_at: u64,
}

/// Something that was done to names, in one step.
type Renaming = Vec<(String, Option<u64>)>;

/// What is on the disk, and what is on its way there.
#[derive(Clone, Default)]
pub(super) struct Contents {
    inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    renamings: Vec<Renaming>,
    is_made: bool,
    pub(super) trees: BTreeMap<Slot, Rows>,
    /// How many operations there were: the disk's clock.
    operations: u64,
    is_unreadable: bool,
}

pub(super) struct State {
    pub(super) contents: Contents,
    numbers: Numbers,
    armed: Option<u64>,
    is_off: bool,
    #[cfg(feature = "seeded-bugs")]
    takes_torn_frames: bool,
}

/// A disk. What is cloned is the handle.
#[derive(Clone)]
pub(super) struct Disk(Arc<Mutex<State>>);

/// How an operation goes: wholly, or in its middle the power goes, and it may be done all the same.
pub(super) enum Power {
    Stays,
    Goes { done: bool },
}

fn powerless() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

impl State {
    fn below(&mut self, bound: u64) -> u64 {
        (self.numbers)() % bound.max(1)
    }

    /// Counts an operation.
    pub(super) fn operate(&mut self) -> io::Result<Power> {
        self.contents.operations += 1;
        match self.armed {
            _ if self.is_off => Err(powerless()),
            None => Ok(Power::Stays),
            Some(0) => {
                (self.armed, self.is_off) = (None, true);
                Ok(Power::Goes { done: self.below(2) == 0 })
            }
            Some(left) => {
                self.armed = Some(left - 1);
                Ok(Power::Stays)
            }
        }
    }

    /// Counts an operation that is done or not, and does it.
    pub(super) fn step(&mut self, perform: impl FnOnce(&mut Contents)) -> io::Result<()> {
        let power = self.operate()?;
        if matches!(power, Power::Stays | Power::Goes { done: true }) {
            perform(&mut self.contents);
        }
        if matches!(power, Power::Stays) { Ok(()) } else { Err(powerless()) }
    }

    fn write(&mut self, inode: u64, bytes: &[u8]) -> io::Result<()> {
        let power = self.operate()?;
        let written = if matches!(power, Power::Stays) { bytes.len() } else { self.below(bytes.len() as u64 + 1) as usize };
        let now = self.contents.operations;
        let file = self.contents.inodes.get_mut(&inode).ok_or(io::ErrorKind::NotFound)?;
        file.written_at = now;
        file.bytes.extend(bytes.iter().take(written));
        if matches!(power, Power::Stays) { Ok(()) } else { Err(powerless()) }
    }

    /// The power goes, if it has not gone, and comes back.
    fn cut(&mut self, loss: Option<TreeLoss>) {
        let kept = self.below(self.contents.renamings.len() as u64 + 1) as usize;
        let contents = &mut self.contents;
        for (name, inode) in contents.renamings.drain(..).take(kept).flatten() {
            set_name(&mut contents.durable_names, name, inode);
        }
        contents.names = contents.durable_names.clone();
        let alive: Vec<u64> = contents.names.values().copied().collect();
        contents.inodes.retain(|inode, _| alive.contains(inode));
        for inode in alive {
            self.tear(inode);
        }
        let stays = self.below(2) == 0;
        self.contents.trees.retain(|slot, _| *slot == Slot::Placed);
        if let Some(tree) = self.contents.trees.get_mut(&Slot::Placed) {
            if stays { tree.settle() } else { tree.roll_back() }
        }
        match loss {
            None => {}
            Some(TreeLoss::Gone) => drop(self.contents.trees.remove(&Slot::Placed)),
            Some(TreeLoss::Unreadable) => self.contents.lose_tree(),
            Some(TreeLoss::UnreadableWithCheckpoint) => {
                self.contents.lose_tree();
                self.rot_newest_checkpoint();
            }
            Some(TreeLoss::SetBack(syncs)) => {
                if let Some(tree) = self.contents.trees.get_mut(&Slot::Placed) {
                    tree.set_back(syncs);
                }
            }
        }
        (self.armed, self.is_off) = (None, false);
    }

    fn rot_newest_checkpoint(&mut self) {
        let names = &self.contents.names;
        let checkpoints: Vec<u64> = names.iter().filter(|(name, _)| name.ends_with(".checkpoint")).map(|(_, inode)| *inode).collect();
        let [_, .., newest] = checkpoints[..] else { return };
        let (place, bit) = (self.below(u64::MAX) as usize, self.below(8));
        if let Some(file) = self.contents.inodes.get_mut(&newest) {
            let length = file.bytes.len().max(1);
            file.bytes.iter_mut().skip(place % length).take(1).for_each(|byte| *byte ^= 1 << bit);
        }
    }

    /// What a cut leaves of a file's unsynced end.
    fn tear(&mut self, inode: u64) {
        /// Of so many cuts one leaves zeros.
        const ZEROS: u64 = 8;
        let Some((length, durable)) = self.contents.inodes.get(&inode).map(|file| (file.bytes.len(), file.durable)) else { return };
        let kept = durable + self.below((length - durable) as u64 + 1) as usize;
        let zeros_from = if self.below(ZEROS) == 0 { durable + self.below((kept - durable) as u64 + 1) as usize } else { kept };
        if let Some(file) = self.contents.inodes.get_mut(&inode) {
            file.bytes.truncate(kept);
            file.bytes.iter_mut().skip(zeros_from).for_each(|byte| *byte = 0);
            file.durable = kept;
        }
    }
}

fn set_name(names: &mut BTreeMap<String, u64>, name: String, inode: Option<u64>) {
    match inode {
        Some(inode) => names.insert(name, inode),
        None => names.remove(&name),
    };
}

impl Contents {
    fn rename(&mut self, renaming: Renaming) {
        for (name, inode) in renaming.clone() {
            set_name(&mut self.names, name, inode);
        }
        self.renamings.push(renaming);
    }

    fn lose_tree(&mut self) {
        self.is_unreadable = self.trees.contains_key(&Slot::Placed);
    }

    fn sync_names(&mut self) {
        self.durable_names = self.names.clone();
        self.renamings.clear();
    }
}

impl Disk {
    pub(super) fn new(numbers: Numbers) -> Self {
        Self::with(Contents::default(), numbers)
    }

    fn with(contents: Contents, numbers: Numbers) -> Self {
        Self(Arc::new(Mutex::new(State {
            contents,
            numbers,
            armed: None,
            is_off: false,
            #[cfg(feature = "seeded-bugs")]
            takes_torn_frames: false,
        })))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock_of(&self.0)
    }

    pub(super) fn arm(&self, operations: Option<u64>) {
        self.state().armed = operations;
    }

    pub(super) fn is_off(&self) -> bool {
        self.state().is_off
    }

    pub(super) fn cut(&self, loss: Option<TreeLoss>) {
        self.state().cut(loss);
    }

    pub(super) fn copy(&self, numbers: Numbers) -> Self {
        let copy = Self::with(self.state().contents.clone(), numbers);
        copy.cut(None);
        copy
    }

    #[cfg(feature = "seeded-bugs")]
    pub(super) fn set_bug_takes_torn_frames(&self, on: bool) {
        self.state().takes_torn_frames = on;
    }

    fn inode(&self, name: &str) -> io::Result<u64> {
        self.state().contents.names.get(name).copied().ok_or(io::ErrorKind::NotFound.into())
    }

    fn of_file<T>(&self, name: &str, read: impl FnOnce(&Inode) -> T) -> io::Result<T> {
        let inode = self.inode(name)?;
        self.state().contents.inodes.get(&inode).map(read).ok_or(io::ErrorKind::NotFound.into())
    }
}

impl Folder for Disk {
    fn is_there(&self) -> bool {
        self.state().contents.is_made
    }

    fn make(&self) -> io::Result<()> {
        self.state().contents.is_made = true;
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.state().contents.names.keys().cloned().collect())
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        self.of_file(name, |file| file.bytes.len() as u64)
    }

    fn written_at(&self, name: &str) -> io::Result<Duration> {
        self.of_file(name, |file| Duration::from_secs(file.written_at))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(Cursor::new(self.of_file(name, |file| file.bytes.clone())?)))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Appending>> {
        let mut state = self.state();
        let inode = state.contents.next_inode;
        state.step(|contents| {
            contents.next_inode += 1;
            contents.inodes.insert(inode, Inode { written_at: contents.operations, ..Inode::default() });
            contents.rename(vec![(name.to_owned(), Some(inode))]);
        })?;
        Ok(Box::new(MemoryFile { disk: self.clone(), inode }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let inode = self.inode(from)?;
        self.state().step(|contents| contents.rename(vec![(from.to_owned(), None), (to.to_owned(), Some(inode))]))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inode(name)?;
        self.state().step(|contents| contents.rename(vec![(name.to_owned(), None)]))
    }

    fn sync(&self) -> io::Result<()> {
        self.state().step(Contents::sync_names)
    }
}

/// A file that is appended to.
struct MemoryFile {
    disk: Disk,
    inode: u64,
}

impl Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.state().write(self.inode, bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Appending for MemoryFile {
    fn sync(&self) -> io::Result<()> {
        self.disk.state().step(|contents| {
            if let Some(file) = contents.inodes.get_mut(&self.inode) {
                file.durable = file.bytes.len();
            }
        })
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.disk.state().step(|contents| {
            if let Some(file) = contents.inodes.get_mut(&self.inode) {
                file.bytes.truncate(length);
                file.durable = file.durable.min(length);
            }
        })
    }
}

impl Home for Disk {
    type Tree = MemoryTree;

    fn journal(&self) -> Arc<dyn Folder> {
        Arc::new(self.clone())
    }

    fn roots(&self) -> Arc<dyn Folder> {
        self.journal()
    }

    fn has_tree(&self) -> bool {
        self.state().contents.trees.contains_key(&Slot::Placed)
    }

    fn open_tree(&self) -> Result<MemoryTree, StoreError> {
        let mut state = self.state();
        if state.contents.is_unreadable {
            return Err(StoreError::Damaged { what: "a page is corrupt" });
        }
        state.contents.trees.entry(Slot::Placed).or_default();
        Ok(MemoryTree { disk: self.clone(), slot: Slot::Placed })
    }

    fn begin_tree(&self) -> Result<MemoryTree, StoreError> {
        let begun = self.state().step(|contents| drop(contents.trees.insert(Slot::Begun, Rows::default())));
        begun.map_err(|error| StoreError::from_io("building the tree anew", &error))?;
        Ok(MemoryTree { disk: self.clone(), slot: Slot::Begun })
    }

    fn place_tree(&self, begun: MemoryTree) -> Result<MemoryTree, StoreError> {
        let placed = self.state().step(|contents| {
            if let Some(rows) = contents.trees.remove(&begun.slot) {
                contents.trees.insert(Slot::Placed, rows);
            }
        });
        placed.map_err(|error| StoreError::from_io("building the tree anew", &error))?;
        self.open_tree()
    }

    fn set_tree_aside(&self) -> Result<PathBuf, StoreError> {
        let moved = self.state().step(|contents| {
            contents.trees.remove(&Slot::Placed);
            contents.is_unreadable = false;
        });
        moved.map_err(|error| StoreError::from_io("setting a damaged folder aside", &error))?;
        Ok(PathBuf::from("tree.damaged"))
    }

    fn set_journal_aside(&self) -> Result<(), StoreError> {
        let moved = self.state().step(|contents| {
            let names = contents.names.keys().filter(|name| !roots::is_one(name)).map(|name| (name.clone(), None)).collect();
            contents.rename(names);
            contents.sync_names();
        });
        moved.map_err(|error| StoreError::from_io("setting a damaged folder aside", &error))
    }

    fn check_room(&self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }

    #[cfg(feature = "seeded-bugs")]
    fn takes_torn_frames(&self) -> bool {
        self.state().takes_torn_frames
    }
}
