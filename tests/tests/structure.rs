//! The structure of the house, read from the files: which room of core may look into which.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each room of core with those that it may use. Good will is not enough: circles creep in one line at a time.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("model", &[]),
    ("cipher", &[]),
    ("docs", &["model", "cipher"]),
    ("workflow", &["model", "docs"]),
    ("policy", &["model", "docs"]),
    ("summary", &["model", "docs", "workflow"]),
    ("store", &["model", "cipher"]),
    ("sync", &["model", "docs", "policy", "summary"]),
    ("field", &["model", "docs", "workflow", "policy", "summary", "store", "sync"]),
    ("text", &["model", "workflow", "policy", "store", "sync", "field"]),
];

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The rooms that a line of code names by `crate::room`, comments left out.
fn rooms_named(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices("crate::")
        .map(|(at, _)| code[at + 7..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>())
        .filter(|room| MAY_USE.iter().any(|(name, _)| name == room))
        .collect()
}

#[test]
fn dependencies_between_the_rooms_of_core_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    let mut wrong = Vec::new();
    for path in rust_files(&core()) {
        let inside = path.strip_prefix(core()).unwrap();
        let room = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let Some(may_use) = allowed.get(room.as_str()) else {
            assert_eq!(room, "lib", "a new room of core needs a row in MAY_USE: {room}");
            continue;
        };
        for (number, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            let strangers = rooms_named(line).into_iter().filter(|named| *named != room && !may_use.contains(&named.as_str()));
            wrong.extend(strangers.map(|named| format!("{}:{} uses {named}", inside.display(), number + 1)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rows_of_the_table_of_rooms_have_no_circle() {
    let mut settled: Vec<&str> = Vec::new();
    let mut left: Vec<(&str, &[&str])> = MAY_USE.to_vec();
    while !left.is_empty() {
        let before = left.len();
        left.retain(|(room, uses)| {
            let ready = uses.iter().all(|used| settled.contains(used));
            if ready {
                settled.push(room);
            }
            !ready
        });
        assert!(left.len() < before, "a circle among {left:?}");
    }
}

#[test]
fn a_line_that_names_a_room_is_seen_and_a_comment_is_not() {
    assert_eq!(rooms_named("use crate::model::{DocId};"), ["model"]);
    assert_eq!(rooms_named("let x = crate::docs::Change::parse(crate::store::row::open(b));"), ["docs", "store"]);
    assert!(rooms_named("//! see [`crate::field`]").is_empty());
}
