//! Doorstep's server: the hub that merges what the phones recorded, its HTTP API, and the command line `doorstep`.
//!
//! A phone sends a request, the hub judges each group of changes with the same rules that the phone has, the ledger makes it durable,
//! and only then does the answer say so. This crate adds sockets, disk and the system's clock to the rules of `doorstep-core`, which has
//! none of them.
//!
//! The rooms, and which way they lean:
//!
//! - [`cli`]: one file a subcommand; puts the other rooms together. Nothing leans on it.
//! - [`http`]: listeners, limits, request ids, health, shutdown. Takes a router and knows nothing of what its routes do.
//! - [`problem`]: how every failure looks to a client. Leans on nothing here.
//! - [`accounts`]: who may administer, how they show it and what each may do. Knows no HTTP.
//! - [`audit`]: who did what, in a chain that nobody can change unseen. Knows of accounts only how they are called.
//! - [`erasures`]: the list of what was erased, in a file that outlives the store and its backups.
//! - [`import`]: reads CSV files of places, households and organisations; pure, bytes in and rows or a report out.
//! - [`service`], [`restore`]: a data folder opened to be served; one that is set up again from a backup.
//! - [`settings`], [`telemetry`], [`system`]: what the operator sets and sees; the system's clock and randomness, handed to whoever
//!   takes them from outside.

pub mod accounts;
pub mod api;
pub mod audit;
pub mod cli;
pub mod demo;
pub mod erasures;
pub mod http;
pub mod hub;
pub mod import;
pub mod ledger;
pub mod problem;
pub mod restore;
pub mod service;
pub mod settings;
pub mod system;
pub mod telemetry;
