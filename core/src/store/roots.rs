//! The roots of a store: the few bytes from which the keys in its rows hang, in two files of their own.
//!
//! Rows cannot be made to disappear: the journal, checkpoints, backups and the engine's log keep what was written for as long as it suits them. So
//! what must be forgettable is sealed under a key that stands here and nowhere else ([`vault`](super::vault)), and these files are written whole
//! and put in the place of the ones before. Two copies, since without them all that hangs from them is lost: the older of two that differ, or one
//! that is damaged, is replaced at the next writing.
//!
//! ```text
//! 8 bytes    "DSroots1"
//! 8 bytes    which writing it was (u64 be)
//! 4 bytes    CRC-32 of the writing's number and of what follows
//! …          the roots
//! ```

use std::io::{self, Read as _, Write as _};

use super::StoreError;
use super::journal::folder::Folder;

const MAGIC: &[u8; 8] = b"DSroots1";
/// The two copies, in the order in which they are written.
const NAMES: [&str; 2] = ["roots-1", "roots-2"];
/// The name under which a copy is written before it takes its place.
const UNFINISHED: &str = "roots.unfinished";
/// Far more than roots ever have: a file that is longer is not read whole.
const MOST_BYTES: u64 = 1 << 20;

/// Whether a file of a folder is one of these: where they lie in one folder with others.
#[cfg(any(test, feature = "simulated"))]
pub(super) fn is_one(name: &str) -> bool {
    name.starts_with("roots")
}

/// The roots, if any were written.
///
/// # Errors
/// [`StoreError::Damaged`] where there are copies and none is whole, or when the disk refuses.
pub(super) fn read(folder: &dyn Folder) -> Result<Option<Vec<u8>>, StoreError> {
    let (copies, found) = copies(folder).map_err(|error| StoreError::from_io("reading the roots", &error))?;
    match copies.into_iter().flatten().max_by_key(|(number, _)| *number) {
        Some((_, roots)) => Ok(Some(roots)),
        None if found => Err(StoreError::Damaged { what: "both copies of the roots" }),
        None => Ok(None),
    }
}

/// Puts roots in the place of those before, durably. When this returns both copies hold them and no file holds the former ones; after a cut the one or
/// the other do.
///
/// # Errors
/// When the disk refuses.
pub(super) fn write(folder: &dyn Folder, roots: &[u8]) -> Result<(), StoreError> {
    let written = || {
        folder.make()?;
        let (copies, _) = copies(folder)?;
        let number = copies.into_iter().flatten().map(|(number, _)| number + 1).max().unwrap_or(1);
        let bytes = [MAGIC.as_slice(), &number.to_be_bytes(), &check(number, roots).to_be_bytes(), roots].concat();
        for name in NAMES {
            let mut file = folder.create(UNFINISHED)?;
            file.write_all(&bytes)?;
            file.sync()?;
            drop(file);
            folder.rename(UNFINISHED, name)?;
            folder.sync()?;
        }
        Ok(())
    };
    written().map_err(|error| StoreError::from_io("writing the roots", &error))
}

/// Makes both copies alike where a cut or rot left them different: a former key may stand in the older one.
///
/// # Errors
/// As [`read`] and [`write`].
pub(super) fn heal(folder: &dyn Folder) -> Result<(), StoreError> {
    let (copies, found) = copies(folder).map_err(|error| StoreError::from_io("reading the roots", &error))?;
    match copies {
        [Some(one), Some(two)] if one == two => Ok(()),
        _ if found => read(folder)?.map_or(Ok(()), |roots| write(folder, &roots)),
        _ => Ok(()),
    }
}

/// Writes what [`read`] finds into another folder, if there is anything.
pub(super) fn copy(from: &dyn Folder, to: &dyn Folder) -> Result<(), StoreError> {
    read(from)?.map_or(Ok(()), |roots| write(to, &roots))
}

/// One copy: which writing it was, and what it holds.
type Copy = (u64, Vec<u8>);

/// The whole copies, and whether there is any file of one.
fn copies(folder: &dyn Folder) -> io::Result<([Option<Copy>; 2], bool)> {
    let mut copies = [None, None];
    let mut found = false;
    if !folder.is_there() {
        return Ok((copies, found));
    }
    let names = folder.names()?;
    for (copy, name) in copies.iter_mut().zip(NAMES) {
        if names.iter().any(|there| there == name) {
            found = true;
            let mut bytes = Vec::new();
            folder.open(name)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
            *copy = whole(&bytes);
        }
    }
    Ok((copies, found))
}

fn whole(bytes: &[u8]) -> Option<Copy> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (found, roots) = rest.split_first_chunk::<4>()?;
    let number = u64::from_be_bytes(*number);
    (check(number, roots) == u32::from_be_bytes(*found)).then(|| (number, roots.to_vec()))
}

fn check(number: u64, roots: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_be_bytes());
    hasher.update(roots);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::journal::folder::DiskFolder;

    #[test]
    fn one_whole_copy_is_enough_and_two_broken_ones_are_an_error() {
        let home = tempfile::tempdir().unwrap();
        let folder = DiskFolder::at(home.path().join("vault"));
        assert_eq!(read(&*folder).unwrap(), None);
        write(&*folder, b"first").unwrap();
        write(&*folder, b"second").unwrap();
        assert_eq!(read(&*folder).unwrap().as_deref(), Some(&b"second"[..]));
        let path = |name: &str| home.path().join("vault").join(name);
        for name in NAMES {
            let mut bytes = fs::read(path(name)).unwrap();
            assert!(!bytes.windows(5).any(|window| window == b"first"), "the former roots are in no file");
            bytes[25] ^= 1;
            fs::write(path(name), bytes).unwrap();
            let is_last = name == NAMES[1];
            assert_eq!(read(&*folder).is_err(), is_last);
        }
    }

    #[test]
    fn of_two_copies_that_differ_the_later_writing_counts() {
        let home = tempfile::tempdir().unwrap();
        let folder = DiskFolder::at(home.path());
        write(&*folder, b"first").unwrap();
        let before = fs::read(home.path().join(NAMES[1])).unwrap();
        write(&*folder, b"second").unwrap();
        fs::write(home.path().join(NAMES[1]), before).unwrap();
        assert_eq!(read(&*folder).unwrap().as_deref(), Some(&b"second"[..]));
        write(&*folder, b"third").unwrap();
        assert_eq!(fs::read(home.path().join(NAMES[0])).unwrap(), fs::read(home.path().join(NAMES[1])).unwrap());
    }
}
