use super::print::writable;
use super::*;
use crate::docs::layout::{Container, fields};
use crate::docs::wellformed::{Action, Operation};
use crate::docs::{Actor, DocKind, Keyring, RecordKey, Scalar, Write, event_write, visit_writes};
use crate::model::{
    CaseEvent, DeviceId, DocId, EventId, EventKind, GridId, Hlc, HouseholdId, Incarnation, Millis, Role, VisitDraft, VisitId, VisitSubject,
};

const ME: PersonId = PersonId::from_bytes([1; 16]);
const OTHER: PersonId = PersonId::from_bytes([2; 16]);
const GRID: Scope = Scope::Grid(GridId::from_bytes([7; 16]));
const ELSEWHERE: Scope = Scope::Grid(GridId::from_bytes([8; 16]));
const VISIT: VisitId = VisitId::from_bytes([5; 16]);
const NOW: Millis = Millis(1_795_449_600_000);

fn ring() -> Keyring {
    Keyring::of(RecordKey::from_bytes(&[5; 32]).unwrap())
}

fn me(role: Role) -> Principal {
    Principal { person: ME, rights: vec![Right { role, scope: GRID }] }
}

/// A document in which `author` made a visit, or captured the case.
fn document(kind: DocKind, author: PersonId) -> Document {
    let mut document = Document::new(kind, DocId::from_bytes([9; 16])).unwrap().with_keys(ring());
    let at = NOW;
    let mut writes = vec![Write::set("grid", Scalar::from(&[7; 16]))];
    if kind.containers().contains(&Container::Visits) {
        let draft = VisitDraft::routine(VisitSubject::Household(HouseholdId::from_bytes([9; 16])));
        writes.extend(visit_writes(VISIT, author, at, &draft));
    }
    if kind == DocKind::Case {
        let id = EventId::from_bytes([4; 16]);
        writes.push(event_write(&CaseEvent { id, kind: EventKind::Captured, by: author, at, text: None, other: None }));
    }
    let actor = Actor { device: DeviceId::from_bytes([3; 16]).tag(), incarnation: Incarnation([1; 8]) };
    document.edit(actor, Hlc::new(NOW, 0), &writes).unwrap();
    document
}

fn put(path: Path, value: impl Into<Scalar>) -> Operation {
    Operation { path, action: Action::Put(value.into()) }
}

fn entry(container: Container, fields: &[(&str, Scalar)]) -> Vec<Operation> {
    let key = "00000000-0000-0000-0000-000000000001";
    let create = Operation { path: Path::Entry(container, key.into()), action: Action::CreateEntry };
    let fields = fields.iter().map(|(field, value)| put(Path::Field(container, key.into(), (*field).into()), value.clone()));
    std::iter::once(create).chain(fields).collect()
}

/// Operations that do just that, in my name.
fn operations(what: &What) -> Vec<Operation> {
    let by = ("by", Scalar::from(ME.as_bytes()));
    match what {
        What::Begin => vec![put(Path::Root("grid".into()), &[7; 16]), put(Path::Root("name".into()), "x")],
        What::Describe => vec![put(Path::Root("name".into()), "x")],
        What::Move => vec![put(Path::Root("grid".into()), &[8; 16])],
        What::Remove => vec![put(Path::Root("removed".into()), true)],
        What::Tag => vec![put(Path::Register(Container::Tags, "独居".into()), true)],
        What::Member => vec![put(Path::Register(Container::Members, "m".into()), true)],
        What::Visit => entry(Container::Visits, &[by]),
        What::Amend => entry(Container::Amendments, &[by, ("visit", Scalar::from(VISIT.as_bytes()))]),
        What::Note => entry(Container::Notes, &[by]),
        What::Attach => entry(Container::Attachments, &[by]),
        What::Event(kind) => entry(Container::Events, &[by, ("kind", Scalar::from(kind.code()))]),
    }
}

/// What becomes of it in a document of `author`.
fn asked(role: &Role, kind: DocKind, what: &What, author: PersonId) -> Result<(), Denied> {
    let empty = Document::new(kind, DocId::from_bytes([9; 16])).unwrap().with_keys(ring());
    let document = document(kind, author);
    let is_new = matches!(what, What::Begin | What::Event(EventKind::Captured));
    let before: &[Scope] = if is_new { &[] } else { &[GRID] };
    let subject = Subject { document: if is_new { &empty } else { &document }, before, after: &[GRID] };
    may_write(&me(role.clone()), subject, &operations(what))
}

/// The rows of one table of the written matrix: role to cells.
fn rows_of<'a>(matrix: &'a str, title: &str) -> Vec<(&'a str, Vec<&'a str>)> {
    let begin = matrix.find(&format!("## {title}\n")).unwrap_or_else(|| panic!("no table {title}"));
    let lines = matrix[begin..].lines().skip(4).take_while(|line| line.starts_with('|'));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0], cells[1..].to_vec())
        })
        .collect()
}

/// The matrix as it is meant.
fn matrix() -> &'static str {
    include_str!("matrix.md")
}

/// `WRITE_VECTORS=1` writes it from the tables: read the difference before you keep it.
#[test]
fn what_is_printed_is_the_written_matrix() {
    if std::env::var_os("WRITE_VECTORS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/policy/matrix.md"), as_text()).unwrap();
    }
    assert_eq!(as_text(), matrix());
}

#[test]
fn every_role_may_write_what_the_matrix_says_and_nothing_else() {
    let matrix = matrix();
    for kind in DocKind::ALL {
        let rows = rows_of(matrix, &format!("{}: writes", kind.name()));
        assert_eq!(rows.len(), Role::KNOWN.len());
        for (role, (name, cells)) in Role::KNOWN.iter().zip(rows) {
            assert_eq!(role.code(), name);
            assert_eq!(cells.len(), writable(kind).len());
            for (what, cell) in writable(kind).iter().zip(cells) {
                let [own, others] = [ME, OTHER].map(|author| asked(role, kind, what, author));
                let expected = match cell {
                    "yes" => own.is_ok() && others.is_ok(),
                    "own" => own.is_ok() && matches!(others, Err(Denied::NotOwn { .. })),
                    _ => matches!(own, Err(Denied::NotForRole { .. })) && matches!(others, Err(Denied::NotForRole { .. })),
                };
                assert!(expected, "{role} {kind:?} {what:?}: {cell}, but {own:?} and {others:?}");
            }
        }
    }
}

#[test]
fn every_role_sees_what_the_matrix_says_and_gets_what_opens_that_and_no_more() {
    let matrix = matrix();
    for kind in DocKind::ALL {
        for (role, (name, cells)) in Role::KNOWN.iter().zip(rows_of(matrix, &format!("{}: reads", kind.name()))) {
            assert_eq!(role.code(), name);
            let seen: Vec<Access> = fields(kind).iter().map(|field| access(role, kind, field.name)).collect();
            let expected = |cell: &&str| match *cell {
                "clear" => Access::Clear,
                "masked" => Access::Masked,
                _ => Access::Absent,
            };
            assert_eq!(cells[1..].iter().map(expected).collect::<Vec<_>>(), seen, "{role} {kind:?}");
            assert_eq!(cells[0] == "yes", receives(role, kind), "{role} {kind:?}");
            let keys = opened(role, kind, &ring());
            for (field, access) in fields(kind).iter().zip(&seen) {
                let path = match field.name.split_once('.') {
                    Some((container, of)) => {
                        let container = kind.containers().iter().find(|known| known.key() == container).unwrap();
                        Path::Field(*container, "an entry".to_owned(), of.to_owned())
                    }
                    None if field.name == "reporter" => Path::Root("reporter_party".to_owned()),
                    None => Path::Root(field.name.to_owned()),
                };
                let sealed = ring().seal(kind, DocId::from_bytes([9; 16]), &path, &Scalar::from("words")).unwrap();
                let is_read = keys.open(kind, DocId::from_bytes([9; 16]), &path, &sealed) == Ok(Scalar::from("words"));
                assert_eq!(is_read, !field.is_personal || *access == Access::Clear, "{role} {kind:?} {}", field.name);
            }
        }
    }
}

#[test]
fn whoever_may_begin_a_document_gets_it() {
    for (role, kind) in Role::KNOWN.iter().flat_map(|role| DocKind::ALL.map(|kind| (role, kind))) {
        assert!(asked(role, kind, &What::Begin, ME).is_err() || receives(role, kind), "{role} {kind:?}");
    }
}

#[test]
fn whoever_helps_in_a_case_never_learns_who_reported_it() {
    for role in [Role::EnforcementOfficer, Role::Crew, Role::Volunteer, Role::AssociationMember, Role::DistrictManager] {
        assert_eq!(access(&role, DocKind::Case, "reporter"), Access::Absent, "{role}");
        assert_eq!(access(&role, DocKind::Case, "description"), Access::Clear, "{role}");
        assert!(receives(&role, DocKind::Case), "{role}");
    }
}

#[test]
fn a_field_of_a_later_version_counts_as_personal() {
    assert_eq!(access(&Role::GridWorker, DocKind::Household, "of_a_later_version"), Access::Clear);
    assert_eq!(access(&Role::DistrictManager, DocKind::Household, "of_a_later_version"), Access::Absent);
}

#[test]
fn a_role_that_this_version_does_not_know_may_nothing() {
    let role = Role::Unknown("of-a-later-version".into());
    let denied = asked(&role, DocKind::Place, &What::Note, ME);
    assert!(matches!(denied, Err(Denied::NotForRole { .. })));
    assert!(DocKind::ALL.into_iter().all(|kind| !receives(&role, kind)));
}

#[test]
fn an_entry_is_in_the_name_of_who_signs_it() {
    let document = document(DocKind::Household, ME);
    let subject = Subject { document: &document, before: &[GRID], after: &[GRID] };
    let note = |fields: &[(&str, Scalar)]| may_write(&me(Role::GridWorker), subject, &entry(Container::Notes, fields));
    assert_eq!(note(&[("by", Scalar::from(ME.as_bytes()))]), Ok(()));
    assert!(matches!(note(&[("by", Scalar::from(OTHER.as_bytes()))]), Err(Denied::AnothersName { .. })));
    assert!(matches!(note(&[("at", Scalar::Int(3))]), Err(Denied::AnothersName { .. })));
}

#[test]
fn rulings_unknown_events_second_captures_and_late_claims_are_denied_to_everybody() {
    for role in Role::KNOWN.iter().filter(|role| matches!(role, Role::GridWorker | Role::CentreStaff | Role::Auxiliary)) {
        let of = |what: Vec<Operation>| {
            let document = document(DocKind::Case, ME);
            may_write(&me(role.clone()), Subject { document: &document, before: &[GRID], after: &[GRID] }, &what)
        };
        let event = |code: &str| of(operations(&What::Event(EventKind::from_code(code))));
        assert!(matches!(event("duplicate-of"), Err(Denied::Ruling { .. })));
        assert!(matches!(event("penalty-imposed"), Err(Denied::UnknownEvent { .. })));
        assert!(matches!(event("captured"), Err(Denied::Fixed { .. })));
        let no_kind = entry(Container::Events, &[("by", Scalar::from(ME.as_bytes()))]);
        assert!(matches!(of(no_kind), Err(Denied::UnknownEvent { .. })));
        for key in ["claim", "case_kind"] {
            assert!(matches!(of(vec![put(Path::Root(key.into()), "x")]), Err(Denied::Fixed { .. })));
        }
    }
}

#[test]
fn a_document_is_judged_by_where_it_was_and_a_new_one_by_where_it_will_be() {
    let document = document(DocKind::Household, ME);
    let asked = |before: &[Scope], after: &[Scope]| {
        may_write(&me(Role::GridWorker), Subject { document: &document, before, after }, &operations(&What::Describe))
    };
    assert_eq!(asked(&[GRID], &[ELSEWHERE]), Ok(()));
    assert_eq!(asked(&[ELSEWHERE], &[GRID]), Err(Denied::NotInScope));
    assert_eq!(asked(&[], &[ELSEWHERE]), Err(Denied::NotInScope));
    assert_eq!(asked(&[], &[GRID]), Ok(()));
}

#[test]
fn rights_in_several_roles_add_up_only_where_each_holds() {
    let document = document(DocKind::Case, OTHER);
    let rights = vec![Right { role: Role::GridWorker, scope: GRID }, Right { role: Role::CentreStaff, scope: ELSEWHERE }];
    let both = Principal { person: ME, rights };
    let close = operations(&What::Event(EventKind::Closed));
    let asked = |before: &[Scope]| may_write(&both, Subject { document: &document, before, after: before }, &close);
    assert!(matches!(asked(&[GRID]), Err(Denied::NotOwn { .. })));
    assert_eq!(asked(&[ELSEWHERE]), Ok(()));
}
