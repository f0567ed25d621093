//! One device that asks for more than its share, from many connections at once: it is told to wait, and who is beside it notices nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use doorstep_core::docs::DocKind;
use doorstep_core::sync::{Request, Response, open_frame};
use doorstep_tests::handmade::{fresh_doc, group, pushed, random_bytes};

use crate::siege::Siege;

/// What the server promises to the others: no device has more of it at once than 64 MB, and 256 kB more with each second.
const BURST_BYTES: u64 = 64 << 20;
const BYTES_A_SECOND: u64 = 256 << 10;
const CONNECTIONS: u64 = 4;
/// How much is sent in all: twice what a burst lets through.
const SENT: u64 = 2 * BURST_BYTES;
const JUNK_BYTES: usize = 40_000;
const JUNK_GROUPS: usize = 5;

#[test]
fn a_device_that_floods_is_told_to_wait_and_others_are_served_beside_it() {
    let siege = Siege::begin();
    let (served, turned_away, sent) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let begun = Instant::now();
    // What is signed by a device of the street, and nothing but junk that does not compress.
    let junk = || group([pushed(fresh_doc(), DocKind::Household, &random_bytes(JUNK_BYTES))]);
    let request: Request = siege.attacker.request(Some(siege.attacker.push((0..JUNK_GROUPS).map(|_| junk()).collect())));
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                while sent.load(Ordering::SeqCst) < SENT {
                    let frame = siege.attacker.frame(&request);
                    let size = frame.len() as u64;
                    sent.fetch_add(size, Ordering::SeqCst);
                    let answer = siege.attacker.post(&frame);
                    match (answer.status, answer.code.as_deref()) {
                        (503, Some("server.busy")) => drop(turned_away.fetch_add(1, Ordering::SeqCst)),
                        // Two overtook each other: a challenge costs the server nothing, and counts for nothing.
                        (200, _) if open_frame::<Response>(&answer.body).unwrap().challenge.is_some() => {}
                        (200, _) => drop(served.fetch_add(size, Ordering::SeqCst)),
                        other => panic!("{other:?}"),
                    }
                }
            });
        }
    });
    let most = BURST_BYTES + BYTES_A_SECOND * (begun.elapsed().as_secs() + 1);
    let (served, turned_away) = (served.into_inner(), turned_away.into_inner());
    println!("{served} bytes of {SENT} were served, {turned_away} requests turned away");
    assert!(turned_away > 0 && served > 0);
    assert!(served <= most, "{served} bytes were served, {most} is the share");
    siege.end(|_, _| {});
}
