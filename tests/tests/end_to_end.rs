//! End to end: a real server over a store on disk, real sockets, phones with stores of their own.
//!
//! Most servers run in this process, with a clock that the test sets; where the server is killed, limited or measured it is the binary
//! `doorstep`, which `tests/run` builds first (see `doorstep_tests::process`).

#[path = "end_to_end/administrators.rs"]
mod administrators;
#[path = "end_to_end/bad_input.rs"]
mod bad_input;
#[path = "end_to_end/bad_network.rs"]
mod bad_network;
#[path = "end_to_end/bootstrap.rs"]
mod bootstrap;
#[path = "end_to_end/devices.rs"]
mod devices;
#[path = "end_to_end/erasure.rs"]
mod erasure;
#[path = "end_to_end/floods.rs"]
mod floods;
#[path = "end_to_end/ground.rs"]
mod ground;
#[path = "end_to_end/half_sent.rs"]
mod half_sent;
#[path = "end_to_end/late_work.rs"]
mod late_work;
#[path = "end_to_end/leases.rs"]
mod leases;
#[path = "end_to_end/live.rs"]
mod live;
#[path = "end_to_end/lives.rs"]
mod lives;
#[path = "end_to_end/mail.rs"]
mod mail;
#[path = "end_to_end/memory.rs"]
mod memory;
#[path = "end_to_end/merging.rs"]
mod merging;
#[path = "end_to_end/offline.rs"]
mod offline;
#[path = "end_to_end/restored.rs"]
mod restored;
#[path = "end_to_end/retention.rs"]
mod retention;
#[path = "end_to_end/roles.rs"]
mod roles;
#[path = "end_to_end/round_trips.rs"]
mod round_trips;
#[path = "end_to_end/scopes.rs"]
mod scopes;
#[path = "end_to_end/siege.rs"]
mod siege;
#[path = "end_to_end/stops.rs"]
mod stops;
#[path = "end_to_end/tls.rs"]
mod tls;
#[path = "end_to_end/wrong_clocks.rs"]
mod wrong_clocks;
