//! What goes wrong, as one typed error: each arm is something that an app treats in a way of its own, and carries the engine's stable code and
//! the sentence for the person, in the language that the app was opened with.

use doorstep_core::field::FieldError;
use doorstep_core::model::Invalid;
use doorstep_core::store::StoreError;
use doorstep_core::sync::client::SyncFailure;
use doorstep_core::text::Lang;

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// Why something was not done. Nothing was recorded then.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
        pub enum DoorstepError {
            $($(#[$doc])* #[error("{code}: {sentence}")] $name {
                /// The stable code, for programs and logs.
                code: String,
                /// The sentence, for the person.
                sentence: String,
            },)+
        }

        impl DoorstepError {
            /// The stable code.
            pub fn code(&self) -> &str {
                match self { $(Self::$name { code, .. } => code),+ }
            }

            /// The sentence for the person.
            pub fn sentence(&self) -> &str {
                match self { $(Self::$name { sentence, .. } => sentence),+ }
            }
        }
    };
}

errors! {
    /// There is no identity here yet: enrol.
    NotEnrolled,
    /// There is an identity here; another person needs another folder.
    AlreadyEnrolled,
    /// Everything was erased, because the device was ended or its person signed out: shut down, and open another folder.
    Wiped,
    /// A value breaks a rule; the sentence names the field.
    Invalid,
    /// What is named is not on this phone.
    NotFound,
    /// This person may not do that.
    Denied,
    /// The case has come to a state in which this step does not apply: read it again.
    Superseded,
    /// It was handed over to whoever answers for it now.
    HandedOver,
    /// The record was erased: nobody reads it any more, and nothing can be written there.
    Erased,
    /// The server was not reached for so long (72 hours, if the district does not say otherwise) that nothing of what is held here is shown until it is.
    /// Commands go on, and so do the lists of what waits and what was refused.
    LeaseOver,
    /// The key provider gave another key than the one that the store is sealed with, or none where one is needed.
    WrongKey,
    /// The key provider gave no key: the device is locked, for example. Try again later.
    KeyUnavailable,
    /// The disk is full; what is there can be read.
    DiskFull,
    /// The store is damaged, or of a newer version: keep the folder, and open another one.
    StoreDamaged,
    /// Another process has the store open, or this one has it open already.
    StoreInUse,
    /// The store failed in another way.
    StoreFailed,
    /// The server was not reached or cannot serve now; nothing is lost, and the engine tries again.
    Network,
    /// The server refused the request as a whole.
    Rejected,
    /// The server speaks a newer protocol only: the app has to be updated. What waits stays.
    UpdateRequired,
    /// It was cancelled, or its budget used up. Nothing is lost.
    Cancelled,
    /// It was shut down already.
    Closed,
    /// A bug: something panicked inside, and nothing was recorded.
    Internal,
}

/// The server's code for a protocol that it does not speak any more.
const PROTOCOL_CODE: &str = "hub.protocol";

impl DoorstepError {
    /// The error of the engine, with its sentence.
    pub(crate) fn of(error: &FieldError, lang: Lang) -> Self {
        let code = match error {
            FieldError::Sync(SyncFailure::Rejected { code }) => code.clone(),
            other => other.code().to_owned(),
        };
        let sentence = lang.sentence(error);
        match error {
            FieldError::NotEnrolled => Self::NotEnrolled { code, sentence },
            FieldError::AlreadyEnrolled => Self::AlreadyEnrolled { code, sentence },
            FieldError::Wiped | FieldError::Store(StoreError::Wiped) => Self::Wiped { code, sentence },
            FieldError::Invalid(_) => Self::Invalid { code, sentence },
            FieldError::NotFound { .. } => Self::NotFound { code, sentence },
            FieldError::Denied(_) | FieldError::NotTheAuthor | FieldError::Locked => Self::Denied { code, sentence },
            FieldError::Superseded(_) => Self::Superseded { code, sentence },
            FieldError::Erased => Self::Erased { code, sentence },
            FieldError::LeaseOver => Self::LeaseOver { code, sentence },
            FieldError::HandedOver => Self::HandedOver { code, sentence },
            FieldError::Store(StoreError::WrongKey | StoreError::KeyNeeded | StoreError::NotSealed) => Self::WrongKey { code, sentence },
            FieldError::Store(StoreError::Full) => Self::DiskFull { code, sentence },
            FieldError::Store(StoreError::InUse) => Self::StoreInUse { code, sentence },
            FieldError::Store(StoreError::Damaged { .. } | StoreError::UnknownFormat { .. } | StoreError::SealBroken { .. })
            | FieldError::Damaged { .. }
            | FieldError::Document(_) => Self::StoreDamaged { code, sentence },
            FieldError::Store(_) | FieldError::Sync(SyncFailure::Store { .. }) => Self::StoreFailed { code, sentence },
            FieldError::Sync(SyncFailure::Abandoned) => Self::Cancelled { code, sentence },
            FieldError::Sync(SyncFailure::Rejected { code: rejected }) if rejected == PROTOCOL_CODE => {
                Self::UpdateRequired { code, sentence }
            }
            FieldError::Sync(SyncFailure::Rejected { .. }) => Self::Rejected { code, sentence },
            FieldError::Sync(_) => Self::Network { code, sentence },
        }
    }

    /// A value that does not cross the border, before anything knows a language.
    pub(crate) fn invalid(invalid: Invalid) -> Self {
        Self::of(&invalid.into(), Lang::Zh)
    }

    pub(crate) fn closed() -> Self {
        Self::Closed { code: "field.closed".to_owned(), sentence: "已关闭。 It was shut down.".to_owned() }
    }

    pub(crate) fn internal() -> Self {
        Self::Internal {
            code: "field.internal".to_owned(), sentence: "程序内部出错,没有记录。 A bug; nothing was recorded.".to_owned()
        }
    }

    pub(crate) fn key_unavailable(why: &str) -> Self {
        Self::KeyUnavailable {
            code: "field.key_unavailable".to_owned(), sentence: format!("没有得到密钥:{why} No key was given: {why}")
        }
    }
}

/// What the app's own code throws when Doorstep calls it. It never crashes the engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ForeignError {
    /// It could not do it, for this reason.
    #[error("{reason}")]
    Failed {
        /// Why, for the diagnostics: no personal data.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ForeignError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { reason: error.reason }
    }
}
