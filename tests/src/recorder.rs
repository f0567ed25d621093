//! A phone in a process of its own, which works until it is killed (the program is `src/bin/recorder.rs`), and what it promised by then.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::str::FromStr;

use doorstep_core::docs::DocKind;
use doorstep_core::model::{CaseId, HouseholdId, VisitId, VisitSubject};

use crate::phone::Phone;

/// A line of the recorder: something that a command of the engine answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// The store is open.
    Open,
    /// A visit is recorded.
    Visit(HouseholdId, VisitId),
    /// An issue is recorded.
    Case(CaseId),
    /// A sync was whole.
    Synced,
}

impl Promise {
    /// Whether it is of something recorded.
    pub const fn is_of_a_record(&self) -> bool {
        matches!(self, Self::Visit(..) | Self::Case(_))
    }
}

/// What was promised and is not on the phone. Reads every door and the list of cases once.
pub fn lost(promised: &[Promise], phone: &Phone) -> Vec<Promise> {
    let of_door = |door: HouseholdId| phone.engine.visits(VisitSubject::Household(door)).unwrap().into_iter().map(|visit| visit.id);
    let visits: BTreeSet<VisitId> = phone.households().into_iter().flat_map(of_door).collect();
    let cases = phone.engine.documents(DocKind::Case).unwrap();
    let is_kept = |promise: &Promise| match promise {
        Promise::Open | Promise::Synced => true,
        Promise::Visit(_, visit) => visits.contains(visit),
        Promise::Case(case) => cases.contains(&(*case).into()),
    };
    promised.iter().filter(|promise| !is_kept(promise)).copied().collect()
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => write!(f, "open ."),
            Self::Visit(door, visit) => write!(f, "visit {door} {visit} ."),
            Self::Case(case) => write!(f, "case {case} ."),
            Self::Synced => write!(f, "synced ."),
        }
    }
}

impl FromStr for Promise {
    type Err = ();

    /// A line that was cut is none: the full stop is missing.
    fn from_str(line: &str) -> Result<Self, ()> {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["open", "."] => Ok(Self::Open),
            ["visit", door, visit, "."] => Ok(Self::Visit(door.parse().map_err(|_| ())?, visit.parse().map_err(|_| ())?)),
            ["case", case, "."] => Ok(Self::Case(case.parse().map_err(|_| ())?)),
            ["synced", "."] => Ok(Self::Synced),
            _ => Err(()),
        }
    }
}

/// The running process. Killed when it is dropped.
pub struct Recorder {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Recorder {
    /// Starts `program`, the recorder, on the folder of an enrolled phone; with a server it syncs in between.
    pub fn start(program: &str, folder: &Path, server: Option<&str>) -> Self {
        let mut child = Command::new(program).arg(folder).args(server).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits for so many promises.
    pub fn read(&mut self, promises: usize) -> Vec<Promise> {
        let promises: Vec<Promise> = self.lines.by_ref().take(promises).map(|line| line.unwrap().parse().unwrap()).collect();
        assert!(!promises.is_empty(), "the recorder has ended by itself");
        promises
    }

    /// Kills it (SIGKILL). What it had written into the pipe by then was promised too.
    pub fn kill(mut self) -> Vec<Promise> {
        assert!(self.child.try_wait().unwrap().is_none(), "the recorder has ended by itself");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.by_ref().map_while(Result::ok).filter_map(|line| line.parse().ok()).collect()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
