//! What is due: which doors want to be visited, by the intervals of their tags and by the day that the last visit named.

use crate::field::{Engine, FieldError, Listed};
use crate::model::{Day, GridId, Millis, Tag};
use crate::summary::HouseholdSummary;

/// How often households with a tag are visited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRule {
    /// The tag; `None` for all households.
    pub tag: Option<Tag>,
    /// At the latest so many days after somebody was last met.
    pub every_days: u16,
}

/// A door that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDoor {
    /// The household.
    pub household: Listed<HouseholdSummary>,
    /// The place's name, if it is on this phone.
    pub place: Option<String>,
    /// Since which day.
    pub due_on: Day,
}

impl Engine {
    /// The doors of a grid, or of all grids on this phone, that are due on `today` or before, the longest overdue first. One scan of rows.
    ///
    /// # Errors
    /// When the store fails or a row does not decode.
    pub fn due(&self, grid: Option<GridId>, rules: &[DueRule], today: Day) -> Result<Vec<DueDoor>, FieldError> {
        let mut due = Vec::new();
        for household in self.households(grid)? {
            let Some(due_on) = due_day(&household.row, rules).filter(|day| *day <= today) else { continue };
            let place = self.place_name(household.row.place)?;
            due.push(DueDoor { household, place, due_on });
        }
        due.sort_by_key(|door| (door.due_on, door.household.row.id));
        Ok(due)
    }

    /// The calendar day of the district, by the server's clock as far as this phone knows it.
    pub fn today(&self) -> Day {
        let state = self.state();
        self.now(&state).day()
    }
}

/// The day on which a household is due: the earliest that a rule or the last visit names. A door where nobody was ever met is due since the
/// epoch's first day plus the interval, which sorts it first.
fn due_day(row: &HouseholdSummary, rules: &[DueRule]) -> Option<Day> {
    let last_met = row.last_visit.met_at.unwrap_or(Millis(0)).day();
    let by_rule = rules
        .iter()
        .filter(|rule| rule.tag.as_ref().is_none_or(|tag| row.tags.contains(tag)))
        .map(|rule| last_met.plus(i32::from(rule.every_days)))
        .min();
    match (by_rule, row.last_visit.follow_up) {
        (Some(rule), Some(named)) => Some(rule.min(named)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HouseholdId;
    use crate::summary::LastVisit;

    fn row(tags: &[&str], met: Option<&str>, follow_up: Option<&str>) -> HouseholdSummary {
        HouseholdSummary {
            id: HouseholdId::from_bytes([1; 16]),
            grid: None,
            place: None,
            door: "301".into(),
            contact: None,
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
            members: 0,
            last_visit: LastVisit {
                met_at: met.map(|day| Millis(i64::from(day.parse::<Day>().unwrap().0) * 86_400_000)),
                follow_up: follow_up.map(|day| day.parse().unwrap()),
                ..LastVisit::default()
            },
            conflicted: false,
            removed: false,
            lock: crate::docs::Lock::Open,
        }
    }

    fn rules() -> Vec<DueRule> {
        vec![DueRule { tag: Some("独居".parse().unwrap()), every_days: 7 }, DueRule { tag: None, every_days: 90 }]
    }

    #[test]
    fn the_shortest_interval_of_its_tags_decides() {
        assert_eq!(due_day(&row(&["独居"], Some("2026-11-01"), None), &rules()).unwrap().to_string(), "2026-11-08");
        assert_eq!(due_day(&row(&[], Some("2026-11-01"), None), &rules()).unwrap().to_string(), "2027-01-30");
    }

    #[test]
    fn a_day_named_by_the_last_visit_is_kept_even_without_a_rule() {
        assert_eq!(due_day(&row(&[], Some("2026-11-01"), Some("2026-11-03")), &[]).unwrap().to_string(), "2026-11-03");
        assert_eq!(due_day(&row(&[], None, None), &[]), None);
    }
}
