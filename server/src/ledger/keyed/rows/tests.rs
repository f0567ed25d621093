//! Rows are as small as their page says, and are read back.

use super::*;

fn length<T: Encode<()>>(value: &T) -> usize {
    sealed(keys::LOG, value).unwrap().len()
}

/// Bytes on disk are what a change costs; whoever adds to a row sees here what it takes.
#[test]
fn rows_are_as_small_as_this_page_says() {
    let (doc, far) = (DocId::from_bytes([1; 16]), Position(u64::from(u32::MAX)));
    let change = ChangeRow {
        hash: ChangeHash([1; 32]),
        number: 1_000,
        at: Millis(1_795_449_600_000),
        bytes: Some(vec![1; 300]),
        proof: Some(20),
        is_compacted: None,
        seal: Seal([1; 8]),
    };
    assert!(length(&change) <= 300 + 70, "{}", length(&change));
    let row = |kind, entered, bytes, open| FeedRowValue { doc, kind, entered, bytes, open, due: None };
    let standing = row(Some(DocKind::Case), Some(far), Some(3_200), None);
    assert!(length(&standing) <= 30, "{}", length(&standing));
    let open = row(Some(DocKind::Case), Some(far), Some(3_200), Some(1));
    assert!(length(&open) <= 31, "{}", length(&open));
    assert!(length(&row(None, None, None, None)) <= 20);
    assert!(length(&Counters { newest: far, directory_version: 500, directory_at: far }) <= 20);
}

#[test]
fn the_largest_change_that_stays_in_its_row_fits() {
    let (most, at) = (u64::MAX, Millis(i64::MIN));
    let row = ChangeRow {
        hash: ChangeHash([1; 32]),
        number: most,
        at,
        bytes: Some(vec![1; MOST_INLINE]),
        proof: Some(most),
        is_compacted: Some(true),
        seal: Seal([1; 8]),
    };
    assert!(length(&row) <= MOST_VALUE, "{}", length(&row));
    let bytes = sealed(keys::LOG, &row).unwrap();
    assert_eq!(opened::<ChangeRow>(keys::LOG, &bytes).unwrap(), row);
}

#[test]
fn a_change_row_with_and_without_its_options_is_read_back() {
    for (bytes, proof) in [(None, None), (None, Some(3)), (Some(vec![1]), None), (Some(vec![]), Some(0))] {
        let row = ChangeRow { hash: ChangeHash([1; 32]), number: 1, at: Millis(0), bytes, proof, is_compacted: None, seal: Seal([2; 8]) };
        let written = sealed(keys::LOG, &row).unwrap();
        assert_eq!(opened::<ChangeRow>(keys::LOG, &written).unwrap(), row);
    }
}

#[test]
fn a_field_that_a_later_version_added_is_passed_over() {
    let mut bytes = Vec::new();
    let mut encoder = minicbor::Encoder::new(&mut bytes);
    encoder.array(4).unwrap().u64(7).unwrap().u64(2).unwrap().u64(5).unwrap().str("later").unwrap();
    let counters: Counters = opened(keys::COUNTERS, &row::seal(&bytes)).unwrap();
    assert_eq!(counters, Counters { newest: Position(7), directory_version: 2, directory_at: Position(5) });
}
