//! The key of a sealed folder, in a file: what Keystore and Keychain are to an app. Made with a new store, for its owner only, and never written over.

use std::io::{self, Read as _, Write as _};
use std::path::Path;

use doorstep_core::model::Entropy;
use doorstep_core::store::StoreKey;

use super::PhoneError;

/// Reads the key, or makes one where there is no file and `may_make`. Refuses a file that others may read, and one that is no key.
pub(super) fn read_or_make(path: &Path, may_make: bool, entropy: &mut dyn Entropy) -> Result<StoreKey, PhoneError> {
    let failed = |error: io::Error| PhoneError::File { path: path.to_owned(), kind: error.kind() };
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && may_make => return make(path, entropy).map_err(failed),
        opened => opened.map_err(failed)?,
    };
    if is_open_to_others(&file).map_err(failed)? {
        return Err(PhoneError::KeyFileOpen { path: path.to_owned() });
    }
    let mut bytes = Vec::with_capacity(StoreKey::BYTES + 1);
    file.take(StoreKey::BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    StoreKey::try_from(bytes.as_slice()).map_err(|_| PhoneError::KeyFileUnfit { path: path.to_owned() })
}

/// Makes a key and returns when its file, and the file's name, are on the disk: a store without its key is lost.
fn make(path: &Path, entropy: &mut dyn Entropy) -> io::Result<StoreKey> {
    let key = StoreKey::make(entropy);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(key.as_bytes())?;
    file.sync_all()?;
    #[cfg(unix)]
    if let Some(folder) = path.canonicalize()?.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(key)
}

/// Destroys a key: its bytes are overwritten before its file goes. May be repeated.
pub(super) fn destroy(path: &Path) -> io::Result<()> {
    let opened = std::fs::OpenOptions::new().write(true).open(path);
    let mut file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    file.write_all(&[0; StoreKey::BYTES])?;
    file.sync_all()?;
    std::fs::remove_file(path)
}

#[cfg(unix)]
fn is_open_to_others(file: &std::fs::File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

/// Elsewhere the folder's own rights decide.
#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::File) -> io::Result<bool> {
    Ok(false)
}
