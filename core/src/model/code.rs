//! Codes: enums that are kept as short words in documents, and tags.

use crate::model::Invalid;

/// Defines an enum whose arms have a code that is never renamed, and an `Unknown` arm that keeps a code of a newer version.
macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$arm_doc:meta])* $arm:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$arm_doc])* $arm,)+
            /// A code that this version does not know; kept as it came.
            Unknown(String),
        }

        impl $name {
            /// The arms that this version knows, in the order in which a screen lists them.
            pub const KNOWN: &'static [Self] = &[$(Self::$arm),+];

            /// The code in documents and on the wire.
            pub fn code(&self) -> &str {
                match self {
                    $(Self::$arm => $code,)+
                    Self::Unknown(code) => code,
                }
            }

            /// Reads a code; one that this version does not know is kept.
            pub fn from_code(code: &str) -> Self {
                match code {
                    $($code => Self::$arm,)+
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::Invalid;

            /// Reads what a person typed: only known codes.
            fn from_str(text: &str) -> Result<Self, $crate::model::Invalid> {
                match Self::from_code(text.trim()) {
                    Self::Unknown(_) => Err($crate::model::Invalid::new(
                        stringify!($name),
                        concat!("is none of:", $(" ", $code),+),
                    )),
                    known => Ok(known),
                }
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self, e: &mut minicbor::Encoder<W>, _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(self.code())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                d.str().map(Self::from_code)
            }
        }
    };
}
pub(crate) use coded;

/// A word by which households, residents, places and organisations are found and visited: `独居`, `低保`, `elderly`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Tag(#[n(0)] String);

impl Tag {
    /// The longest tag, in characters: what fits on a chip of a phone's screen.
    pub const MOST_CHARS: usize = 24;

    /// The tag's word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Tag {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = Invalid::check_text("tag", text, Self::MOST_CHARS)?;
        // A tag is a key of a document, and keys hold no control characters.
        if text.chars().any(char::is_control) { Err(Invalid::new("tag", "holds control characters")) } else { Ok(Self(text)) }
    }
}
