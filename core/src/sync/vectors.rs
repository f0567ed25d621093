//! The vectors of `core/vectors/sync`: made anew in memory and compared with the files, and read as a stranger's client would read them.
//!
//! With `WRITE_VECTORS` set the files are written anew. A difference in a file that was released is a break of the protocol.

mod cast;
mod diagnostic;
mod documents;
mod messages;
mod rows;
mod tables;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::sync::frame::{FrameError, decode};
use crate::sync::{EnrolRequest, EnrolResponse, Request, Response, Signed, open_frame};

/// A file: its name without `.txt`, and its text.
type Vector = (&'static str, String);

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/sync"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn files() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder()).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

/// The lines `name: value` of a file, up to its diagnostic notation.
fn lines(text: &str) -> BTreeMap<&str, &str> {
    text.lines().take_while(|line| *line != "diagnostic:").filter_map(|line| line.split_once(": ")).collect()
}

#[test]
fn the_files_are_what_this_code_makes() {
    let mut made: Vec<Vector> = messages::all();
    made.extend(rows::all());
    made.extend(tables::all());
    made.push(documents::vector());
    if std::env::var_os("WRITE_VECTORS").is_some() {
        for (name, text) in &made {
            std::fs::write(folder().join(format!("{name}.txt")), text).unwrap();
        }
    }
    let files = files();
    for (name, text) in &made {
        assert_eq!(files.get(*name), Some(text), "{name}.txt");
    }
    assert_eq!(files.len(), made.len(), "a file that nothing makes");
}

/// Every message is found in its frame, with the signature that it needs, from nothing but what stands in the file.
#[test]
fn a_reader_of_the_files_alone_finds_every_message_in_its_frame() {
    let mut count = 0;
    for (name, text) in files() {
        let lines = lines(&text);
        let (Some(message), Some(frame)) = (lines.get("message"), lines.get("frame")) else { continue };
        let (frame, payload) = (unhex(frame), unhex(lines["payload"]));
        match *message {
            "Request" | "EnrolRequest" => {
                let signed: Signed = open_frame(&frame).unwrap();
                assert_eq!(signed.payload, payload, "{name}");
                let key = crate::sync::PublicKey { algorithm: 1, bytes: unhex(lines["public-key"]).try_into().unwrap() };
                assert_eq!(key.verify_request(&signed), Ok(()), "{name}");
                let is_message =
                    if *message == "Request" { signed.open::<Request>().is_ok() } else { signed.open::<EnrolRequest>().is_ok() };
                assert!(is_message, "{name}");
            }
            "Response" => assert_eq!(open_frame::<Response>(&frame).unwrap(), decode(&payload).unwrap(), "{name}"),
            "EnrolResponse" => assert_eq!(open_frame::<EnrolResponse>(&frame).unwrap(), decode(&payload).unwrap(), "{name}"),
            other => panic!("{name} holds a {other}"),
        }
        count += 1;
    }
    assert!(count >= 12);
}

/// Frames that must be refused, with the code that must be given.
#[test]
fn every_frame_of_the_list_is_refused_with_its_code() {
    let text = files().remove("refused-frames").unwrap();
    let lines: Vec<(&str, &str)> = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect();
    assert!(lines.len() > 10);
    for (code, rest) in lines {
        let frame = unhex(rest.split_once(' ').unwrap().0);
        let error = match open_frame::<Signed>(&frame) {
            Err(error) => error,
            Ok(signed) => signed.open::<Request>().unwrap_err(),
        };
        assert_eq!(FrameError::code(&error), code, "{rest}");
    }
}

/// The bytes of a code block of the page: what stands before two spaces on each line.
fn bytes_of_block(block: &str) -> Vec<u8> {
    let hex: String = block.lines().map(|line| line.trim().split("  ").next().unwrap_or_default().replace(' ', "")).collect();
    unhex(&hex)
}

#[test]
fn the_example_of_the_page_is_that_of_the_files() {
    let page = include_str!("PROTOCOL.md");
    let example = page.split_once("## 17.").unwrap().1;
    let blocks: Vec<&str> = example.split("```").skip(1).step_by(2).collect();
    let files = files();
    for (block, name) in blocks.iter().zip(["request-nothing-new", "response-nothing-new"]) {
        let frame = bytes_of_block(block);
        assert_eq!(hex(&frame), lines(&files[name])["frame"], "{name}");
        assert!(page.contains(&format!("{} bytes", frame.len())));
    }
    assert_eq!(blocks.len(), 2);
}

#[test]
fn the_page_says_every_limit_as_it_is() {
    use crate::docs::layout::{MOST_KEY_BYTES, MOST_VALUE_BYTES};
    use crate::sync::*;
    let page = include_str!("PROTOCOL.md");
    let table = page.split_once("## 3.").unwrap().1.split_once("## 4.").unwrap().0;
    let limits = [
        ("a frame as it travels", MOST_FRAME_BYTES),
        ("a message, inflated", MOST_MESSAGE_BYTES),
        ("depth of arrays", MOST_DEPTH),
        ("bytes of changes in one push", MOST_PUSH_BYTES),
        ("groups in a push", MOST_GROUPS),
        ("changes in a group", MOST_GROUP_CHANGES),
        ("cursors in a request", MOST_GRANTS),
        ("entries in a part", MOST_ENTRIES),
        ("changes in an entry", MOST_ENTRY_CHANGES),
        ("offers in a request", MOST_OFFERS),
        ("groups of late work", MOST_LATE),
        ("records whose keys are in a request", MOST_WRAPPED_KEYS),
        ("keys of a record", crate::docs::MOST_KEYS),
        ("a resume key", MOST_RESUME_KEY_BYTES),
        ("a reason code", MOST_CODE_BYTES),
        ("an enrolment code as typed", MOST_ENROLMENT_CODE_BYTES),
        ("a phone's label", MOST_LABEL_BYTES),
        ("a person's name", MOST_NAME_BYTES),
        ("one change", crate::docs::MOST_CHANGE_BYTES),
        ("side by side", crate::docs::wellformed::MOST_HEADS),
        ("an operation counter", crate::docs::wellformed::MOST_OP_COUNTER as usize),
        ("a key in a document", MOST_KEY_BYTES),
        ("a text or byte string in a document", MOST_VALUE_BYTES),
    ];
    for (what, most) in limits {
        let row = table.lines().find(|line| line.starts_with('|') && line.contains(what)).unwrap_or_else(|| panic!("no row for {what}"));
        assert!(row.replace(',', "").contains(&most.to_string()), "{what}: {most}");
    }
}
