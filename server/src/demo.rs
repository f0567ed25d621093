//! The demo: a street with made-up people, a few phones at work, and a check that everybody holds the same in the end.
//!
//! The street is modelled on Yaowan: three centres, forty grids, about 16,000 households and 600 organisations. Everything is real but the
//! people: a server on a socket, a store on disk, phones with stores of their own that sync over HTTP.

mod check;
mod morning;
mod people;
mod server;
mod street;

pub use check::{Difference, compare};
pub use morning::{Told, morning};
pub use server::{DemoServer, start};
pub use street::{DemoStreet, Size, build};
