//! The trace: a digest of all that happened, so that two runs of a seed can be compared, and, on request, its lines for a person.

/// What happened so far.
pub struct Trace {
    digest: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// A new trace; with `verbose` it keeps its lines.
    pub fn new(verbose: bool) -> Self {
        Self { digest: 0xcbf2_9ce4_8422_2325, lines: verbose.then(Vec::new) }
    }

    /// Takes bytes into the digest: FNV-1a (Fowler, Noll, Vo), 64 bits. Nobody tries to cheat here.
    pub fn note(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&(bytes.len() as u32).to_be_bytes()) {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Takes a line, which is only written when somebody wants to read it.
    pub fn line(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(line());
        }
    }

    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// The lines, if they were kept.
    pub fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}
