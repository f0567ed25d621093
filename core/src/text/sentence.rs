//! The sentence for an error: what a person is told.

use crate::field::FieldError;
use crate::policy::Denied;
use crate::store::StoreError;
use crate::sync::client::SyncFailure;
use crate::workflow::Superseded;

use super::{Lang, Text};

/// The server's code for an enrolment code that does not count.
pub const ENROLMENT_CODE: &str = "hub.enrolment_code";

impl Lang {
    /// The sentence for an error of the engine.
    pub fn sentence(self, error: &FieldError) -> String {
        let text = match error {
            FieldError::NotEnrolled => Text::PhoneNotEnrolled,
            FieldError::AlreadyEnrolled => Text::AlreadyEnrolled,
            FieldError::Invalid(invalid) => {
                return self.fill(Text::InvalidField, &[("field", &self.field(invalid.field)), ("rule", &self.rule(&invalid.rule))]);
            }
            FieldError::NotFound { what: "grid" } => Text::WhichGrid,
            FieldError::NotFound { what } => return self.fill(Text::NotHere, &[("kind", &self.kind(what))]),
            FieldError::Denied(Denied::NotInScope) => Text::NotInScope,
            FieldError::Denied(_) => Text::NotAllowed,
            FieldError::Superseded(Superseded::NotFrom(state)) => return self.fill(Text::CaseWas, &[("state", &self.case_state(state))]),
            FieldError::Superseded(Superseded::CapturedAlready) => Text::CapturedAlready,
            FieldError::NotTheAuthor => Text::NotTheAuthor,
            FieldError::HandedOver => Text::HandedOver,
            FieldError::Erased => Text::RecordErased,
            FieldError::Locked => Text::RecordLocked,
            FieldError::LeaseOver => Text::LeaseOver,
            FieldError::Wiped => Text::Wiped,
            FieldError::Store(StoreError::InUse) => Text::StoreInUse,
            FieldError::Store(StoreError::Full) => Text::DiskFull,
            FieldError::Store(StoreError::Io { kind, .. }) => return self.fill(Text::DiskFailed, &[("why", kind)]),
            FieldError::Store(StoreError::WrongKey) => Text::WrongKey,
            FieldError::Store(StoreError::KeyNeeded) => Text::KeyNeeded,
            FieldError::Store(StoreError::NotSealed) => Text::NotSealed,
            FieldError::Store(StoreError::Wiped) => Text::StoreWiped,
            FieldError::Store(_) | FieldError::Damaged { .. } => Text::StoreDamaged,
            FieldError::Document(_) => Text::DocumentDamaged,
            FieldError::Sync(failure) => return self.sync_sentence(failure),
        };
        self.say(text).to_owned()
    }

    /// The sentence for a sync that failed.
    pub fn sync_sentence(self, failure: &SyncFailure) -> String {
        let text = match failure {
            SyncFailure::Unreachable => Text::Unreachable,
            SyncFailure::TimedOut => Text::TimedOut,
            SyncFailure::NotTheServer { .. } | SyncFailure::Frame(_) => Text::NotTheServer,
            SyncFailure::Rejected { code } if code == ENROLMENT_CODE => Text::CodeDoesNotCount,
            SyncFailure::Rejected { code } if code == "hub.unknown_device" => Text::DeviceUnknown,
            SyncFailure::Rejected { code } => return self.fill(Text::ServerRejected, &[("code", code)]),
            SyncFailure::NotReady { .. } => Text::ServerNotReady,
            SyncFailure::Store { .. } => Text::AnswerNotStored,
            SyncFailure::Abandoned => Text::SyncAbandoned,
            SyncFailure::Unfit { .. } => Text::AnswerUnfit,
        };
        self.say(text).to_owned()
    }
}
