//! Disks of a test's own: file systems that can be copied while they are used, or are soon full. They need root and `mount`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A mounted file system, for as long as this lives.
pub struct Disk {
    /// Where it is.
    pub mounted_at: PathBuf,
}

impl Disk {
    /// Mounts the file system in a file, through a loop device. `None` where that cannot be.
    pub fn of_image(image: &Path, at: &Path) -> Option<Self> {
        Self::mount(&["-o", "loop", image.to_str()?], at)
    }

    /// A file system in memory of so many bytes. `None` where none can be.
    pub fn in_memory(bytes: u64, at: &Path) -> Option<Self> {
        Self::mount(&["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"], at)
    }

    fn mount(words: &[&str], at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).ok()?;
        let mounted = run("mount", &[words, &[at.to_str()?]].concat());
        mounted.then(|| Self { mounted_at: at.to_owned() })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["-l", self.mounted_at.to_str().unwrap_or_default()]);
    }
}

/// Runs a program of the system; whether it went well.
pub fn run(program: &str, words: &[&str]) -> bool {
    Command::new(program).args(words).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Whether this process may mount anything.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}
