//! The memory of the server depends on its settings and not on how many documents there are.

use doorstep_core::docs::{DocKind, Document, Write};
use doorstep_tests::handmade::{Handmade, fresh_doc, group_of};
use doorstep_tests::process::{Options, ServerProcess};
use doorstep_tests::street::{Street, TINY};

const DOCUMENTS: usize = 5_000;
const A_PUSH: usize = 100;

/// How the resident memory of a server with so much cache grows, in kilobytes, from a fifth of the documents to all of them, written and read.
fn growth(cache_megabytes: u32) -> i64 {
    let street = Street::build(TINY);
    let [code] = street.codes([street.worker(0)]);
    let flags = vec![format!("--cache-megabytes={cache_megabytes}"), "--store-cache-megabytes=8".into()];
    let server = ServerProcess::start(&street.data(), &Options { flags, ..Options::default() });
    let device = Handmade::enrol(server.url(), &code);
    let mut after_a_fifth = 0;
    for push in 1..=DOCUMENTS / A_PUSH {
        let groups = (0..A_PUSH).map(|_| {
            let mut document = Document::new(DocKind::Household, fresh_doc()).unwrap();
            let remark = "有两只狗,先打电话。".repeat(10);
            let change = device.edit(
                &mut document,
                &[Write::set("grid", street.grid(0).as_bytes()), Write::set("door", "101"), Write::set("remark", remark.as_str())],
            );
            group_of(&document, &change)
        });
        let verdicts = device.verdicts(groups.collect());
        assert!(verdicts.iter().all(|verdict| verdict == "accepted"));
        if push == DOCUMENTS / A_PUSH / 5 {
            device.read_everything();
            after_a_fifth = server.resident_kilobytes();
        }
    }
    assert!(device.read_everything() >= DOCUMENTS);
    server.resident_kilobytes() as i64 - after_a_fifth as i64
}

#[test]
fn five_thousand_documents_take_no_more_memory_than_one_thousand() {
    let bounded = growth(16);
    let unbounded = growth(1_024);
    println!("from 1,000 to 5,000 documents: {bounded} kB more with a cache of 16 MB, {unbounded} kB more with one of 1 GB");
    assert!(bounded < 40_000, "{bounded} kB more for 4,000 documents more");
    // With room for all of them they are kept: so the first number says something.
    assert!(unbounded > 2 * bounded.max(20_000), "{unbounded} kB");
}
