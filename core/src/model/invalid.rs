//! What is said of input that breaks a rule.

/// A value from outside that breaks a rule. Holds the names of the field and of the rule, never the value: it may be personal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct Invalid {
    /// The field, as the caller knows it: `door`, `findings`, `phone`.
    pub field: &'static str,
    /// The rule in plain words: `is empty`, `is longer than 2000 characters`.
    pub rule: String,
}

impl Invalid {
    /// Names a field and the rule that it breaks.
    pub fn new(field: &'static str, rule: impl Into<String>) -> Self {
        Self { field, rule: rule.into() }
    }

    /// Trims `text` and checks that it is neither empty nor longer than `most` characters.
    ///
    /// # Errors
    /// Names `field` and the rule.
    pub fn check_text(field: &'static str, text: &str, most: usize) -> Result<String, Self> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Self::new(field, "is empty"));
        }
        if text.chars().count() > most {
            return Err(Self::new(field, format!("is longer than {most} characters")));
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(Self::new(field, "holds control characters"));
        }
        Ok(text.to_owned())
    }
}
