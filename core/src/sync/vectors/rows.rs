//! What travels inside entries as bytes: the directory, and a summary of each kind.

use super::cast::{device, id, minutes, ring};
use super::diagnostic::diagnostic;
use super::{Vector, documents, hex, messages};
use crate::docs::{DocKind, Document, Write, organisation_writes, party_writes, place_writes, resident_writes};
use crate::model::{
    Centre, Directory, DocId, Grid, OrganisationDetails, PartyDetails, Personal, PlaceDetails, PlaceKind, Receipt, Receipts,
    ResidentDetails, Role, Seal, Staff,
};
use crate::summary::Summary;

pub(super) fn all() -> Vec<Vector> {
    vec![
        ("directory", row("The directory of a street, as it stands in an entry of kind record.", &directory())),
        ("summaries", summaries()),
    ]
}

fn row(about: &str, row: &impl minicbor::Encode<()>) -> String {
    payload(about, &minicbor::to_vec(row).unwrap())
}

fn payload(about: &str, bytes: &[u8]) -> String {
    format!("about: {about}\npayload: {}\ndiagnostic:\n{}\n", hex(bytes), diagnostic(bytes))
}

fn bytes_of(random: u8) -> [u8; 16] {
    *id::<DocId>(random).as_bytes()
}

pub(super) fn directory() -> Directory {
    let staff = Staff {
        id: documents::person(),
        name: "王芳".into(),
        role: Role::GridWorker,
        grids: vec![documents::grid()],
        devices: vec![device().tag()],
    };
    Directory {
        schema: Directory::SCHEMA,
        version: 3,
        street: id(0x57),
        name: "窑湾街道".into(),
        centres: vec![Centre { id: crate::model::CentreId::from_bytes(bytes_of(0x58)), name: "综合协调中心".into() }],
        grids: vec![Grid { id: documents::grid(), name: "第17网格".into(), community: "幸福社区".into() }],
        staff: vec![staff],
    }
}

/// A document of a kind with a few fields.
fn document(kind: DocKind, random: u8, mut writes: Vec<Write>) -> (Document, Receipts) {
    let mut document = Document::new(kind, id(random)).unwrap().with_keys(ring());
    writes.insert(0, Write::set("grid", documents::grid().as_bytes()));
    document.edit(super::cast::actor(), super::cast::hlc(0), &writes).unwrap().unwrap();
    (document, Receipts::default())
}

fn summaries() -> String {
    let personal = |text: &str| Some(Personal::new(text.to_owned()));
    let place = PlaceDetails { kind: Some(PlaceKind::Building), name: Some("3栋".into()), ..PlaceDetails::default() };
    let resident = ResidentDetails { name: personal("张三"), ..ResidentDetails::default() };
    let organisation =
        OrganisationDetails { name: Some("幸福超市".into()), contact: personal("李四"), ..OrganisationDetails::default() };
    let party = PartyDetails { name: personal("赵六"), ..PartyDetails::default() };
    let (household, steps) = documents::story();
    let (case, reported) = messages::reported();
    let numbered = |number| Receipt { number, at: minutes(20), seal: Seal::default() };
    let of_household = steps.iter().zip(1..).map(|(step, number)| (step.change.hash(), numbered(number))).collect();
    let documents = [
        document(DocKind::Place, 0x41, place_writes(&place)),
        (household, of_household),
        document(DocKind::Resident, 0x44, resident_writes(&resident)),
        document(DocKind::Organisation, 0x45, organisation_writes(&organisation)),
        document(DocKind::Party, 0x46, party_writes(&party)),
        (case, [(reported.hash(), numbered(1))].into_iter().collect()),
    ];
    let mut text = String::from("# A summary of each kind, as it stands in a snapshot.\n");
    for (document, receipts) in &documents {
        text.push('\n');
        text.push_str(&payload(document.kind().name(), &Summary::of(document, receipts).to_row(&ring())));
    }
    text
}
