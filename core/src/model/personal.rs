//! Personal data and free text.

/// A personal field or free text of a resident, party, household, organisation or case.
///
/// Held in clear for now; the type marks what will be sealed per record and field. Its `Debug` shows nothing, so that no log, metric or
/// error can hold it by accident: whoever shows it says [`Personal::reveal`].
#[derive(Clone, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Personal<T>(#[n(0)] T);

impl<T> Personal<T> {
    /// Marks a value as personal.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value in clear, for a screen or for the document.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// Gives the value up.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> std::fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Personal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_holds_what_is_personal() {
        assert!(!format!("{:?}", Personal::new("张三")).contains('张'));
    }
}
