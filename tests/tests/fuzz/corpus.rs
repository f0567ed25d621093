//! What mutants are made of: the vectors, and what was found before.

use std::fs;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The values of all lines `name: hex` of the vector files whose names begin so.
pub fn vectors(files: &str, name: &str) -> Vec<Vec<u8>> {
    let folder = root().join("../core/vectors/sync");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let begins = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(files);
    let texts: Vec<String> = paths.into_iter().filter(begins).map(|path| fs::read_to_string(path).unwrap()).collect();
    let values = texts.iter().flat_map(|text| text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")));
    let found: Vec<Vec<u8>> = values.map(unhex).collect();
    assert!(!found.is_empty(), "no vector {files}* has {name}");
    found
}

/// The cases of a target that were found before.
pub fn found(target: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(root().join("fuzz").join(target)) else { return Vec::new() };
    entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
