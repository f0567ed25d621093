//! How much a message may hold, and why.

/// The longest frame as it travels, in bytes: a push of [`MOST_PUSH_BYTES`] that does not compress, with room.
pub const MOST_FRAME_BYTES: usize = 1024 * 1024;
/// The longest message after inflating, in bytes. Deflate packs zeroes a thousandfold; this is what a message of ours can need.
pub const MOST_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// The most bytes of changes in one push. A larger outbox goes in several, each acknowledged, so that a bad line loses little.
pub const MOST_PUSH_BYTES: usize = 256 * 1024;
/// The most groups in a push: as many small commands as fit into [`MOST_PUSH_BYTES`].
pub const MOST_GROUPS: usize = 1_024;
/// The most changes in a group: a command touches a handful of documents.
pub const MOST_GROUP_CHANGES: usize = 64;
/// The most grants of one person: a worker has one grid, a deputy a few, the centre a street.
pub const MOST_GRANTS: usize = 64;
/// The most entries in one part of an answer.
pub const MOST_ENTRIES: usize = 4_096;
/// The most changes of one document in one part; with more, a snapshot is sent.
pub const MOST_ENTRY_CHANGES: usize = 256;
/// How many bytes of entries one answer aims at: some seconds on a bad line. One document more than that is always sent.
pub const ANSWER_BYTES: usize = 512 * 1024;
/// The most documents whose heads a phone offers to a restored server in one message.
pub const MOST_OFFERS: usize = 4_096;
/// The most groups of late work in one answer: somebody looks at each. What lies behind them comes when these are decided.
pub const MOST_LATE: usize = 64;
/// How many bytes of late work one answer aims at, so that it stays an answer beside what else it brings.
pub const LATE_BYTES: usize = 128 * 1024;
/// The most records whose keys come with one request: as many as there are groups, and what is given back to a restored server.
pub const MOST_WRAPPED_KEYS: usize = 2 * MOST_GROUPS;
/// The longest resume key of a bootstrap, in bytes: a server needs some eighteen.
pub const MOST_RESUME_KEY_BYTES: usize = 32;
/// The longest reason code, in bytes.
pub const MOST_CODE_BYTES: usize = 64;
/// The longest enrolment code as somebody types it, in bytes: ten letters and digits, with dashes and spaces wherever they like.
pub const MOST_ENROLMENT_CODE_BYTES: usize = 64;
/// The longest label of a phone that is read, in bytes. Far more than the 60 characters that a server takes, so that who typed too many is told
/// that, and not that the message is damaged.
pub const MOST_LABEL_BYTES: usize = 1_024;
/// The longest name of a person, in bytes: 60 characters of four.
pub const MOST_NAME_BYTES: usize = 256;
/// How deep arrays and maps may lie in each other. Messages of version 1 need eight; the rest is for keys to come.
pub const MOST_DEPTH: usize = 16;
