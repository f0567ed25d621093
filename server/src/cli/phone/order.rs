//! The order in which a person looks for doors: `2栋` before `10栋`.

/// A key that sorts a text by its words and by the values of its numbers.
pub(super) fn natural(text: &str) -> Vec<(String, u64)> {
    let mut key = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
        let (number, after) = after.split_at(after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len()));
        // A number of more digits than a door has comes last; so does the end of a text without one.
        key.push((word.to_owned(), number.parse().unwrap_or(u64::MAX)));
        rest = after;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers() {
        let mut doors = ["10栋 1单元101", "2栋 1单元1001", "2栋 1单元201", "附楼", "2栋 2单元101"];
        doors.sort_by_key(|door| natural(door));
        assert_eq!(doors, ["2栋 1单元201", "2栋 1单元1001", "2栋 2单元101", "10栋 1单元101", "附楼"]);
    }
}
