//! The text of the square that an administrator shows a new worker: which server, and the one-time code.

use std::fmt;
use std::str::FromStr;

use crate::model::Invalid;

/// What the text begins with.
const SCHEME: &str = "doorstep:enrol?";
/// The longest address of a server and the longest code, in bytes: what a square on a screen still shows well.
const MOST_TEXT: usize = 512;

/// A server and a one-time code of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The server's address: `https://doorstep.example.cn`.
    pub server: String,
    /// The code.
    pub code: String,
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}code={}&server={}", escaped(&self.code), escaped(&self.server))
    }
}

impl FromStr for Invitation {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("invitation", "is not what an administrator's screen shows");
        let text = text.trim();
        let parts = text.strip_prefix(SCHEME).filter(|_| text.len() <= MOST_TEXT).ok_or_else(invalid)?;
        let (mut server, mut code) = (None, None);
        // What a later version adds is passed over.
        for (name, value) in parts.split('&').filter_map(|part| part.split_once('=')) {
            match name {
                "server" => server = unescaped(value),
                "code" => code = unescaped(value),
                _ => {}
            }
        }
        match (server, code) {
            (Some(server), Some(code)) if !server.is_empty() && !code.is_empty() => Ok(Self { server, code }),
            _ => Err(invalid()),
        }
    }
}

/// With what could be taken for the text's own signs as `%` and two digits.
fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]".contains(&byte);
    text.bytes().map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte == b'%' {
            let (digits, behind) = rest.split_first_chunk::<2>()?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = behind;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_reads_as_it_is_shown() {
        let invitation = Invitation { server: "https://doorstep.example.cn:7300".into(), code: "K7QD-2M9XTA".into() };
        assert_eq!(invitation.to_string(), "doorstep:enrol?code=K7QD-2M9XTA&server=https://doorstep.example.cn:7300");
        assert_eq!(format!(" {invitation}\n").parse(), Ok(invitation));
        assert!("doorstep:enrol?later=1&server=http://a&code=B".parse::<Invitation>().is_ok());
        for wrong in [
            "",
            "https://evil.example",
            "doorstep:enrol?",
            "doorstep:enrol?code=A",
            "doorstep:enrol?code=%F&server=a",
            "doorstep:enrol?code=%ff&server=a",
        ] {
            assert!(wrong.parse::<Invitation>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_holds_comes_back(server in "\\PC{1,40}", code in "\\PC{1,20}") {
            let invitation = Invitation { server, code };
            prop_assume!(invitation.to_string().len() <= MOST_TEXT);
            prop_assert_eq!(invitation.to_string().parse(), Ok(invitation));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = text.parse::<Invitation>();
            let _ = format!("{SCHEME}{text}").parse::<Invitation>();
        }
    }
}
