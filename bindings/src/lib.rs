//! Doorstep's engine for Kotlin, Swift and Python: a thin uniffi face over `doorstep_core::field`.
//!
//! What crosses the border is synchronous, short and thread-safe: commands that commit locally within milliseconds, queries, handles of what runs
//! on Doorstep's own threads, and listeners. `suspend`, `async`, Flow and AsyncSequence are written in the languages, in `bindings/kotlin` and
//! `bindings/swift`; no async function is exported, because those are unstable over JNA and cannot be cancelled from Swift.
//!
//! [`FieldApp`](app::FieldApp) is one opened phone. From it come the objects by subject: places, households, residents, organisations, parties,
//! visits, cases, sync, quarantine. They are handles on the same engine; what they answer are records by value. After
//! [`shut_down`](app::FieldApp::shut_down) everything answers `Closed`.
//!
//! Every function can fail with a [`DoorstepError`](error::DoorstepError), which carries a stable code and the sentence for the person. Nothing
//! panics across the border. The documentation of items here is the documentation of the generated code; `api.txt` lists the face, and a test
//! holds it against the code.

pub mod app;
pub mod cases;
pub mod codes;
mod diagnostics;
mod dispatch;
pub mod error;
pub mod households;
pub mod labels;
pub mod listen;
pub mod live;
pub mod organisations;
pub mod parties;
pub mod places;
pub mod platform;
pub mod quarantine;
pub mod residents;
pub mod rows;
mod shared;
pub mod sync;
pub mod transport;
mod turns;
pub mod types;
pub mod visits;

uniffi::setup_scaffolding!();
