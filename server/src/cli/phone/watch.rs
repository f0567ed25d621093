//! Staying connected: what arrives and what was sent, line by line, until Ctrl-C.

use std::io::{self, Write};

use doorstep_core::docs::DocKind;
use doorstep_core::field::{Bell, FieldError, Watched, WebSocketTransport};
use doorstep_core::model::{Clock as _, DocId};
use serde::Serialize;

use super::index::Index;
use super::page::{Page, Show};
use super::{Phone, PhoneError};
use crate::cli::serve::stop_signal;
use crate::cli::text::{Lang, Text};
use crate::system::SystemClock;

/// How many records of one message are named; of more, their number is told.
const MOST_NAMED: usize = 20;

/// A record that came.
#[derive(Debug, Serialize)]
struct Arrival {
    id: String,
    kind: &'static str,
    name: String,
}

/// What happened: in JSON an object with the name of what it was under `event`.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Happened {
    Connected { server: String },
    Exchanged { accepted: usize, refused_now: usize, received: usize, arrived: Vec<Arrival> },
    Pushed { received: usize, arrived: Vec<Arrival> },
    Lost { code: String, next_attempt: Option<i64> },
    Stopped { pending: usize },
}

impl Show for Happened {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Connected { server } => writeln!(out, "{}", lang.fill(Text::LiveConnected, &[("server", server)]))?,
            Self::Exchanged { accepted, refused_now, received, arrived } => {
                writeln!(out, "{}", lang.fill(Text::LiveExchanged, &[("sent", &(accepted + refused_now)), ("received", received)]))?;
                if *refused_now > 0 {
                    writeln!(out, "{}", lang.fill(Text::RefusedNow, &[("n", refused_now)]))?;
                }
                lines(arrived, *received, lang, out)?;
            }
            Self::Pushed { received, arrived } => lines(arrived, *received, lang, out)?,
            Self::Lost { code, next_attempt } => {
                let now = SystemClock.now().0;
                let seconds = next_attempt.map_or(0, |at| at.saturating_sub(now).max(0).unsigned_abs().div_ceil(1_000));
                writeln!(out, "{}", lang.fill(Text::RetryIn, &[("why", &lang.failure(code)), ("seconds", &seconds)]))?;
            }
            Self::Stopped { pending: 0 } => writeln!(out, "{}", lang.say(Text::LiveStopped))?,
            Self::Stopped { pending } => writeln!(out, "{}", lang.fill(Text::LiveStoppedWaiting, &[("n", pending)]))?,
        }
        out.flush()
    }
}

fn lines(arrived: &[Arrival], received: usize, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    for arrival in arrived {
        writeln!(out, "{}", lang.fill(Text::LiveArrived, &[("kind", &lang.kind(arrival.kind)), ("name", &arrival.name)]))?;
    }
    match received.saturating_sub(arrived.len()) {
        0 => Ok(()),
        more => writeln!(out, "{}", lang.fill(Text::AndMore, &[("n", &more)])),
    }
}

pub(super) fn watch(phone: &Phone, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let identity = phone.engine.identity().ok_or(FieldError::NotEnrolled)?;
    let transport = match &phone.authority {
        Some(authority) => WebSocketTransport::with_authority(&identity.server, authority)?,
        None => WebSocketTransport::new(&identity.server)?,
    };
    page.progress(Text::Syncing, &[("server", &identity.server)]);
    let bell = Bell::new();
    stop_at_signal(bell.clone())?;
    let mut failed = None;
    phone.engine.watch(&transport, &bell, &mut |watched| {
        let shown = happened(phone, &identity.server, watched).and_then(|happened| Ok(page.show(&happened)?));
        if let Err(error) = shown {
            failed = Some(error); // who read has gone, or the disk is: nothing is left to watch for
            bell.stop();
        }
    })?;
    match failed {
        Some(error) => Err(error),
        None => Ok(page.show(&Happened::Stopped { pending: phone.engine.status().pending })?),
    }
}

fn happened(phone: &Phone, server: &str, watched: &Watched) -> Result<Happened, PhoneError> {
    Ok(match watched {
        Watched::Connected => Happened::Connected { server: server.to_owned() },
        Watched::Exchanged { exchanged, arrived } => Happened::Exchanged {
            accepted: exchanged.accepted,
            refused_now: exchanged.refused,
            received: arrived.len(),
            arrived: named(phone, arrived)?,
        },
        Watched::Pushed { arrived } => Happened::Pushed { received: arrived.len(), arrived: named(phone, arrived)? },
        Watched::Lost { failure, next_attempt } => {
            Happened::Lost { code: failure.code().to_owned(), next_attempt: next_attempt.map(|at| at.0) }
        }
    })
}

fn named(phone: &Phone, arrived: &[(DocKind, DocId)]) -> Result<Vec<Arrival>, PhoneError> {
    if arrived.is_empty() {
        return Ok(Vec::new());
    }
    let index = Index::read(phone)?;
    let name = |(kind, id): &(DocKind, DocId)| {
        let name = index.document(phone, *kind, *id)?.word();
        Ok(Arrival { id: id.to_string(), kind: kind.name(), name })
    };
    arrived.iter().take(MOST_NAMED).map(name).collect()
}

/// Stops the watch at Ctrl-C; a second one ends the process. The thread that hears of it ends with the process.
fn stop_at_signal(bell: Bell) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signal = {
        let _inside = runtime.enter();
        stop_signal()?
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            signal.await;
            bell.stop();
            std::future::pending::<()>().await;
        });
    });
    Ok(())
}
