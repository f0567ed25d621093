//! Places: estates, buildings, alleys, yards.

use super::column::{Column, optional, required};
use super::report::ImportReport;
use super::row::Row;
use doorstep_core::model::{Invalid, PlaceKind, Point, Tag};
use std::collections::BTreeMap;

pub(super) const COLUMNS: &[Column] = &[
    required("name", &["名称", "地点名称"]),
    required("kind", &["类型", "类别"]),
    required("grid", &["网格", "网格名称"]),
    optional("community", &["社区"]),
    optional("address", &["地址"]),
    optional("estate", &["小区", "所属小区"]),
    optional("latitude", &["纬度"]),
    optional("longitude", &["经度"]),
    optional("tags", &["标签"]),
    optional("property_company", &["物业公司", "物业"]),
    optional("developer", &["开发商", "开发单位"]),
    optional("owners_committee", &["业委会", "业主委员会"]),
];

/// What kinds are called in Chinese; the English names are the codes of [`PlaceKind`].
const KINDS: [(&str, PlaceKind); 4] =
    [("小区", PlaceKind::Estate), ("楼栋", PlaceKind::Building), ("街巷", PlaceKind::Alley), ("院落", PlaceKind::Yard)];

/// How far a point of a file may be off, in metres. Files do not say; a point that somebody put on a map is within its building.
const ACCURACY_M: f64 = 30.0;

/// A place of a file. Grid and estate are names, which the caller looks up.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceRow {
    /// The line of the file, for the caller's own faults.
    pub line: u64,
    /// `3栋`, `幸福巷`.
    pub name: String,
    /// What it is.
    pub kind: PlaceKind,
    /// The name of its grid.
    pub grid: String,
    /// Its community.
    pub community: Option<String>,
    /// Street and number.
    pub address: Option<String>,
    /// The name of the estate that it stands in; one of this file or one that is there already.
    pub estate: Option<String>,
    /// Where it is.
    pub point: Option<Point>,
    /// Words by which it is found.
    pub tags: Vec<Tag>,
    /// Of an estate: who manages it.
    pub property_company: Option<String>,
    /// Of an estate: who built it.
    pub developer: Option<String>,
    /// Of an estate: its owners' committee.
    pub owners_committee: Option<String>,
}

/// Reads a file of places. About a microsecond a row.
///
/// # Errors
/// Every bad row, when there is one.
pub fn parse_places(bytes: &[u8]) -> Result<Vec<PlaceRow>, ImportReport> {
    let mut seen = BTreeMap::new();
    super::parse(bytes, COLUMNS, |row| read(row, &mut seen))
}

fn read(row: &mut Row<'_>, seen: &mut BTreeMap<(String, Option<String>, String), u64>) -> Option<PlaceRow> {
    let (name, grid, estate) = (row.required("name"), row.required("grid"), row.text("estate"));
    if let (Some(name), Some(grid)) = (&name, &grid)
        && let Some(line) = seen.insert((grid.clone(), estate.clone(), name.clone()), row.line())
    {
        row.refuse("name", format!("is that of line {line}, in the same grid and estate"));
    }
    if row.text("kind").is_none() {
        row.refuse("kind", "is empty");
    }
    let kind = row.read("kind", kind);
    if kind == Some(PlaceKind::Estate) && estate.is_some() {
        row.refuse("estate", "is given for an estate, which stands in none");
    }
    let (community, address, point) = (row.text("community"), row.text("address"), point(row));
    let tags = row.list("tags", str::parse);
    let (property_company, developer) = (row.text("property_company"), row.text("developer"));
    let owners_committee = row.text("owners_committee");
    Some(PlaceRow {
        line: row.line(),
        name: name?,
        kind: kind?,
        grid: grid?,
        community,
        address,
        estate,
        point,
        tags,
        property_company,
        developer,
        owners_committee,
    })
}

fn kind(text: &str) -> Result<PlaceKind, Invalid> {
    match KINDS.iter().find(|(chinese, _)| *chinese == text) {
        Some((_, kind)) => Ok(kind.clone()),
        None => text
            .to_ascii_lowercase()
            .parse()
            .map_err(|_| Invalid::new("kind", "is none of: estate 小区, building 楼栋, alley 街巷, yard 院落")),
    }
}

fn point(row: &mut Row<'_>) -> Option<Point> {
    let (latitude, longitude) = (row.read("latitude", degrees), row.read("longitude", degrees));
    match (latitude, longitude) {
        (Some(latitude), Some(longitude)) => match Point::from_degrees(latitude, longitude, ACCURACY_M) {
            Ok(point) => Some(point),
            Err(invalid) => {
                row.refuse(invalid.field, invalid.rule);
                None
            }
        },
        (None, None) => None,
        _ => {
            // One of the two is missing, or its own fault was noted already.
            if row.text("latitude").is_some() != row.text("longitude").is_some() {
                row.refuse("latitude", "and longitude are given together or not at all");
            }
            None
        }
    }
}

fn degrees(text: &str) -> Result<f64, Invalid> {
    text.parse().map_err(|_| Invalid::new("degrees", "is not a number of degrees such as 30.5728"))
}
