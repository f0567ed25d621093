//! Property: rows written as CSV and read again are the same rows, in each encoding.

use super::*;
use doorstep_core::model::{Personal, Phone, PlaceKind, Point, Tag};
use encoding_rs::GB18030;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// What a person types into a cell, with all that needs quoting in it; trimmed, as the reader gives it back.
fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9,\"\n\t \u{4E00}-\u{9FA5}\u{20000}-\u{2A6D6}（）·，。éж-]{0,12}[a-z0-9\u{4E00}-\u{9FA5}]"
        .prop_map(|text| text.trim().to_owned())
}

fn words() -> impl Strategy<Value = Vec<String>> {
    vec("[a-z\u{4E00}-\u{9FA5}]{1,8}", 0..4).prop_map(|mut words| {
        let mut seen = std::collections::BTreeSet::new();
        words.retain(|word| seen.insert(word.clone()));
        words
    })
}

fn tags() -> impl Strategy<Value = Vec<Tag>> {
    words().prop_map(|words| words.iter().map(|word| word.parse().unwrap()).collect())
}

/// The accuracy is that which the reader assumes.
fn point() -> impl Strategy<Value = Point> {
    (-900_000_000_i64..=900_000_000, -1_800_000_000_i64..=1_800_000_000).prop_map(|(lat, lon)| Point::from_e7(lat, lon, 30).unwrap())
}

fn place() -> impl Strategy<Value = PlaceRow> {
    let kind = prop_oneof![Just(PlaceKind::Building), Just(PlaceKind::Alley), Just(PlaceKind::Yard)];
    let texts = [(); 6].map(|()| option::of(text()));
    (text(), kind, text(), texts, option::of(point()), tags()).prop_map(|(name, kind, grid, texts, point, tags)| {
        let [community, address, estate, property_company, developer, owners_committee] = texts;
        PlaceRow { line: 0, name, kind, grid, community, address, estate, point, tags, property_company, developer, owners_committee }
    })
}

fn household() -> impl Strategy<Value = HouseholdRow> {
    let personal = || option::of(text().prop_map(Personal::new));
    let phone = option::of("[0-9]{5,15}".prop_map(|digits| Personal::new(digits.parse::<Phone>().unwrap())));
    let residents = words().prop_map(|names| names.into_iter().map(Personal::new).collect());
    ([text(), text(), text()], option::of(text()), personal(), phone, personal(), tags(), residents).prop_map(
        |([place, grid, door], estate, contact, phone, remark, tags, residents)| HouseholdRow {
            line: 0,
            place,
            estate,
            grid,
            door,
            contact,
            phone,
            remark,
            tags,
            residents,
        },
    )
}

fn shown<T: AsRef<str>>(cell: &Option<T>) -> String {
    cell.as_ref().map_or_else(String::new, |text| text.as_ref().to_owned())
}

fn joined(tags: &[Tag]) -> String {
    tags.iter().map(Tag::as_str).collect::<Vec<_>>().join("；")
}

fn degrees(e7: i32) -> String {
    let (sign, e7) = (if e7 < 0 { "-" } else { "" }, e7.unsigned_abs());
    format!("{sign}{}.{:07}", e7 / 10_000_000, e7 % 10_000_000)
}

fn place_cells(row: &PlaceRow) -> Vec<String> {
    let coordinate = |of: fn(&Point) -> i32| row.point.as_ref().map_or_else(String::new, |point| degrees(of(point)));
    vec![
        row.name.clone(),
        row.kind.code().to_owned(),
        row.grid.clone(),
        shown(&row.community),
        shown(&row.address),
        shown(&row.estate),
        coordinate(Point::lat_e7),
        coordinate(Point::lon_e7),
        joined(&row.tags),
        shown(&row.property_company),
        shown(&row.developer),
        shown(&row.owners_committee),
    ]
}

fn household_cells(row: &HouseholdRow) -> Vec<String> {
    vec![
        row.place.clone(),
        shown(&row.estate),
        row.grid.clone(),
        row.door.clone(),
        shown(&row.contact.as_ref().map(Personal::reveal)),
        row.phone.as_ref().map_or_else(String::new, |phone| phone.reveal().as_str().to_owned()),
        shown(&row.remark.as_ref().map(Personal::reveal)),
        joined(&row.tags),
        row.residents.iter().map(|name| name.reveal().as_str()).collect::<Vec<_>>().join("、"),
    ]
}

/// Writes a file with the Chinese names of the columns. Gives it in each encoding, and the line on which each row begins.
fn written(columns: &[Column], crlf: bool, rows: &[Vec<String>]) -> (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u64>) {
    let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
    let mut writer = csv::WriterBuilder::new().terminator(end).from_writer(Vec::new());
    writer.write_record(columns.iter().map(|column| column.chinese[0])).unwrap();
    let (mut lines, mut line) = (Vec::new(), 2);
    for row in rows {
        writer.write_record(row).unwrap();
        lines.push(line);
        line += 1 + row.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
    }
    let plain = writer.into_inner().unwrap();
    let marked = [b"\xEF\xBB\xBF", &plain[..]].concat();
    let (gb, _, lost) = GB18030.encode(std::str::from_utf8(&plain).unwrap());
    assert!(!lost);
    let gb = gb.into_owned();
    (plain, marked, gb, lines)
}

proptest! {
    #[test]
    fn places_are_read_back_as_they_were_written(mut rows in vec(place(), 0..6), crlf: bool) {
        rows.iter_mut().enumerate().for_each(|(at, row)| row.name.insert_str(0, &at.to_string())); // names are unique
        let (plain, marked, gb, lines) = written(place::COLUMNS, crlf, &rows.iter().map(place_cells).collect::<Vec<_>>());
        rows.iter_mut().zip(lines).for_each(|(row, line)| row.line = line);
        for bytes in [plain, marked, gb] {
            prop_assert_eq!(&parse_places(&bytes).unwrap(), &rows);
        }
    }

    #[test]
    fn households_are_read_back_as_they_were_written(mut rows in vec(household(), 0..6), crlf: bool) {
        rows.iter_mut().enumerate().for_each(|(at, row)| row.door.insert_str(0, &at.to_string())); // doors are unique
        let (plain, marked, gb, lines) = written(household::COLUMNS, crlf, &rows.iter().map(household_cells).collect::<Vec<_>>());
        rows.iter_mut().zip(lines).for_each(|(row, line)| row.line = line);
        for bytes in [plain, marked, gb] {
            prop_assert_eq!(&parse_households(&bytes).unwrap(), &rows);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r')], 0..300)) {
        let header = "名称,类型,网格\n".as_bytes();
        let _ = parse_places(&bytes);
        let _ = parse_places(&[header, &bytes].concat());
    }
}
