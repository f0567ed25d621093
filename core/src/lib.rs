//! Doorstep's core: the rules, the documents, the sync protocol and the phone's engine.
//!
//! Doorstep is what a district runs so that its grid workers (网格员) can serve residents at their doorstep with no signal. A phone records
//! visits and resident issues in stairwells and alleys; when it reconnects, one round trip merges everything with what everybody else
//! recorded, and the centre acts on it within seconds. This crate is both ends' share of that: the same rules run on the phone, so an honest
//! phone is seldom refused, and on the server, so a dishonest one is.
//!
//! It has no sockets (but the optional HTTPS client of the phone), reads no clock and draws no random number: time, randomness, store and
//! network come in through traits, so that a simulation can replay every run from one seed.
//!
//! # Rooms
//!
//! Dependencies point one way, and a test checks it from the `use crate::` lines:
//!
//! ```text
//! model  <-  docs  <-  workflow, policy  <-  summary  <-  sync  <-  field
//!                                        store  <----------------- field
//! ```
//!
//! - [`model`]: plain types: ids, times, places on the earth, people, visits, cases, the directory.
//! - [`docs`]: those of them that several people write at once, as automerge documents; the structural check of a change.
//! - [`workflow`]: the states of a case as a fold of its events. [`policy`]: who may write and read what.
//! - [`summary`]: what lists show of a document, derived alike on both ends.
//! - [`store`]: a small durable key-value store, in memory and over sled.
//! - [`sync`]: the protocol, both sides, without a socket. `PROTOCOL.md` beside it is its specification.
//! - [`field`]: the phone's engine, which the bindings expose.
//!
//! # Vocabulary
//!
//! One word for one thing, in code, documentation and screens:
//!
//! | word | meaning |
//! |---|---|
//! | street 街道 / grid 网格 | a street has e.g. 40 grids; a grid is what one worker answers for; community 社区 is an attribute of a grid |
//! | estate 小区 / place | an estate has its property company, developer and owners' committee, each or none; a place is a building 楼栋, alley 街巷 or yard 院落 |
//! | household 户 / resident 居民 | a door and the people behind it |
//! | organisation 单位 | an enterprise, shop, school or institution of a grid |
//! | party 当事人 | who reports, applies or is contacted in a case and is no registered resident |
//! | visit 走访 / patrol 巡查 | a call on people / on a place |
//! | case 办件 | anything that must be followed to its end; an `Issue` 诉求 is the kind there is so far |
//! | event | one immutable step in a case: who, when (device time and server time), what |
//! | captured 采集, registered 受理, closed 结案 | the states of an issue so far; returned 退回 is a transition |
//! | scope 同步范围 / grant | the unit of replication and of access / one person's right to a scope in a role, from when until when |
//! | role 岗位 | what somebody is in a grant: decides what may be written and seen there ([`policy`]) |
//! | late work 补报, inbox 待接收 | what arrived after its author had lost the right to it / where it waits for whoever answers for its scope now |
//! | feed, position, cursor | the ordered log of a street; a place in it; how far a phone has read a grant |
//! | change | one automerge change: the unit that is sent, *accepted* or *refused* (these two words are for changes only) |
//! | receipt, seal | number and server time of an accepted change, in the order of its document / by what the server knows its receipt again |
//! | ledger, era | one life of the server's record of a street / the numbers that it gives, above those of every life before |
//! | reconciliation 对账 | what a server lost when it was set up again from a backup is given back by the phones that hold it |
//! | command, group | what a person asked for; the changes that it made, accepted or refused as a whole |
//! | ruling 以中心为准 | an event that only the server writes, where exactly one answer may win |
//! | quarantine 待更正 | where a refused group waits with its reason, on the server and on the phone |
//! | record, key, vault | a document as what is said of somebody / what its personal fields are sealed under / where keys can be forgotten for good |
//! | erased 删除 | the record's key was destroyed, everywhere: nobody reads it any more, and nothing is written there |
//! | incarnation | one life of a store; a new one begins after a recovery, a restore, a clone, or a rebuild after a refusal |
//!
//! # Documents, records, merging
//!
//! What several people write is a document: place, household, resident, organisation, party, case ([`docs`] has the merge table). What has
//! one writer is no CRDT: the directory is a versioned record that the server replaces whole. The state of a case is a pure fold of its
//! accepted events in the order of their receipts; an event that no longer applies when it arrives stays visible as superseded.

mod cipher;
pub mod docs;
pub mod field;
pub mod model;
pub mod policy;
pub mod store;
pub mod summary;
pub mod sync;
pub mod text;
pub mod workflow;
