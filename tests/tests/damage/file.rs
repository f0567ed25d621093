//! What can happen to a file.

use std::fs;
use std::path::{Path, PathBuf};

use doorstep_tests::torture::Torture;

/// The smallest part of a disk that rots as a whole.
const PAGE: usize = 4_096;

/// A harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// One bit flips.
    Bit,
    /// A page turns to zeros.
    Page,
    /// The end is missing.
    Cut,
    /// Nothing is left but the name.
    Emptied,
    /// It is gone.
    Gone,
}

impl Harm {
    pub const ALL: [Self; 5] = [Self::Bit, Self::Page, Self::Cut, Self::Emptied, Self::Gone];

    /// Does it to a file, somewhere.
    pub fn befall(self, file: &Path, torture: &mut Torture) {
        let mut bytes = fs::read(file).unwrap();
        let place = torture.below(bytes.len());
        match self {
            Self::Gone => return fs::remove_file(file).unwrap(),
            Self::Emptied => bytes.clear(),
            Self::Cut => bytes.truncate(place),
            Self::Page => {
                let (first, end) = (place / PAGE * PAGE, (place / PAGE * PAGE + PAGE).min(bytes.len()));
                bytes[first..end].fill(0);
            }
            Self::Bit => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 1 << torture.below(8);
                }
            }
        }
        fs::write(file, bytes).unwrap();
    }
}

/// The files of a folder whose names begin and end so, in order.
pub fn files(folder: &Path, begin: &str, end: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_wanted = |path: &PathBuf| path.file_name().unwrap().to_str().is_some_and(|name| name.starts_with(begin) && name.ends_with(end));
    let mut files: Vec<PathBuf> = names.filter(is_wanted).collect();
    files.sort();
    files
}

/// Copies a folder with everything in it.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy_folder(&entry.path(), &target) } else { fs::copy(entry.path(), target).map(drop).unwrap() }
    }
}
