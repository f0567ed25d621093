//! `doorstep admin …`: what administrators do, through the running server's admin API, with a session of their account or the token of its
//! data folder.

mod args;
mod audit;
mod client;
mod credential;
mod password;
mod print;

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use doorstep_core::field::Invitation;
use indicatif::ProgressBar;
use serde_json::{Value, json};

pub use args::*;
pub(super) use client::Client;
pub use password::PasswordArgs;

/// Where the server is, and what shows that an operator asks.
#[derive(Debug, clap::Args)]
pub struct ServerArgs {
    /// Where the server is
    #[arg(long, global = true, env = "DOORSTEP_ADMIN_SERVER", default_value = "http://127.0.0.1:7300")]
    pub server: String,
    /// The file with the operator's token, which the server writes into its data folder; if nothing is said and nobody has logged in, that
    /// in ./doorstep-data
    #[arg(long, global = true, env = "DOORSTEP_ADMIN_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The file with the session of a login; else the one in the user's folder for settings
    #[arg(long, global = true, env = "DOORSTEP_ADMIN_SESSION", value_name = "FILE")]
    pub session: Option<PathBuf>,
    /// A file with the certificates (PEM) that the server's must come from, instead of the web's
    #[arg(long, global = true, env = "DOORSTEP_ADMIN_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// What `doorstep admin` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
    /// The street, by name or id; may be left out when there is only one
    #[arg(long, global = true)]
    pub street: Option<String>,
    /// Print JSON, as the server answers it
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Log an account in; later commands are asked in its name
    Login {
        /// The account
        name: String,
        /// Its password.
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// End the session
    Logout,
    /// Give the account that is logged in another password, and end its other sessions
    Password {
        /// The present password.
        #[command(flatten)]
        present: PasswordArgs,
        /// A file whose first line is the new password, `-` for standard input; asked for at the terminal if left out
        #[arg(long, value_name = "FILE")]
        new_password_file: Option<PathBuf>,
    },
    /// Accounts of administrators
    #[command(subcommand)]
    Account(Account),
    /// Sensitive acts that another kind of administrator has to confirm
    #[command(subcommand)]
    Proposal(Proposal),
    /// The log of who did what
    #[command(subcommand)]
    Audit(Audit),
    /// Streets of this server
    #[command(subcommand)]
    Street(Street),
    /// Grids of a street
    #[command(subcommand)]
    Grid(Grid),
    /// People who work for a street
    #[command(subcommand)]
    Person(Person),
    /// Make a one-time code that makes a phone somebody's device
    Code {
        /// The person, by name or id
        person: String,
        /// The address at which phones reach the server, for the text of the QR code; else the one that this command used
        #[arg(long, value_name = "URL")]
        phones: Option<String>,
    },
    /// Phones: the list, and what to do about a lost one
    #[command(subcommand)]
    Device(Device),
    /// Rights of people to grids, or to the whole street
    #[command(subcommand)]
    Grant(Grant),
    /// Import a CSV file: all of it or nothing
    Import {
        /// What the file holds
        #[arg(value_parser = ["places", "households", "organisations"])]
        kind: String,
        /// The file, in UTF-8 or GB18030
        file: PathBuf,
    },
    /// Places: estates, buildings, alleys, yards
    Places(OfGrid),
    /// Erase a resident or a party: nobody reads the card any more, here and on every phone
    Erase {
        /// The record, by id
        document: String,
    },
    /// Redact what a record says at one place: nobody reads it any more, here and on every phone; the rest of the record stays
    Redact {
        /// The record, by id
        document: String,
        /// The place, as `erase` lists it: `remark`, `visits/<id>/findings`
        path: String,
    },
    /// Records that are evidence and may not be erased
    #[command(subcommand)]
    Hold(Hold),
    /// What was erased and redacted, and which phones have not yet confirmed that they destroyed it too
    Erasures,
    /// Households, names masked
    Households(OfGrid),
    /// Residents, names masked
    Residents(OfGrid),
    /// Organisations
    Organisations(OfGrid),
    /// Cases, the latest first
    Cases {
        /// Only those that are not closed
        #[arg(long)]
        open: bool,
        /// Of which grid.
        #[command(flatten)]
        of: OfGrid,
    },
    /// One document, by its id
    Show {
        /// The document
        id: String,
    },
    /// Events that arrived too late
    Late,
    /// What was refused, and why
    Quarantine,
    /// After a restore: phones that have still to give back what the server lost
    #[command(subcommand)]
    Reconciliation(Reconciliation),
    /// Documents of a kind with the digest of their state, for comparing replicas
    Documents {
        /// The kind
        #[arg(long, value_parser = ["place", "household", "resident", "organisation", "party", "case"])]
        kind: String,
    },
}

/// Of which grid a list is.
#[derive(Debug, clap::Args)]
pub struct OfGrid {
    /// Only of this grid, by name or id
    #[arg(long)]
    pub grid: Option<String>,
}

/// Does what the command line says.
///
/// # Errors
/// When the server is not reached, refuses, or a file cannot be read.
pub fn run(args: Args) -> anyhow::Result<()> {
    let client = match &args.command {
        Command::Login { .. } | Command::Audit(Audit::Verify { data: Some(_) }) => Client::anonymous(&args.server)?,
        _ => Client::of(&args.server)?,
    };
    let answer = perform(&client, &args)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        print::answer(&args.command, &answer);
    }
    let broken = answer.get("broken").and_then(Value::as_array).map_or(0, Vec::len);
    anyhow::ensure!(broken == 0, "the audit log is not whole");
    Ok(())
}

/// Logs in and keeps the session. The answer is shown without its tokens.
fn log_in(client: &Client, server: &ServerArgs, name: &str, password: &PasswordArgs) -> anyhow::Result<Value> {
    let file = credential::session_file(server)?;
    let (answered, session) = client.log_in(name, &password.read()?)?;
    session.write(&file)?;
    let part = |key: &str| answered.get(key).cloned().unwrap_or_default();
    Ok(json!({ "account": part("account"), "kind": part("kind"), "expires_at": part("expires_at"), "session": file }))
}

fn perform(client: &Client, args: &Args) -> anyhow::Result<Value> {
    let of_street = |path: &str| -> anyhow::Result<String> { Ok(format!("streets/{}/{path}", client.street(args.street.as_deref())?)) };
    match &args.command {
        Command::Login { name, password } => log_in(client, &args.server, name, password),
        Command::Logout => client.post("logout", &json!({})),
        Command::Password { present, new_password_file } => {
            let next = PasswordArgs { password_file: new_password_file.clone() };
            client.post("password", &json!({ "present": present.read()?, "next": next.choose()? }))
        }
        Command::Account(Account::Add { name, kind, password }) => {
            client.post("accounts", &json!({ "name": name, "kind": kind, "password": password.choose()? }))
        }
        Command::Account(Account::List) => client.get("accounts", &[]),
        Command::Account(Account::Disable { name }) => client.post(&format!("accounts/{}/disable", segment(name)), &json!({})),
        Command::Proposal(Proposal::List) => client.get("proposals", &[]),
        Command::Proposal(Proposal::Confirm { id }) => client.post(&format!("proposals/{}/confirm", segment(id)), &json!({})),
        Command::Audit(Audit::List { since }) => {
            let since = since.map_or(0, |day| day.begins_at().0).to_string();
            client.pages("audit", &[("since", &since)])
        }
        Command::Audit(Audit::Verify { data: Some(folder) }) => Ok(serde_json::to_value(audit::verify_folder(folder)?)?),
        Command::Audit(Audit::Verify { data: None }) => client.get("audit/verify", &[]),
        Command::Street(Street::List) => client.get("streets", &[]),
        Command::Street(Street::Add { name, centres }) => client.post("streets", &json!({ "name": name, "centres": centres })),
        Command::Grid(Grid::Add { names, community }) => {
            client.post(&of_street("grids")?, &json!({ "names": names, "community": community }))
        }
        Command::Grid(Grid::Reassign { grid, to }) => {
            client.post(&of_street(&format!("grids/{}/reassign", segment(grid)))?, &json!({ "person": to }))
        }
        Command::Grid(Grid::Take { grid, places }) => {
            client.post(&of_street(&format!("grids/{}/take", segment(grid)))?, &json!({ "places": places }))
        }
        Command::Grid(Grid::List) => Ok(part(client.get(of_street("")?.trim_end_matches('/'), &[])?, "grids")),
        Command::Person(Person::Add { name, role, grids }) => {
            client.post(&of_street("people")?, &json!({ "name": name, "role": role, "grids": grids }))
        }
        Command::Person(Person::Show { person }) => client.get(&of_street(&format!("people/{}", segment(person)))?, &[]),
        Command::Person(Person::Export { document }) => client.get(&of_street(&format!("documents/{}/copy", segment(document)))?, &[]),
        Command::Person(Person::List) => Ok(part(client.get(of_street("")?.trim_end_matches('/'), &[])?, "people")),
        Command::Code { person, phones } => {
            let mut answer = client.post(&of_street("codes")?, &json!({ "person": person }))?;
            let server = phones.clone().unwrap_or_else(|| client.server().to_owned());
            let code = answer.get("code").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(answer) = answer.as_object_mut() {
                answer.insert("invitation".into(), json!(Invitation { server, code }.to_string()));
            }
            Ok(answer)
        }
        Command::Erase { document } => client.post(&of_street(&format!("documents/{}/erase", segment(document)))?, &json!({})),
        Command::Redact { document, path } => {
            client.post(&of_street(&format!("documents/{}/redact", segment(document)))?, &json!({ "path": path }))
        }
        Command::Hold(Hold::Add { document, reason }) => {
            client.post(&of_street("holds")?, &json!({ "document": document, "reason": reason }))
        }
        Command::Hold(Hold::List) => client.get(&of_street("holds")?, &[]),
        Command::Hold(Hold::End { document }) => client.post(&of_street(&format!("holds/{}/end", segment(document)))?, &json!({})),
        Command::Erasures => client.get(&of_street("erasures")?, &[]),
        Command::Device(Device::List) => client.get(&of_street("devices")?, &[]),
        Command::Device(Device::Report { id }) => client.get(&of_street(&format!("devices/{}", segment(id)))?, &[]),
        Command::Device(Device::Revoke { id }) => {
            client.post(&of_street(&format!("devices/{}/end", segment(id)))?, &json!({ "why": "revoked" }))
        }
        Command::Device(Device::Lost { id }) => {
            let of_device = of_street(&format!("devices/{}", segment(id)))?;
            client.post(&format!("{of_device}/end"), &json!({ "why": "lost" }))?;
            client.get(&of_device, &[])
        }
        Command::Grant(Grant::Give { of: OfGrant { person, grid, case }, role, from, until }) => {
            let grant = json!({ "person": person, "grid": grid, "case": case, "role": role, "from": from, "until": until });
            client.post(&of_street("grants")?, &grant)
        }
        Command::Grant(Grant::End { of }) => client.post(&of_street("grants/end")?, &json!(of)),
        Command::Import { kind, file } => {
            let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
            import(client, &of_street(&format!("import/{kind}"))?, &bytes)
        }
        Command::Places(of) => client.pages(&of_street("places")?, &of.query()),
        Command::Households(of) => client.pages(&of_street("households")?, &of.query()),
        Command::Residents(of) => client.pages(&of_street("residents")?, &of.query()),
        Command::Organisations(of) => client.pages(&of_street("organisations")?, &of.query()),
        Command::Cases { open, of } => {
            let mut query = of.query();
            query.extend(open.then_some(("open", "true")));
            client.pages(&of_street("cases")?, &query)
        }
        Command::Show { id } => client.get(&of_street(&format!("documents/{}", segment(id)))?, &[]),
        Command::Late => client.get(&of_street("late")?, &[]),
        Command::Quarantine => client.get(&of_street("quarantine")?, &[]),
        Command::Reconciliation(Reconciliation::List) => client.get(&of_street("reconciliation")?, &[]),
        Command::Reconciliation(Reconciliation::End) => client.post(&of_street("reconciliation/end")?, &json!({})),
        Command::Documents { kind } => client.pages(&of_street("documents")?, &[("kind", kind)]),
    }
}

impl OfGrid {
    fn query(&self) -> Vec<(&str, &str)> {
        self.grid.iter().map(|grid| ("grid", grid.as_str())).collect()
    }
}

fn import(client: &Client, path: &str, bytes: &[u8]) -> anyhow::Result<Value> {
    let bar = ProgressBar::new(0);
    let imported = client.import(path, bytes, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    imported
}

/// A name as one segment of a path.
fn segment(name: &str) -> impl std::fmt::Display + '_ {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC)
}

fn part(mut whole: Value, name: &str) -> Value {
    whole.get_mut(name).map(Value::take).unwrap_or_default()
}
