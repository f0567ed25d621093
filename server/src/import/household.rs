//! Households: doors and who lives behind them.

use super::MOST_CELL_CHARS;
use super::column::{Column, optional, required};
use super::report::ImportReport;
use super::row::Row;
use doorstep_core::model::{Invalid, Personal, Phone, Tag};
use std::collections::BTreeMap;

pub(super) const COLUMNS: &[Column] = &[
    required("place", &["地点", "楼栋"]),
    optional("estate", &["小区", "所属小区"]),
    required("grid", &["网格", "网格名称"]),
    required("door", &["门牌", "门牌号", "房号"]),
    optional("contact", &["联系人", "户主"]),
    optional("phone", &["电话", "联系电话", "手机号"]),
    optional("remark", &["备注"]),
    optional("tags", &["标签"]),
    optional("residents", &["居民", "家庭成员"]),
];

/// A household of a file. Place, estate and grid are names, which the caller looks up.
#[derive(Debug, Clone, PartialEq)]
pub struct HouseholdRow {
    /// The line of the file, for the caller's own faults.
    pub line: u64,
    /// The name of the building, alley or yard.
    pub place: String,
    /// The name of the estate, where the grid has several places of that name.
    pub estate: Option<String>,
    /// The name of its grid.
    pub grid: String,
    /// The door: `2单元301`.
    pub door: String,
    /// Under whose name the door is known.
    pub contact: Option<Personal<String>>,
    /// A number under which somebody answers.
    pub phone: Option<Personal<Phone>>,
    /// What one should know before knocking.
    pub remark: Option<Personal<String>>,
    /// Words by which it is found and visited.
    pub tags: Vec<Tag>,
    /// The names of those who live there.
    pub residents: Vec<Personal<String>>,
}

/// Reads a file of households. About a microsecond a row.
///
/// # Errors
/// Every bad row, when there is one.
pub fn parse_households(bytes: &[u8]) -> Result<Vec<HouseholdRow>, ImportReport> {
    let mut seen = BTreeMap::new();
    super::parse(bytes, COLUMNS, |row| read(row, &mut seen))
}

fn read(row: &mut Row<'_>, seen: &mut BTreeMap<[String; 4], u64>) -> Option<HouseholdRow> {
    let (place, grid, door) = (row.required("place"), row.required("grid"), row.required("door"));
    let estate = row.text("estate");
    if let (Some(place), Some(grid), Some(door)) = (&place, &grid, &door)
        && let Some(line) = seen.insert([grid, place, door, estate.as_ref().unwrap_or(&String::new())].map(String::clone), row.line())
    {
        row.refuse("door", format!("is that of line {line}, at the same place"));
    }
    let (contact, remark) = (row.text("contact").map(Personal::new), row.text("remark").map(Personal::new));
    let phone = row.parsed("phone").map(Personal::new);
    let tags = row.list("tags", str::parse);
    let residents = row.list("residents", |name| Invalid::check_text("residents", name, MOST_CELL_CHARS).map(Personal::new));
    Some(HouseholdRow { line: row.line(), place: place?, estate, grid: grid?, door: door?, contact, phone, remark, tags, residents })
}
