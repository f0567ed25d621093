//! Words for codes, from core's one catalogue: an app shows the same words as the console and `doorstep phone`.

use doorstep_core::model as core;
use doorstep_core::text::{Lang, Text};

use crate::app::Locale;
use crate::cases::Choice;
use crate::error::DoorstepError;

/// What a code is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Words {
    /// How a visit went.
    Outcome,
    /// Why a visit was made.
    Purpose,
    /// What a place is.
    PlaceKind,
    /// What an issue is about.
    Category,
    /// How soon.
    Urgency,
    /// How an issue came in.
    Channel,
    /// Where a case stands.
    CaseState,
    /// What happened in a case.
    Event,
    /// What a file is.
    Attachment,
    /// What a record is, or what was recorded.
    Record,
    /// A field.
    Field,
    /// Whether a record has arrived: `local`, `sending`, `accepted`, `refused`.
    SyncState,
    /// Whether something can be read, or why not: `open`, `locked`, `erased`, `redacted`.
    Lock,
    /// Why an exchange failed.
    Failure,
    /// Why the server refused something.
    Refusal,
}

/// The word for a code; a code of a newer version comes back as it is.
#[uniffi::export]
pub fn word(locale: Locale, of: Words, code: String) -> Result<String, DoorstepError> {
    let lang = Lang::from(locale);
    Ok(match of {
        Words::Outcome => lang.outcome(&core::Outcome::from_code(&code)),
        Words::Purpose => lang.purpose(&core::Purpose::from_code(&code)),
        Words::PlaceKind => lang.place_kind(&core::PlaceKind::from_code(&code)),
        Words::Category => lang.category(&core::Category::from_code(&code)),
        Words::Urgency => lang.urgency(&core::Urgency::from_code(&code)),
        Words::Channel => lang.channel(&core::Channel::from_code(&code)),
        Words::CaseState => lang.case_state(&core::CaseState::from_code(&code)),
        Words::Event => lang.event(&core::EventKind::from_code(&code)),
        Words::Attachment => lang.attachment(&core::AttachmentKind::from_code(&code)),
        Words::Record => lang.kind(&code).to_owned(),
        Words::Field => lang.field(&code),
        Words::SyncState => match code.as_str() {
            "local" => lang.say(Text::Local).to_owned(),
            "sending" => lang.say(Text::Sending).to_owned(),
            "accepted" => lang.say(Text::Accepted).to_owned(),
            "refused" => lang.say(Text::Refused).to_owned(),
            _ => code,
        },
        Words::Lock => lang.lock(&code).to_owned(),
        Words::Failure => lang.failure(&code),
        Words::Refusal => lang.refusal(&code),
    })
}

/// The codes that a person can choose from, in the order of a menu, each with its word. Nothing for what nobody chooses.
#[uniffi::export]
pub fn choices(locale: Locale, of: Words) -> Result<Vec<Choice>, DoorstepError> {
    let codes: Vec<&str> = match of {
        Words::Outcome => core::Outcome::KNOWN.iter().map(core::Outcome::code).collect(),
        Words::Purpose => core::Purpose::KNOWN.iter().map(core::Purpose::code).collect(),
        Words::PlaceKind => core::PlaceKind::KNOWN.iter().map(core::PlaceKind::code).collect(),
        Words::Category => core::Category::KNOWN.iter().map(core::Category::code).collect(),
        Words::Urgency => core::Urgency::KNOWN.iter().map(core::Urgency::code).collect(),
        Words::Channel => core::Channel::KNOWN.iter().map(core::Channel::code).collect(),
        Words::Attachment => core::AttachmentKind::KNOWN.iter().map(core::AttachmentKind::code).collect(),
        _ => Vec::new(),
    };
    codes.into_iter().map(|code| Ok(Choice { label: word(locale, of, code.to_owned())?, code: code.to_owned() })).collect()
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident: $of:ident),+ $(,)?) => { $(
        $(#[$doc])*
        #[uniffi::export]
        pub fn $name(of: crate::codes::$of) -> Result<String, DoorstepError> {
            Ok(core::$of::from(of).code().to_owned())
        }
    )+ };
}

codes! {
    /// The code, for `word`.
    outcome_code: Outcome,
    /// The code, for `word`.
    purpose_code: Purpose,
    /// The code, for `word`.
    place_kind_code: PlaceKind,
    /// The code, for `word`.
    category_code: Category,
    /// The code, for `word`.
    urgency_code: Urgency,
    /// The code, for `word`.
    case_state_code: CaseState,
    /// The code, for `word`.
    event_code: EventKind,
}
