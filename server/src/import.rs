//! Import: reads the CSV files in which a street has its places, households and organisations so far.
//!
//! Pure: bytes in, rows or a report out. All or nothing: one bad row and nothing is taken; the [`ImportReport`] lists the bad rows by
//! line, column and rule, and never a value, because values are personal. Each cell is read with the types of `doorstep_core::model`, so
//! that what is imported obeys the same rules as what a phone records. What a file cannot know is left to the caller, who may add to the
//! report: whether a grid exists, which place a name means, what is there already.
//!
//! A file is UTF-8, with or without a byte order mark, or GB18030 (GBK and GB2312 are parts of it), as Excel saves it; which one is found
//! out from the bytes. Cells are separated by commas, quoted with `"` where they hold commas, quotes or line breaks (RFC 4180). Spaces
//! around a cell, empty rows and empty columns do not count.
//!
//! The first row names the columns, in Chinese or English, in any order; capitals do not count in English names, and `_`, `-` and spaces
//! are the same. The columns of each kind of file, with all names that are understood; those marked * must be there and filled in each row:
//!
//! | file | column | Chinese | what it holds |
//! |---|---|---|---|
//! | places | `name` * | 名称, 地点名称 | `3栋`, `幸福巷`; within a grid and an estate once |
//! | | `kind` * | 类型, 类别 | estate 小区, building 楼栋, alley 街巷, yard 院落 |
//! | | `grid` * | 网格, 网格名称 | the grid's name |
//! | | `community` | 社区 | |
//! | | `address` | 地址 | |
//! | | `estate` | 小区, 所属小区 | the name of the estate that it stands in |
//! | | `latitude`, `longitude` | 纬度, 经度 | WGS-84 degrees, both or neither |
//! | | `tags` | 标签 | separated by `;` or 、 |
//! | | `property_company` | 物业公司, 物业 | |
//! | | `developer` | 开发商, 开发单位 | |
//! | | `owners_committee` | 业委会, 业主委员会 | |
//! | households | `place` * | 地点, 楼栋 | the place's name |
//! | | `estate` | 小区, 所属小区 | where the grid has several places of that name |
//! | | `grid` * | 网格, 网格名称 | the grid's name |
//! | | `door` * | 门牌, 门牌号, 房号 | `2单元301`; at a place once |
//! | | `contact` | 联系人, 户主 | |
//! | | `phone` | 电话, 联系电话, 手机号 | 5 to 15 digits |
//! | | `remark` | 备注 | |
//! | | `tags` | 标签 | separated by `;` or 、 |
//! | | `residents` | 居民, 家庭成员 | names, separated by `;` or 、 |
//! | organisations | `name` * | 名称, 单位名称 | within a grid once |
//! | | `grid` * | 网格, 网格名称 | the grid's name |
//! | | `place`, `estate` | 地点 or 楼栋, 小区 or 所属小区 | as in households |
//! | | `credit_code` | 统一社会信用代码, 信用代码 | |
//! | | `contact`, `phone` | as in households | |
//! | | `trade` | 行业, 经营范围 | |
//! | | `address` | 地址 | |
//! | | `tags` | 标签 | separated by `;` or 、 |
//! | all | `no` | 序号 | a running number, which is left out |

mod column;
mod household;
mod organisation;
mod place;
pub mod plan;
mod report;
mod row;
mod table;
mod text;

pub use household::{HouseholdRow, parse_households};
pub use organisation::{OrganisationRow, parse_organisations};
pub use place::{PlaceRow, parse_places};
pub use report::{BadRow, ImportReport, RowFault};

use column::{Column, Header};
use row::Row;
use table::Table;

/// The largest file, in bytes: a street of 200,000 rows of 250 bytes. It is held in memory whole, once as bytes and once as text.
pub const MOST_BYTES: usize = 50 * 1000 * 1000;

/// The most rows of one file: more than ten times the households of a street of 40 grids, and some hundred megabytes as rows.
pub const MOST_ROWS: usize = 200_000;

/// The longest cell, in characters: the limit of free text in the field app.
pub const MOST_CELL_CHARS: usize = 2_000;

/// Reads a file of a kind: `columns` are its columns, `read` makes a row of ours, or notes what is wrong with it.
fn parse<R>(bytes: &[u8], columns: &'static [Column], mut read: impl FnMut(&mut Row<'_>) -> Option<R>) -> Result<Vec<R>, ImportReport> {
    if bytes.len() > MOST_BYTES {
        return Err(ImportReport::of_file(format!("is larger than {} MB; cut it into several", MOST_BYTES / 1_000_000)));
    }
    let text = text::decode(bytes).map_err(ImportReport::of_file)?;
    let mut table = Table::new(&text);
    let header = match table.next_filled() {
        None => return Err(ImportReport::of_file("is empty")),
        Some(Err(broken)) => return Err(ImportReport::of_row(broken.line, "row", broken.rule)),
        Some(Ok(record)) => Header::read(&record, columns)?,
    };
    let (mut rows, mut report, mut count) = (Vec::new(), ImportReport::default(), 0);
    while let Some(record) = table.next_filled() {
        count += 1;
        if count > MOST_ROWS {
            return Err(ImportReport::of_file(format!("has more than {MOST_ROWS} rows; cut it into several")));
        }
        let record = match record {
            Ok(record) => record,
            Err(broken) => {
                report.refuse(broken.line, "row", broken.rule);
                continue;
            }
        };
        let mut row = Row::new(&header, &record);
        let made = read(&mut row);
        match (made, row.into_faults()) {
            (Some(made), faults) if faults.is_empty() => rows.push(made),
            (_, faults) => report.refuse_row(record.line, faults),
        }
    }
    if report.is_empty() { Ok(rows) } else { Err(report) }
}

#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod tests;
