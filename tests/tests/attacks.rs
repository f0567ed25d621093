//! Attacks on documents: every way that is known of to make a change that automerge takes and should not.
//!
//! Each test forges one change by hand, has it judged as hub and phone do ([`doorstep_core::docs::Change::parse`], then
//! [`doorstep_core::docs::wellformed::check`]) and expects a certain refusal before automerge applies anything; afterwards the document still
//! saves, loads and takes honest writes. Run them in release: debug assertions of automerge hide half of what would happen.

#[path = "attacks/bombs.rs"]
mod bombs;
#[path = "attacks/conflicts.rs"]
mod conflicts;
#[path = "attacks/envelope.rs"]
mod envelope;
#[path = "attacks/graph.rs"]
mod graph;
#[path = "attacks/histories.rs"]
mod histories;
#[path = "attacks/mutants.rs"]
mod mutants;
#[path = "attacks/operations.rs"]
mod operations;
#[path = "attacks/scene.rs"]
mod scene;
#[path = "attacks/table.rs"]
mod table;
