//! What a worker can send to whoever looks for a fault: one JSON without personal data.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use doorstep_core::docs::DocKind;
use doorstep_core::field::{Engine, SyncStatus};
use doorstep_core::model::Millis;
use serde_json::json;

use crate::shared::lock;

/// How many rounds and how many troubles are remembered.
const MOST: usize = 50;

/// What happened lately, in memory.
#[derive(Default)]
pub(crate) struct Log {
    rounds: Mutex<VecDeque<Round>>,
    troubles: Mutex<VecDeque<String>>,
}

struct Round {
    at: Millis,
    took: Duration,
    code: String,
    accepted: usize,
    received: usize,
}

impl Log {
    /// A round came to its end; `code` is `ok` or that of its error.
    pub(crate) fn round(&self, at: Millis, took: Duration, code: &str, status: &SyncStatus) {
        let exchanged = status.exchanged;
        push(&self.rounds, Round { at, took, code: code.to_owned(), accepted: exchanged.accepted, received: exchanged.received });
    }

    /// The app's own code threw, or something panicked: where and what, without what it was about.
    pub(crate) fn trouble(&self, place: &str, what: &str) {
        push(&self.troubles, format!("{place}: {}", what.chars().take(200).collect::<String>()));
    }
}

fn push<T>(list: &Mutex<VecDeque<T>>, entry: T) {
    let mut list = lock(list);
    if list.len() == MOST {
        list.pop_front();
    }
    list.push_back(entry);
}

/// The JSON. Ids of the device and of what waits are in it, names and words are not.
pub(crate) fn diagnostics(engine: &Engine, log: &Log) -> Result<String, doorstep_core::field::FieldError> {
    let status = engine.status();
    let mut counts = serde_json::Map::new();
    for kind in DocKind::ALL {
        counts.insert(kind.name().to_owned(), engine.documents(kind)?.len().into());
    }
    let rounds: Vec<_> = lock(&log.rounds)
        .iter()
        .map(|round| {
            json!({ "at": round.at.0, "ms": round.took.as_millis() as u64, "code": round.code, "accepted": round.accepted, "received": round.received })
        })
        .collect();
    let waiting: Vec<_> = engine
        .waiting()
        .iter()
        .map(|record| json!({ "group": record.group.to_string(), "recorded_at": record.recorded_at.0, "sending": record.sending }))
        .collect();
    let said = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": doorstep_core::sync::PROTOCOL_VERSION,
        "system": std::env::consts::OS,
        "processor": std::env::consts::ARCH,
        "device": engine.identity().map(|identity| identity.device.to_string()),
        "documents": counts,
        "phase": status.phase.code(),
        "pending": status.pending,
        "oldest_pending": status.oldest_pending.map(|at| at.0),
        "refused": status.refused,
        "inbox": status.inbox,
        "last_success": status.last_success.map(|at| at.0),
        "failed_attempts": status.failed_attempts,
        "next_attempt": status.next_attempt.map(|at| at.0),
        "last_error": status.last_error,
        "clock_offset_ms": status.clock_offset_ms,
        "complete": status.bootstrap.complete,
        "waiting": waiting,
        "rounds": rounds,
        "troubles": *lock(&log.troubles),
    });
    Ok(said.to_string())
}
