//! Pages: which rows of a list are asked for.

use doorstep_core::model::{GridId, Invalid};
use serde::Deserialize;

use crate::hub::HubError;
use crate::problem::Problem;

/// How many rows a page has when nobody says.
const USUAL_ROWS: usize = 200;
/// The most rows of a page: half a second of loading for those lists that load documents.
pub const MOST_ROWS: usize = 1_000;

/// The parameters of every list that comes in pages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    limit: Option<usize>,
    after: Option<String>,
    /// Only of this grid, by id or name.
    pub grid: Option<String>,
    /// Of cases: only those that are not closed.
    #[serde(default)]
    pub open: bool,
    /// Of documents: only those of this kind.
    pub kind: Option<String>,
}

impl Page {
    /// How many rows are asked for.
    pub fn limit(&self) -> Result<usize, Problem> {
        match self.limit.unwrap_or(USUAL_ROWS) {
            limit @ 1..=MOST_ROWS => Ok(limit),
            _ => Err(Problem::bad_query().fault("/limit", format!("is not between 1 and {MOST_ROWS}"))),
        }
    }

    /// The id behind which the page begins.
    pub fn after<T: std::str::FromStr<Err = Invalid>>(&self) -> Result<Option<T>, Problem> {
        let after = self.after.as_deref().map(str::parse).transpose();
        after.map_err(|invalid: Invalid| Problem::bad_query().fault("/after", invalid.rule))
    }

    /// Refuses parameters that this list does not have.
    pub fn only(self, names: &[&str]) -> Result<Self, Problem> {
        let given = [("grid", self.grid.is_some()), ("open", self.open), ("kind", self.kind.is_some())];
        match given.iter().find(|(name, given)| *given && !names.contains(name)) {
            Some((name, _)) => Err(Problem::bad_query().fault(format!("/{name}"), "is no parameter of this list")),
            None => Ok(self),
        }
    }

    /// The grid that is asked for, looked up by `find`.
    pub fn grid(&self, find: impl FnOnce(&str) -> Result<GridId, HubError>) -> Result<Option<GridId>, HubError> {
        self.grid.as_deref().map(find).transpose()
    }
}
