//! Organisations: the enterprises, shops, schools and institutions of a grid.

use super::column::{Column, optional, required};
use super::report::ImportReport;
use super::row::Row;
use doorstep_core::model::{Personal, Phone, Tag};
use std::collections::BTreeMap;

pub(super) const COLUMNS: &[Column] = &[
    required("name", &["名称", "单位名称"]),
    required("grid", &["网格", "网格名称"]),
    optional("place", &["地点", "楼栋"]),
    optional("estate", &["小区", "所属小区"]),
    optional("credit_code", &["统一社会信用代码", "信用代码"]),
    optional("contact", &["联系人"]),
    optional("phone", &["电话", "联系电话", "手机号"]),
    optional("trade", &["行业", "经营范围"]),
    optional("address", &["地址"]),
    optional("tags", &["标签"]),
];

/// An organisation of a file. Place, estate and grid are names, which the caller looks up.
#[derive(Debug, Clone, PartialEq)]
pub struct OrganisationRow {
    /// The line of the file, for the caller's own faults.
    pub line: u64,
    /// The registered name or the sign over the door.
    pub name: String,
    /// The name of its grid.
    pub grid: String,
    /// The name of the place where it is.
    pub place: Option<String>,
    /// The name of the estate, where the grid has several places of that name.
    pub estate: Option<String>,
    /// The unified social credit code.
    pub credit_code: Option<String>,
    /// Whom to ask for.
    pub contact: Option<Personal<String>>,
    /// A telephone number.
    pub phone: Option<Personal<Phone>>,
    /// What it does.
    pub trade: Option<String>,
    /// Street and number.
    pub address: Option<String>,
    /// Words by which it is found and visited.
    pub tags: Vec<Tag>,
}

/// Reads a file of organisations. About a microsecond a row.
///
/// # Errors
/// Every bad row, when there is one.
pub fn parse_organisations(bytes: &[u8]) -> Result<Vec<OrganisationRow>, ImportReport> {
    let mut seen = BTreeMap::new();
    super::parse(bytes, COLUMNS, |row| read(row, &mut seen))
}

fn read(row: &mut Row<'_>, seen: &mut BTreeMap<(String, String), u64>) -> Option<OrganisationRow> {
    let (name, grid) = (row.required("name"), row.required("grid"));
    if let (Some(name), Some(grid)) = (&name, &grid)
        && let Some(line) = seen.insert((grid.clone(), name.clone()), row.line())
    {
        row.refuse("name", format!("is that of line {line}, in the same grid"));
    }
    let (place, estate, credit_code) = (row.text("place"), row.text("estate"), row.text("credit_code"));
    let (contact, phone) = (row.text("contact").map(Personal::new), row.parsed("phone").map(Personal::new));
    let (trade, address, tags) = (row.text("trade"), row.text("address"), row.list("tags", str::parse));
    Some(OrganisationRow { line: row.line(), name: name?, grid: grid?, place, estate, credit_code, contact, phone, trade, address, tags })
}
