//! `doorstep phone`: a phone in the terminal, on the engine that the apps use. One folder is one phone.
//!
//! Promise: it is the real thing. A command returns when what it recorded is on this folder's disk; without a network nothing is slower and
//! nothing is lost; `sync` exchanges everything in one round trip. So what is tried here is what a phone does, and `--json` makes it usable
//! in scripts and tests.
//!
//! How things are named. Lists show a short id: the end of the id's text, at least four characters and always with a letter in it, so that
//! it is never taken for a door number; ids made in the same second begin alike, so ends tell them apart. Wherever a record is to be named,
//! its whole id, a unique beginning or a unique end of it does (four characters or more), or words that find exactly one record as `search`
//! finds them: `3栋1单元301`, `zs`, `张三`. Words that find several are answered with the candidates and nothing is done.
//!
//! Text is in simplified Chinese or English (`--lang`, else by the environment); all of it stands in [`text`](crate::cli::text). Telephone
//! and identity numbers are masked but for their last four characters; `show --reveal` shows those of the record itself.
//!
//! # The JSON of the reading commands
//!
//! Stable: names are never changed or taken away, later versions add. Times are milliseconds since 1970 in UTC, days `2026-11-24`, what is
//! unknown is `null`. Codes are those of the documents (`not-at-home`, `fire-safety`); ids are whole.
//!
//! | command | answer |
//! |---|---|
//! | `status` | `person`, `device`, `server`, `street`, `grids: [ref]`, `documents: {place, household, …}`, `queue` |
//! | `sync` | `round_trips`, `accepted`, `refused_now`, `received`, `queue` |
//! | `watch` | one object a line, each with `event`: `connected` (`server`), `exchanged` (`accepted`, `refused_now`, `received`, `arrived`), `pushed` (`received`, `arrived`), `lost` (`code`, `next_attempt`), `stopped` (`pending`); `arrived: [{id, kind, name}]`, of many the first 20 |
//! | `places`, `households`, `residents`, `organisations`, `due`, `cases` | an object with one key, the command's name: `[row]` |
//! | `search` | `found: [row and `found_in`: `name`, `pinyin`, `door`, `text`]` |
//! | `show` | the record: `id`, `short`, `kind`, its fields, `tags`, `visits`, `notes`, `attachments`, `timeline`, `conflicts`, as its kind has them |
//! | `refused` | `refused: [{group, short, what, subject: ref, code, recorded_at, refused_at, here, lines: [{field, text}]}]` |
//! | `inbox` | `inbox: [{group, short, author, arrived_at, subjects: [ref], lines: [{field, text}]}]`; after a decision `decided: [group]`, `adopted` |
//! | `mail pack`, `mail carry` | `packed`; `carried`, `refused` |
//! | the others | `{id, kind}` of what was recorded, and `sync` |
//!
//! - a *row*: `id`, `short`, `kind`, what its list shows, `grid: ref`, `conflicted`, and whether it has arrived: `sync` (`local`,
//!   `sending`, `accepted`, `refused`), with `refusal` (a code) if it was refused
//! - a *ref*: `{id, name}`
//! - *queue*: `phase`, `pending`, `oldest_pending`, `refused`, `inbox`, `last_success`, `failed_attempts`, `next_attempt`, `last_error`,
//!   `clock_offset_ms`, `bootstrap: {documents, documents_total, bytes, bytes_total, usable, complete}`
//! - *conflicts*: `[{field, values: [{value, by: ref, at, shown}]}]`, the value that is shown last
//! - a failure: exit code 1 and `{"error": {"code", "message"}}`, with `next` where something can be done and `candidates` where a name
//!   fits several records
//!
//! Left to others: what a command checks and how it is sent (`doorstep_core::field`), and the numbers of a whole street (`doorstep admin`).

mod case;
mod error;
mod household;
mod inbox;
mod index;
mod issue;
mod key;
mod list;
mod mail;
mod mark;
mod note;
mod order;
mod organisation;
mod page;
mod place;
mod refused;
mod resident;
mod row;
mod show;
mod store;
mod sync;
mod value;
mod visit;
mod watch;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use doorstep_core::field::Engine;
use doorstep_core::model::{Clock, Entropy};

use crate::cli::text::Lang;
use crate::system::{SystemClock, SystemEntropy};
use error::PhoneError;
use page::Page;

/// What `doorstep phone` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The phone's folder; one folder is one phone
    #[arg(long, global = true, value_name = "FOLDER", env = "DOORSTEP_PHONE", default_value = "./doorstep-phone")]
    pub store: PathBuf,
    /// A file with the 32 bytes of the key that the folder is sealed with; made, for its owner only, when a new folder is enrolled
    #[arg(long, global = true, value_name = "FILE", env = "DOORSTEP_PHONE_KEY_FILE")]
    pub key_file: Option<PathBuf>,
    /// A file with the certificates (PEM) that the server's must come from, instead of the web's: where the district has an authority of
    /// its own
    #[arg(long, global = true, value_name = "FILE", env = "DOORSTEP_PHONE_CA")]
    pub ca: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// The language of the answers; else that of the environment (LC_ALL, LC_MESSAGES, LANG)
    #[arg(long, global = true, value_name = "LANG")]
    pub lang: Option<Lang>,
    /// What to do; `status` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What a phone can do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// 注册 Trade a one-time code for an identity
    Enrol(sync::EnrolArgs),
    /// 退出 Give this phone up: with the next sync what waits is sent, and everything here is erased
    SignOut,
    /// 状态 Say who this phone is, what waits and what came of the last sync
    Status,
    /// 同步 Send what waits and fetch what changed
    Sync(sync::SyncArgs),
    /// 代送 Pack what waits for another's session to carry, or carry what others packed
    #[command(subcommand)]
    Mail(mail::Command),
    /// 保持连接 Stay connected: send and receive at once, and say what arrives, until Ctrl-C
    Watch,
    /// 楼栋街巷 List the places
    Places(list::GridArgs),
    /// 住户 List the households
    Households(list::HouseholdsArgs),
    /// 居民 List the residents
    Residents(list::GridArgs),
    /// 单位 List the organisations
    Organisations(list::GridArgs),
    /// 待走访 List the doors that want to be visited
    Due(list::DueArgs),
    /// 办件 List the open cases
    Cases(list::CasesArgs),
    /// 查找 Find by name, pinyin, door and text
    Search(list::SearchArgs),
    /// 详情 Show a record with everything that belongs to it
    Show(show::ShowArgs),
    /// 楼栋街巷 Add, change or remove a place
    #[command(subcommand)]
    Place(place::Command),
    /// 住户 Add, change or remove a household
    #[command(subcommand)]
    Household(household::Command),
    /// 居民 Add or change the card of a resident
    #[command(subcommand)]
    Resident(resident::Command),
    /// 单位 Add or change an organisation
    #[command(subcommand)]
    Organisation(organisation::Command),
    /// 加标签 Put tags on a place, household, resident or organisation
    Tag(note::TagArgs),
    /// 去标签 Take tags off
    Untag(note::TagArgs),
    /// 走访 Record a visit of a door, an organisation or a place, or amend one
    Visit(visit::VisitArgs),
    /// 上报诉求 Report an issue
    Issue(issue::IssueArgs),
    /// 办件处理 Note, register, return or close a case, or attach a file to it
    #[command(subcommand)]
    Case(case::Command),
    /// 备注 Add a note to any record
    Note(note::NoteArgs),
    /// 被退回 List what the server refused; send it again or let it go
    Refused(refused::RefusedArgs),
    /// 待接收 List late work of others that waits for your decision; take it or turn it down
    Inbox(inbox::InboxArgs),
}

/// An opened phone: its engine, and what its answers look like.
pub(crate) struct Phone {
    pub engine: Engine,
    /// The certificates of `--ca`.
    pub authority: Option<Vec<u8>>,
}

/// Runs the command and prints its answer to standard output, or what went wrong: to standard error, as JSON to standard output.
pub fn run(args: Args) -> ExitCode {
    let lang = args.lang.unwrap_or_else(Lang::of_environment);
    let json = args.json;
    let mut progress = io::stderr().lock();
    let mut page = Page::new(io::stdout().lock(), lang, json);
    if !json {
        page.show_progress_on(&mut progress);
    }
    let failed = match perform_in(args, Arc::new(SystemClock), Box::new(SystemEntropy), &mut page) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(PhoneError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS, // who reads has enough
        Err(failed) => failed,
    };
    let said = if json {
        page.json(&failed.to_json(lang))
    } else {
        drop(page);
        writeln!(progress, "{}", failed.to_text(lang))
    };
    // Nobody is left to be told when even that fails.
    let _ = said;
    ExitCode::FAILURE
}

/// Opens the folder and performs the command.
fn perform_in(args: Args, clock: Arc<dyn Clock>, entropy: Box<dyn Entropy>, page: &mut Page<'_>) -> Result<(), PhoneError> {
    let command = args.command.unwrap_or(Command::Status);
    let unreadable = |path: &PathBuf, error: io::Error| PhoneError::File { path: path.clone(), kind: error.kind() };
    let authority = args.ca.as_ref().map(|path| std::fs::read(path).map_err(|error| unreadable(path, error))).transpose()?;
    let opening = if matches!(command, Command::Enrol(_)) { store::Opening::ToEnrol } else { store::Opening::Enrolled };
    let store = store::open(&args.store, args.key_file.as_deref(), opening)?;
    let mark = store::mark(&args.store)?;
    let engine = Engine::open(store, clock, entropy, &mark)?;
    let phone = Phone { engine, authority };
    let done = perform(&phone, command, page);
    let is_wiped = phone.engine.is_wiped();
    drop(phone);
    if is_wiped {
        store::remove(&args.store, args.key_file.as_deref())?;
    }
    done
}

/// Performs the command on an opened phone.
pub(crate) fn perform(phone: &Phone, command: Command, page: &mut Page<'_>) -> Result<(), PhoneError> {
    match command {
        Command::Enrol(args) => sync::enrol(phone, &args, page),
        Command::SignOut => sync::sign_out(phone, page),
        Command::Status => sync::status(phone, page),
        Command::Sync(args) => sync::sync(phone, &args, page),
        Command::Mail(command) => mail::perform(phone, command, page),
        Command::Watch => watch::watch(phone, page),
        Command::Places(args) => list::places(phone, &args, page),
        Command::Households(args) => list::households(phone, &args, page),
        Command::Residents(args) => list::residents(phone, &args, page),
        Command::Organisations(args) => list::organisations(phone, &args, page),
        Command::Due(args) => list::due(phone, &args, page),
        Command::Cases(args) => list::cases(phone, &args, page),
        Command::Search(args) => list::search(phone, &args, page),
        Command::Show(args) => show::show(phone, &args, page),
        Command::Place(command) => place::perform(phone, command, page),
        Command::Household(command) => household::perform(phone, command, page),
        Command::Resident(command) => resident::perform(phone, command, page),
        Command::Organisation(command) => organisation::perform(phone, command, page),
        Command::Tag(args) => note::tag(phone, &args, true, page),
        Command::Untag(args) => note::tag(phone, &args, false, page),
        Command::Visit(args) => visit::perform(phone, args, page),
        Command::Issue(args) => issue::report(phone, args, page),
        Command::Case(command) => case::perform(phone, command, page),
        Command::Note(args) => note::note(phone, &args, page),
        Command::Refused(args) => refused::perform(phone, args, page),
        Command::Inbox(args) => inbox::perform(phone, args, page),
    }
}
