//! What the commands of `doorstep admin` take.

use std::path::PathBuf;

use clap::Subcommand;
use doorstep_core::model::{Day, Role};

use super::PasswordArgs;

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum Account {
    /// Add one; once there has been one of each kind, another kind has to confirm it
    Add {
        /// The name that logs in
        name: String,
        /// What it is: who sets streets up, who gives people their rights, or who looks at what they did
        #[arg(long, value_parser = ["system", "security", "auditor"])]
        kind: String,
        /// Its first password.
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// List the accounts
    List,
    /// Disable one for ever, and end its sessions
    Disable {
        /// The account
        name: String,
    },
}

/// What can be done with proposals.
#[derive(Debug, Subcommand)]
pub enum Proposal {
    /// List those that wait
    List,
    /// Confirm one, and so have it done
    Confirm {
        /// The proposal
        id: String,
    },
}

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List the records
    List {
        /// From this day on, such as 2026-11-24
        #[arg(long, value_name = "DAY")]
        since: Option<Day>,
    },
    /// Read the whole log and say whether it is whole, and where not
    Verify {
        /// The data folder of a stopped server, or a backup, instead of a running server
        #[arg(long, value_name = "FOLDER")]
        data: Option<PathBuf>,
    },
}

/// What can be done with streets.
#[derive(Debug, Subcommand)]
pub enum Street {
    /// Add a street
    Add {
        /// Its name
        name: String,
        /// A centre of it; may be given several times
        #[arg(long = "centre")]
        centres: Vec<String>,
    },
    /// List the streets
    List,
}

/// What can be done with grids.
#[derive(Debug, Subcommand)]
pub enum Grid {
    /// Add grids
    Add {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
        /// The community that they belong to
        #[arg(long, default_value = "")]
        community: String,
    },
    /// List the grids
    List,
    /// Give a grid to another worker: whoever answered for it does so no longer
    Reassign {
        /// The grid, by name or id
        grid: String,
        /// The worker, by name or id
        #[arg(long)]
        to: String,
    },
    /// Move places into a grid, with the households, organisations and open cases there
    Take {
        /// The grid, by name or id
        grid: String,
        /// The places, by id
        #[arg(required = true)]
        places: Vec<String>,
    },
}

/// What can be done with people.
#[derive(Debug, Subcommand)]
pub enum Person {
    /// Add somebody
    Add {
        /// The name
        name: String,
        /// What the person is
        #[arg(long, default_value = "grid-worker", value_parser = roles())]
        role: String,
        /// A grid that the person answers for; may be given several times
        #[arg(long = "grid")]
        grids: Vec<String>,
    },
    /// List the people
    List,
    /// A copy of all that is held on a resident or a party, as JSON: for who asks what is known of them
    Export {
        /// The card, by id
        document: String,
    },
    /// One person with all rights, ended ones included
    Show {
        /// The person, by name or id
        person: String,
    },
}

/// What can be done with legal holds.
#[derive(Debug, Subcommand)]
pub enum Hold {
    /// Keep a record from being erased, whoever asks for it and whatever its age
    Add {
        /// The record, by id
        document: String,
        /// Why: the case at court, the inspection
        #[arg(long)]
        reason: String,
    },
    /// List the holds
    List,
    /// End a hold
    End {
        /// The record, by id
        document: String,
    },
}

/// What can be done with a reconciliation.
#[derive(Debug, Subcommand)]
pub enum Reconciliation {
    /// List the devices that are waited for
    List,
    /// Wait for nobody else: rulings are given again
    End,
}

/// What can be done with phones.
#[derive(Debug, Subcommand)]
pub enum Device {
    /// List the phones with when each was heard of last
    List,
    /// What is, or was, on a phone
    Report {
        /// The device
        id: String,
    },
    /// End a phone: it is sent nothing any more, what it still sends goes to quarantine, and it is told to erase itself
    Revoke {
        /// The device
        id: String,
    },
    /// The same for a phone that was lost; prints what was on it
    Lost {
        /// The device
        id: String,
    },
}

/// What can be done with rights.
#[derive(Debug, Subcommand)]
pub enum Grant {
    /// Give a right
    Give {
        /// Whose, and to what.
        #[command(flatten)]
        of: OfGrant,
        /// As what; what the person is if left out. `doorstep policy` says what each may do and see
        #[arg(long, value_parser = roles())]
        role: Option<String>,
        /// The first day, such as 2026-12-01; from now on if left out
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
        /// The last day; until it is ended if left out
        #[arg(long, value_name = "DAY")]
        until: Option<String>,
    },
    /// End a right
    End {
        /// Whose, and to what.
        #[command(flatten)]
        of: OfGrant,
    },
}

/// Whose right, and to what.
#[derive(Debug, clap::Args, serde::Serialize)]
pub struct OfGrant {
    /// The person, by name or id
    pub person: String,
    /// The grid, by name or id; the whole street if neither grid nor case is given
    #[arg(long, conflicts_with = "case")]
    pub grid: Option<String>,
    /// A single case, by id, with the place that it is about
    #[arg(long)]
    pub case: Option<String>,
}

/// The codes of the roles.
fn roles() -> clap::builder::PossibleValuesParser {
    Role::KNOWN.iter().map(|role| role.code()).collect::<Vec<_>>().into()
}
