//! Who this phone is and how it reaches the server: enrolling, exchanging, the state of the queue.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use doorstep_core::docs::DocKind;
use doorstep_core::field::{
    Bell, BootstrapStatus, Driven, Exchanged, FieldError, HttpTransport, Identity, Invitation, Patience, SyncStatus, Transport,
};
use doorstep_core::model::{Clock as _, Invalid, Millis};
use serde::Serialize;

use super::index::Index;
use super::mark::Ref;
use super::page::{Page, Show};
use super::{Phone, PhoneError};
use crate::cli::text::{Lang, Text};
use crate::system::SystemClock;

/// What `enrol` takes.
#[derive(Debug, clap::Args)]
pub struct EnrolArgs {
    /// The server's address: https://doorstep.example.cn
    #[arg(long, value_name = "URL", required_unless_present = "invitation")]
    pub server: Option<String>,
    /// The one-time code from the administrator
    #[arg(long, value_name = "CODE", required_unless_present = "invitation")]
    pub code: Option<String>,
    /// What the administrator's QR code says, instead of both
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["server", "code"])]
    pub invitation: Option<Invitation>,
    /// What this phone is called in the list of devices
    #[arg(long, value_name = "NAME", default_value = "terminal")]
    pub label: String,
}

/// What `sync` takes.
#[derive(Debug, clap::Args)]
pub struct SyncArgs {
    /// Try again until the server is reached, at the engine's intervals
    #[arg(long)]
    pub retry: bool,
}

/// Who the phone is.
#[derive(Debug, Serialize)]
struct Own {
    person: Ref,
    device: String,
    server: String,
    street: Ref,
    grids: Vec<Ref>,
}

impl Own {
    fn of(phone: &Phone, index: &Index) -> Result<Self, PhoneError> {
        let Identity { device, person, street, name, server } = phone.engine.identity().ok_or(FieldError::NotEnrolled)?;
        Ok(Self {
            person: Ref { id: person.to_string(), name: Some(name) },
            device: device.to_string(),
            server,
            street: Ref { id: street.to_string(), name: index.directory().map(|directory| directory.name.clone()) },
            grids: phone.engine.my_grids().into_iter().filter_map(|grid| index.grid(Some(grid))).collect(),
        })
    }

    fn lines(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let grids: Vec<String> = self.grids.iter().map(Ref::word).collect();
        for (field, value) in [
            (Text::FieldPerson, self.person.word()),
            (Text::FieldStreet, self.street.name.clone().unwrap_or_default()),
            (Text::FieldGrids, grids.join(" ")),
            (Text::FieldServer, self.server.clone()),
        ] {
            if !value.is_empty() {
                writeln!(out, "{}", lang.line(field, &value))?;
            }
        }
        Ok(())
    }
}

#[derive(Debug, Serialize)]
struct Enrolled {
    #[serde(flatten)]
    own: Own,
}

impl Show for Enrolled {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", lang.fill(Text::Enrolled, &[("name", &self.own.person.word())]))?;
        writeln!(out, "{}", lang.say(Text::NextSync))
    }
}

/// The client of a server, which trusts whom the command line says.
pub(super) fn transport(phone: &Phone, server: &str) -> Result<HttpTransport, PhoneError> {
    Ok(match &phone.authority {
        Some(authority) => HttpTransport::with_authority(server, authority)?,
        None => HttpTransport::new(server)?,
    })
}

pub(super) fn enrol(phone: &Phone, args: &EnrolArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let named = || Some(Invitation { server: args.server.clone()?, code: args.code.clone()? });
    // The command line has made sure of one or the other.
    let Invitation { server, code } = args.invitation.clone().or_else(named).ok_or(Invalid::new("server", "is missing"))?;
    let transport = transport(phone, &server)?;
    phone.engine.enrol(&transport, &server, &code, &args.label)?;
    let own = Own::of(phone, &Index::read(phone)?)?;
    Ok(page.show(&Enrolled { own })?)
}

/// The queue.
#[derive(Debug, Serialize)]
struct Queue {
    phase: &'static str,
    pending: usize,
    oldest_pending: Option<i64>,
    refused: usize,
    inbox: usize,
    last_success: Option<i64>,
    failed_attempts: u32,
    next_attempt: Option<i64>,
    last_error: Option<String>,
    clock_offset_ms: i64,
    bootstrap: Download,
}

/// How far the first download has come.
#[derive(Debug, Serialize)]
struct Download {
    documents: u64,
    documents_total: u64,
    bytes: u64,
    bytes_total: u64,
    usable: bool,
    complete: bool,
}

impl From<BootstrapStatus> for Download {
    fn from(status: BootstrapStatus) -> Self {
        let BootstrapStatus { documents, documents_total, bytes, bytes_total, usable, complete } = status;
        Self { documents, documents_total, bytes, bytes_total, usable, complete }
    }
}

impl Download {
    /// Whether there is anything to tell: it is under way.
    const fn is_under_way(&self) -> bool {
        !self.complete && self.documents_total > 0
    }

    /// What has come, of what.
    fn tell<T>(&self, told: impl FnOnce(&[(&str, &dyn std::fmt::Display)]) -> T) -> T {
        let megabytes = |bytes: u64| format!("{}.{}", bytes / 1_000_000, bytes % 1_000_000 / 100_000);
        let (mb, all_mb) = (megabytes(self.bytes), megabytes(self.bytes_total));
        told(&[("n", &self.documents), ("all", &self.documents_total), ("mb", &mb), ("all_mb", &all_mb)])
    }

    fn lines(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        if !self.is_under_way() {
            return Ok(());
        }
        writeln!(out, "{}", self.tell(|values| lang.fill(Text::Download, values)))?;
        if self.usable { writeln!(out, "{}", lang.say(Text::DownloadUsable)) } else { Ok(()) }
    }
}

impl From<SyncStatus> for Queue {
    fn from(status: SyncStatus) -> Self {
        Self {
            phase: status.phase.code(),
            pending: status.pending,
            oldest_pending: status.oldest_pending.map(|at| at.0),
            refused: status.refused,
            inbox: status.inbox,
            last_success: status.last_success.map(|at| at.0),
            failed_attempts: status.failed_attempts,
            next_attempt: status.next_attempt.map(|at| at.0),
            last_error: status.last_error,
            clock_offset_ms: status.clock_offset_ms,
            bootstrap: status.bootstrap.into(),
        }
    }
}

/// A clock that is wrong by less, in milliseconds, is nothing to tell.
const OFFSET_TO_TELL: i64 = 30_000;

impl Queue {
    fn lines(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        self.bootstrap.lines(lang, out)?;
        match self.oldest_pending {
            Some(since) => writeln!(out, "{}", lang.fill(Text::Waiting, &[("n", &self.pending), ("since", &Millis(since))]))?,
            None => writeln!(out, "{}", lang.say(Text::NothingWaits))?,
        }
        if self.refused > 0 {
            writeln!(out, "{}", lang.fill(Text::RefusedWait, &[("n", &self.refused)]))?;
        }
        if self.inbox > 0 {
            writeln!(out, "{}", lang.fill(Text::InboxWaits, &[("n", &self.inbox)]))?;
        }
        match self.last_success {
            Some(at) => writeln!(out, "{}", lang.line(Text::FieldLastSync, &Millis(at).to_string()))?,
            None => writeln!(out, "{}", lang.say(Text::NeverSynced))?,
        }
        if let Some(error) = &self.last_error {
            let reason = lang.failure(error);
            writeln!(out, "{}", lang.fill(Text::FailedSince, &[("n", &self.failed_attempts), ("why", &reason)]))?;
        }
        if let Some(at) = self.next_attempt {
            writeln!(out, "{}", lang.fill(Text::NextAttempt, &[("at", &Millis(at))]))?;
        }
        if self.clock_offset_ms.abs() > OFFSET_TO_TELL {
            writeln!(out, "{}", lang.fill(Text::ClockWrong, &[("seconds", &(-self.clock_offset_ms / 1_000))]))?;
        }
        Ok(())
    }
}

#[derive(Debug, Serialize)]
struct Status {
    #[serde(flatten)]
    own: Own,
    documents: BTreeMap<&'static str, usize>,
    queue: Queue,
}

impl Show for Status {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        self.own.lines(lang, out)?;
        let counts =
            DocKind::ALL.iter().map(|kind| format!("{} {}", lang.kind(kind.name()), self.documents.get(kind.name()).unwrap_or(&0)));
        writeln!(out, "{}", lang.line(Text::FieldHere, &counts.collect::<Vec<_>>().join(" · ")))?;
        self.queue.lines(lang, out)
    }
}

pub(super) fn status(phone: &Phone, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let own = Own::of(phone, &Index::read(phone)?)?;
    let mut documents = BTreeMap::new();
    for kind in DocKind::ALL {
        documents.insert(kind.name(), phone.engine.documents(kind)?.len());
    }
    Ok(page.show(&Status { own, documents, queue: phone.engine.status().into() })?)
}

/// What giving a phone up says.
#[derive(Debug, Serialize)]
struct SigningOut {
    signing_out: bool,
    pending: usize,
}

impl Show for SigningOut {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", lang.fill(Text::SigningOut, &[("n", &self.pending)]))
    }
}

pub(super) fn sign_out(phone: &Phone, page: &mut Page<'_>) -> Result<(), PhoneError> {
    phone.engine.sign_out()?;
    Ok(page.show(&SigningOut { signing_out: true, pending: phone.engine.status().pending })?)
}

/// What an exchange came to.
#[derive(Debug, Serialize)]
struct Synced {
    wiped: bool,
    round_trips: u32,
    accepted: usize,
    refused_now: usize,
    received: usize,
    queue: Queue,
}

impl Show for Synced {
    fn show(&self, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let brought: [(&str, &dyn std::fmt::Display); 3] =
            [("trips", &self.round_trips), ("sent", &(self.accepted + self.refused_now)), ("received", &self.received)];
        writeln!(out, "{}", lang.fill(Text::Synced, &brought))?;
        if self.refused_now > 0 {
            writeln!(out, "{}", lang.fill(Text::RefusedNow, &[("n", &self.refused_now)]))?;
        }
        if self.wiped {
            return writeln!(out, "{}", lang.say(Text::Wiped));
        }
        self.queue.lines(lang, out)
    }
}

pub(super) fn sync(phone: &Phone, args: &SyncArgs, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let identity = phone.engine.identity().ok_or(FieldError::NotEnrolled)?;
    let transport: Arc<dyn Transport> = Arc::new(transport(phone, &identity.server)?);
    page.progress(Text::Syncing, &[("server", &identity.server)]);
    let lang = page.lang;
    let mut told = |driven: Driven<'_>| match driven {
        Driven::Progress(status) => {
            let Exchanged { accepted, received, .. } = status.exchanged;
            let download = Download::from(status.bootstrap);
            if download.is_under_way() {
                download.tell(|values| page.progress(Text::Download, values));
            } else {
                page.progress(Text::SyncProgress, &[("sent", &accepted), ("received", &received), ("n", &status.pending)]);
            }
        }
        Driven::Retrying { failure, at } => {
            page.progress(Text::RetryIn, &[("why", &lang.failure(failure.code())), ("seconds", &seconds_until(at))]);
        }
    };
    let patience = Patience { budget: None, retries: args.retry };
    let failure = match phone.engine.drive(&transport, &Bell::new(), patience, &mut told) {
        Ok(report) => {
            let Exchanged { accepted, refused, received } = report.exchanged;
            return Ok(page.show(&Synced {
                wiped: phone.engine.is_wiped(),
                round_trips: report.round_trips,
                accepted,
                refused_now: refused,
                received,
                queue: phone.engine.status().into(),
            })?);
        }
        Err(FieldError::Sync(failure)) => failure,
        Err(other) => return Err(other.into()),
    };
    let SyncStatus { pending, next_attempt, .. } = phone.engine.status();
    Err(PhoneError::NotSynced { failure, pending, next_attempt, wait_seconds: next_attempt.map_or(0, seconds_until) })
}

fn seconds_until(at: Millis) -> u64 {
    at.since(SystemClock.now()).max(0).unsigned_abs().div_ceil(1_000)
}
