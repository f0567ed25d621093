//! What the tests that cross a crate share.

pub mod bad_network;
pub mod batches;
pub mod clocks;
pub mod counting;
pub mod deflate;
pub mod direct;
pub mod disk;
pub mod forge;
pub mod handmade;
pub mod phone;
pub mod process;
pub mod raw_live;
pub mod recorder;
pub mod server;
pub mod street;
pub mod torture;
pub mod watcher;
pub mod wire;
pub mod worker;
