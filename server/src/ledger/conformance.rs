//! One list of cases that every ledger passes: what [`Ledger`] promises, tried from outside.
//!
//! A case is added in one place: here or in a file beside, and in the list of `ledger_conformance!`. A case fails by panicking.

mod commits;
mod documents;
mod feeds;
mod model;
mod people;
mod sample;

use std::sync::Arc;

pub use commits::*;
pub use documents::*;
pub use feeds::*;
pub use model::*;
pub use people::*;

use super::Ledger;

/// A place where a ledger lives.
pub trait Subject {
    /// Opens the ledger as a process does that starts: whatever was not durable is gone. Earlier handles have been dropped.
    fn open(&self) -> Arc<dyn Ledger>;
}

/// Runs all cases as tests of the module it stands in; each gets a new [`Subject`] from the expression.
macro_rules! ledger_conformance {
    ($subject:expr) => {
        $crate::ledger::conformance::ledger_conformance!(@ $subject;
            // streets, people and devices
            a_new_ledger_has_no_streets,
            a_street_is_added_once,
            streets_are_listed_by_id,
            a_street_that_is_not_there_has_nothing,
            the_directory_is_replaced_on_the_condition_of_its_version,
            the_directory_of_another_street_is_refused,
            a_code_is_used_once,
            a_renewed_ledger_has_another_id_and_all_that_it_had,
            devices_are_reconciled_with_one_life_of_the_ledger,
            a_backup_is_noted_and_never_goes_back,
            a_code_is_used_once_also_in_parallel,
            a_code_makes_a_device_of_its_own_person_only,
            the_tag_of_a_device_is_given_once_among_all_streets,
            an_enrolled_device_stands_in_the_directory_and_in_the_feed,
            grants_are_listed_by_person_and_end_when_told,
            // commits
            positions_have_no_gaps_and_run_in_the_order_of_commits,
            concurrent_commits_share_the_positions_without_a_gap,
            of_concurrent_commits_on_one_version_one_wins,
            a_document_at_another_version_writes_nothing,
            a_document_of_another_kind_is_a_conflict,
            a_document_that_stands_twice_in_a_commit_is_a_conflict,
            a_known_group_writes_nothing,
            a_taken_claim_writes_nothing,
            a_claim_goes_to_another_case_on_the_condition_of_who_has_it,
            a_claim_is_free_for_another_text_however_alike,
            rulings_are_due_until_they_are_given,
            another_directory_version_writes_nothing,
            a_grant_that_is_other_than_what_policy_read_writes_nothing,
            late_work_waits_until_it_is_decided_about,
            keys_of_records_are_kept_with_their_position_and_gone_once_forgotten,
            a_groups_verdict_is_kept,
            refused_groups_are_listed_the_latest_first_and_each_once,
            late_events_are_listed_the_oldest_first,
            a_change_leads_to_the_signed_push_that_it_came_in,
            the_way_to_the_signed_push_outlives_the_bytes_of_a_change,
            an_empty_commit_changes_nothing,
            // documents
            a_document_is_read_back_from_its_log,
            a_document_is_read_back_from_its_snapshot_and_the_log_behind_it,
            a_log_that_a_snapshot_took_the_place_of_is_said_to_be_gone,
            a_new_document_may_be_kept_as_its_snapshot_alone,
            changes_are_read_whole_or_not_at_all_while_others_compact,
            changes_of_every_size_come_back_as_they_were,
            changes_are_read_behind_a_position,
            a_new_snapshot_alone_takes_no_position,
            summaries_are_listed_by_kind_and_id,
            a_document_is_read_whole_while_others_write_it,
            the_same_ids_in_two_streets_are_two_documents,
            everything_is_there_after_reopening,
            a_barrier_passes,
            // the feed
            a_document_stands_once_in_a_scope_at_its_newest_position,
            a_document_keeps_where_it_entered_while_it_stays,
            a_document_that_leaves_a_scope_stands_there_once_as_left,
            a_document_that_comes_back_is_not_left_any_more,
            a_change_of_scopes_alone_takes_a_position,
            the_scopes_of_a_document_are_known_without_it,
            size_and_precedence_stand_with_the_position,
            records_stand_in_every_scope_of_their_street,
            the_feed_is_read_in_pages,
            a_reader_beside_writers_misses_nothing,
            the_feed_names_what_changed_and_what_left_behind_every_position
        );
    };
    (@ $subject:expr; $($case:ident),+) => { $( #[test] fn $case() { $crate::ledger::conformance::$case(&$subject) } )+ };
}
pub(crate) use ledger_conformance;
