//! Codes are a promise: this list is only ever added to, and so is the table of `PROTOCOL.md`.

use super::*;
use crate::docs::DocKind;
use crate::docs::layout::{Container, Path};
use crate::model::DocId;

const DOC: DocId = DocId::from_bytes([1; 16]);

fn path() -> Path {
    Path::Root("door".into())
}

/// Every refusal that a server can give, with its code.
fn all() -> Vec<(Refusal, &'static str)> {
    vec![
        (Refusal::GrantEnded, "sync.grant_ended"),
        (Refusal::Superseded, "sync.superseded"),
        (Refusal::Erased, "sync.erased"),
        (Refusal::ClockAhead { offset_ms: 120_001 }, "sync.clock_ahead"),
        (Refusal::ActorForked, "sync.actor_forked"),
        (Refusal::Revoked, "sync.revoked"),
        (Refusal::Schema, "sync.schema"),
        (Refusal::DependsOnRefused { group: Some(GroupId::from_bytes([2; 16])) }, "sync.depends_on_refused"),
        (Refusal::ForeignActor, "sync.foreign_actor"),
        (Refusal::ForeignDocument, "sync.foreign_document"),
        (Refusal::GroupSize, "sync.group_size"),
        (Refusal::Repeated, "sync.repeated"),
        (Refusal::DocumentFull, "sync.document_full"),
        (Unparsable::Undecodable.into(), "change.unparsable"),
        (Malformed::MissingDependencies { missing: 1 }.into(), "change.missing_dependencies"),
        (Malformed::Sequence { expected: 1, found: 2 }.into(), "change.sequence"),
        (Malformed::ForgotItself.into(), "change.forgot_itself"),
        (Malformed::NoGenesis.into(), "change.no_genesis"),
        (Malformed::StartOp { expected: 1, found: 2 }.into(), "change.start_op"),
        (Malformed::ForeignObject { index: 0 }.into(), "change.foreign_object"),
        (Malformed::Forbidden { index: 0 }.into(), "change.forbidden_operation"),
        (Malformed::BadKey { index: 0 }.into(), "change.bad_key"),
        (Malformed::BadValue { index: 0 }.into(), "change.bad_value"),
        (Malformed::Predecessors { index: 0 }.into(), "change.predecessors"),
        (Malformed::AlreadyThere { path: path() }.into(), "change.already_there"),
        (Malformed::TooManyHeads.into(), "change.too_many_heads"),
        (Malformed::Empty.into(), "change.empty"),
        (Denied::NotInScope.into(), "policy.not_in_scope"),
        (Denied::NotForRole { path: path() }.into(), "policy.not_for_role"),
        (Denied::NotOwn { path: path() }.into(), "policy.not_own"),
        (Denied::AnothersName { path: path() }.into(), "policy.anothers_name"),
        (Denied::Fixed { path: path() }.into(), "policy.fixed"),
        (Denied::Ruling { path: path() }.into(), "policy.ruling"),
        (DocumentError::Unloadable { id: DOC }.into(), "document.unloadable"),
        (DocumentError::ForeignGenesis { id: DOC }.into(), "document.foreign_genesis"),
        (DocumentError::NotApplied { id: DOC }.into(), "document.not_applied"),
        (DocumentError::NotReloadable { id: DOC }.into(), "document.not_reloadable"),
        (DocumentError::NoContainer { kind: DocKind::Case, container: Container::Tags }.into(), "document.no_container"),
        (DocumentError::Malformed(Malformed::Empty).into(), "document.malformed_write"),
        (DocumentError::Unparsable(Unparsable::Undecodable).into(), "document.unparsable_write"),
    ]
}

#[test]
fn the_codes_are_the_written_ones() {
    all().iter().for_each(|(refusal, code)| assert_eq!(refusal.code(), *code));
}

#[test]
fn a_code_fits_into_its_bound_and_stands_once() {
    let mut codes: Vec<&str> = all().iter().map(|(_, code)| *code).collect();
    assert!(codes.iter().all(|code| code.len() <= crate::sync::MOST_CODE_BYTES));
    let count = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), count);
}

#[test]
fn a_code_is_read_back_from_the_wire_with_what_went_along() {
    for (refusal, code) in all() {
        let read = Refusal::from_wire(code, refusal.offset_ms(), refusal.because_of());
        assert_eq!(read.code(), code);
        assert_eq!((read.offset_ms(), read.because_of()), (refusal.offset_ms(), refusal.because_of()));
        assert_eq!((read.mends_itself(), read.is_of_closed_list()), (refusal.mends_itself(), refusal.is_of_closed_list()));
    }
}

#[test]
fn a_code_of_a_later_version_is_kept_and_shown_to_the_author() {
    let read = Refusal::from_wire("sync.of_a_later_version", None, None);
    assert_eq!(read, Refusal::Unknown { code: "sync.of_a_later_version".into() });
    assert!(!read.mends_itself() && !read.is_of_closed_list());
}

#[test]
fn the_closed_list_for_honest_work_is_the_written_one() {
    let closed: Vec<&str> = all().iter().filter(|(refusal, _)| refusal.is_of_closed_list()).map(|(_, code)| *code).collect();
    let written = [
        "sync.grant_ended",
        "sync.superseded",
        "sync.erased",
        "sync.clock_ahead",
        "sync.actor_forked",
        "sync.revoked",
        "sync.schema",
        "sync.depends_on_refused",
    ];
    assert_eq!(closed, written);
    let mended: Vec<&str> = all().iter().filter(|(refusal, _)| refusal.mends_itself()).map(|(_, code)| *code).collect();
    assert_eq!(mended, ["sync.clock_ahead", "sync.actor_forked", "sync.depends_on_refused"]);
}

/// The page that others build by names every code that they will meet.
#[test]
fn the_page_lists_every_code() {
    let page = include_str!("../PROTOCOL.md");
    let missing: Vec<&str> = all().iter().map(|(_, code)| *code).filter(|code| !page.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
}
