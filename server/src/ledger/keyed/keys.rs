//! Where each thing of the ledger stands.
//!
//! A key is a byte for the table, the street where the thing belongs to one, and the rest. Ids are 16 bytes; positions are 8, the greatest
//! byte first, so that a range runs in the order of positions. All keys of a table have one length (but those of claims and codes, which are
//! text and have no chunks), as chunked values ask for; none is over 96 bytes.
//!
//! | table | key behind the table's byte | row |
//! |---|---|---|
//! | `0x01` street | street | name, life of the ledger, seal key, era, whether it is reconciling, up to where it is backed up |
//! | `0x02` counters | street | newest position, version and position of the directory; every commit reads and most write it |
//! | `0x03` record | street, record | the record, chunked |
//! | `0x04` record feed | street, position | record, kind |
//! | `0x05` head | street, document | kind, version, position of the snapshot, scopes it is in and was in, where the log begins |
//! | `0x06` snapshot | street, document | receipts and bytes, chunked |
//! | `0x07` log | street, document, position | hash, receipt, bytes unless they are large or compacted, way to the proof |
//! | `0x08` large change | street, document, position | the bytes of a change that does not fit its row in the log, chunked |
//! | `0x09` summary | street, kind, document | the summary as the hub encoded it |
//! | `0x0A` feed | street, scope (a byte, an id), position | document, kind, position of entering, size, precedence; or the document alone where it left |
//! | `0x0B` group | street, group | time, changes, duplicate, chunked |
//! | `0x0C` claim | street, the key's text up to 79 bytes | for each last character that may follow: the case |
//! | `0x0D` quarantine | street, group | the refused group, chunked |
//! | `0x0E` refusals | street, time and group with all bits turned | nothing: the key is the order, the latest first |
//! | `0x0F` late | street, position, event | the case |
//! | `0x10` grant | street, person, grant | the grant |
//! | `0x11` proof | street, first position of its commit | device, signature, leaves, chunked |
//! | `0x12` device | device | street, person, key, label, time |
//! | `0x13` tag | tag of a device | the device |
//! | `0x14` code | the code | street, person, end, device that used it |
//! | `0x15` ruling due | street, case | nothing |
//! | `0x16` reconciled | street, ledger, tag of a device | nothing: it has given back all in this life of the ledger |
//! | `0x17` inbox | street, group | documents of a group in quarantine that may be adopted, with their scopes, chunked |
//! | `0x18` keys | street, document | the keys of the record, or that it was erased, and the position of that, sealed in the vault |
//! | `0x19` hold | street, document | why the document may not be erased, and since when |

use doorstep_core::docs::DocKind;
use doorstep_core::model::{
    ClaimKey, DeviceId, DeviceTag, DocId, EventId, GrantId, GroupId, LedgerId, Millis, PersonId, Position, Scope, StreetId,
};

/// A table: the first byte of its keys, and its name in errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    byte: u8,
    pub(super) name: &'static str,
}

macro_rules! tables {
    ($($byte:literal $table:ident $name:literal),+ $(,)?) => {
        $( pub(super) const $table: Table = Table { byte: $byte, name: $name }; )+
        #[cfg(test)]
        const ALL: &[Table] = &[$($table),+];
    };
}

tables! {
    0x01 STREET "street",
    0x02 COUNTERS "counters",
    0x03 RECORD "record",
    0x04 RECORD_FEED "record feed",
    0x05 HEAD "head",
    0x06 SNAPSHOT "snapshot",
    0x07 LOG "log",
    0x08 LARGE_CHANGE "large change",
    0x09 SUMMARY "summary",
    0x0A FEED "feed",
    0x0B GROUP "group",
    0x0C CLAIM "claim",
    0x0D QUARANTINE "quarantine",
    0x0E REFUSALS "refusals",
    0x0F LATE "late",
    0x10 GRANT "grant",
    0x11 PROOF "proof",
    0x12 DEVICE "device",
    0x13 TAG "tag",
    0x14 CODE "code",
    0x15 RULING_DUE "ruling due",
    0x16 RECONCILED "reconciled",
    0x17 INBOX "inbox",
    0x18 KEYS "keys",
    0x19 HOLD "hold",
}

/// How much of a claim's text is in its key: with table and street that makes the longest key that a store takes. A claim has 80
/// characters at most, so what is cut off is one.
pub(super) const MOST_CLAIM_TEXT: usize = 79;

fn join(table: Table, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    key.push(table.byte);
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// What begins every key of a table without streets.
pub(super) fn table(table: Table) -> Vec<u8> {
    join(table, &[])
}

/// What begins every key of a street in a table; in the tables with one row a street, that row's key.
pub(super) fn of_street(table: Table, street: StreetId) -> Vec<u8> {
    join(table, &[street.as_bytes()])
}

/// The key of what a table holds for a document, or what begins its keys in the log.
pub(super) fn of_document(table: Table, street: StreetId, doc: DocId) -> Vec<u8> {
    join(table, &[street.as_bytes(), doc.as_bytes()])
}

/// The key of a change in one of the two tables that hold them.
pub(super) fn change(table: Table, street: StreetId, doc: DocId, position: Position) -> Vec<u8> {
    join(table, &[street.as_bytes(), doc.as_bytes(), &position.0.to_be_bytes()])
}

/// The key of what stands at a position of a street: a record's place in the feed, or a proof.
pub(super) fn at_position(table: Table, street: StreetId, position: Position) -> Vec<u8> {
    join(table, &[street.as_bytes(), &position.0.to_be_bytes()])
}

/// What begins the keys of all summaries of a kind.
pub(super) fn summaries(street: StreetId, kind: DocKind) -> Vec<u8> {
    join(SUMMARY, &[street.as_bytes(), &[kind.number()]])
}

pub(super) fn summary(street: StreetId, kind: DocKind, doc: DocId) -> Vec<u8> {
    join(SUMMARY, &[street.as_bytes(), &[kind.number()], doc.as_bytes()])
}

pub(super) fn feed(street: StreetId, scope: Scope, position: Position) -> Vec<u8> {
    let (kind, id) = match &scope {
        Scope::Street(id) => (0, id.as_bytes()),
        Scope::Grid(id) => (1, id.as_bytes()),
        Scope::Assigned(id) => (2, id.as_bytes()),
        Scope::Case(id) => (3, id.as_bytes()),
    };
    join(FEED, &[street.as_bytes(), &[kind], id, &position.0.to_be_bytes()])
}

pub(super) fn inbox(street: StreetId, group: GroupId) -> Vec<u8> {
    join(INBOX, &[street.as_bytes(), group.as_bytes()])
}

/// The group of a key of the inbox.
pub(super) fn inbox_group(key: &[u8]) -> Option<GroupId> {
    GroupId::try_from(key.get(1 + 16..1 + 16 + 16)?).ok()
}

/// How long the keys of the inbox are.
pub(super) const INBOX_KEY: usize = 1 + 16 + 16;

pub(super) fn group(street: StreetId, group: GroupId) -> Vec<u8> {
    join(GROUP, &[street.as_bytes(), group.as_bytes()])
}

/// The key of a claim's row, and the text that did not fit.
pub(super) fn claim(street: StreetId, key: &ClaimKey) -> (Vec<u8>, &str) {
    // The text is ASCII, so it can be cut anywhere.
    let (text, rest) = key.as_str().split_at_checked(MOST_CLAIM_TEXT).unwrap_or((key.as_str(), ""));
    (join(CLAIM, &[street.as_bytes(), text.as_bytes()]), rest)
}

pub(super) fn quarantine(street: StreetId, group: GroupId) -> Vec<u8> {
    join(QUARANTINE, &[street.as_bytes(), group.as_bytes()])
}

/// Turned around, the latest comes first; of two at the same time, the one that was recorded last.
pub(super) fn refusal(street: StreetId, at: Millis, group: GroupId) -> Vec<u8> {
    let ordered = at.0.cast_unsigned() ^ (1 << 63);
    let turned = group.as_bytes().map(|byte| !byte);
    join(REFUSALS, &[street.as_bytes(), &(!ordered).to_be_bytes(), &turned])
}

/// The group of a key of the refusals.
pub(super) fn refused_group(key: &[u8]) -> Option<GroupId> {
    Some(GroupId::from_bytes(key.last_chunk::<16>()?.map(|byte| !byte)))
}

pub(super) fn late(street: StreetId, position: Position, event: EventId) -> Vec<u8> {
    join(LATE, &[street.as_bytes(), &position.0.to_be_bytes(), event.as_bytes()])
}

/// Position and event of a key of the late events.
pub(super) fn late_event(key: &[u8]) -> Option<(Position, EventId)> {
    let (front, event) = key.split_last_chunk::<16>()?;
    Some((position(front)?, EventId::from_bytes(*event)))
}

/// What begins the keys of all grants of a person.
pub(super) fn grants(street: StreetId, person: PersonId) -> Vec<u8> {
    join(GRANT, &[street.as_bytes(), person.as_bytes()])
}

pub(super) fn grant(street: StreetId, person: PersonId, grant: GrantId) -> Vec<u8> {
    join(GRANT, &[street.as_bytes(), person.as_bytes(), grant.as_bytes()])
}

pub(super) fn device(id: DeviceId) -> Vec<u8> {
    join(DEVICE, &[id.as_bytes()])
}

pub(super) fn tag(tag: DeviceTag) -> Vec<u8> {
    join(TAG, &[&tag.0])
}

pub(super) fn code(code: &str) -> Vec<u8> {
    join(CODE, &[code.as_bytes()])
}

/// What begins the keys of the devices that have given back all in a life of the ledger.
pub(super) fn reconciled(street: StreetId, ledger: LedgerId) -> Vec<u8> {
    join(RECONCILED, &[street.as_bytes(), ledger.as_bytes()])
}

/// The tag that a key ends with.
pub(super) fn last_tag(key: &[u8]) -> Option<DeviceTag> {
    key.last_chunk::<8>().copied().map(DeviceTag)
}

/// The position that a key ends with.
pub(super) fn position(key: &[u8]) -> Option<Position> {
    key.last_chunk::<8>().map(|bytes| Position(u64::from_be_bytes(*bytes)))
}

/// The 16 bytes of the id that a key ends with.
pub(super) fn last_id(key: &[u8]) -> Option<[u8; 16]> {
    key.last_chunk::<16>().copied()
}

#[cfg(test)]
mod tests {
    use doorstep_core::store::MOST_KEY;

    use super::*;

    const STREET_ID: StreetId = StreetId::from_bytes([1; 16]);
    const DOC: DocId = DocId::from_bytes([2; 16]);

    #[test]
    fn tables_differ_in_their_first_byte() {
        let bytes: std::collections::BTreeSet<u8> = ALL.iter().map(|table| table.byte).collect();
        assert_eq!(bytes.len(), ALL.len());
    }

    #[test]
    fn the_longest_claim_fits_a_key_and_loses_nothing() {
        let longest: ClaimKey = "x".repeat(80).parse().unwrap();
        let (key, rest) = claim(STREET_ID, &longest);
        assert_eq!(key.len(), MOST_KEY);
        assert_eq!(rest, "x");
        let short: ClaimKey = "pension/2026".parse().unwrap();
        let (key, rest) = claim(STREET_ID, &short);
        assert!(key.ends_with(b"pension/2026"));
        assert_eq!(rest, "");
    }

    #[test]
    fn keys_run_in_the_order_of_positions() {
        let scope = Scope::Street(STREET_ID);
        let positions = [0, 1, 255, 256, 65_536, u64::MAX].map(Position);
        let keys = positions.map(|position| feed(STREET_ID, scope, position));
        assert!(keys.is_sorted());
        assert_eq!(keys.map(|key| position(&key).unwrap()), positions);
        assert!(positions.map(|position| change(LOG, STREET_ID, DOC, position)).is_sorted());
    }

    #[test]
    fn refusals_run_from_the_latest_to_the_oldest() {
        let times = [i64::MAX, 5, 0, -1, i64::MIN].map(Millis);
        let group = GroupId::from_bytes([7; 16]);
        let keys = times.map(|at| refusal(STREET_ID, at, group));
        assert!(keys.is_sorted());
        assert!(keys.iter().all(|key| refused_group(key) == Some(group)));
    }

    #[test]
    fn a_late_event_is_read_back_from_its_key() {
        let event = EventId::from_bytes([9; 16]);
        assert_eq!(late_event(&late(STREET_ID, Position(77), event)), Some((Position(77), event)));
    }

    #[test]
    fn scopes_of_different_kinds_with_the_same_id_do_not_meet() {
        use doorstep_core::model::GridId;
        let grid = Scope::Grid(GridId::from_bytes([1; 16]));
        let assigned = Scope::Assigned(PersonId::from_bytes([1; 16]));
        let keys = [Scope::Street(STREET_ID), grid, assigned].map(|scope| feed(STREET_ID, scope, Position(1)));
        assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    }
}
