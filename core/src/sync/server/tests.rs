//! The server's machine: nothing leaves before it is durable.

use proptest::prelude::*;

use super::*;
use crate::model::{DeviceId, GroupId, Incarnation};
use crate::sync::{DeviceKey, HashAlgorithm, open_frame};

const LEDGER: LedgerId = LedgerId::from_bytes([3; 16]);
const NOW: Millis = Millis(1_795_449_600_000);

fn request(protocol: u32, ledger: Option<LedgerId>, with_push: bool) -> Request {
    let device = DeviceId::from_bytes([1; 16]);
    let signature = DeviceKey::from_seed(&[9; 32]).sign_push(device, &[]);
    Request {
        protocol,
        device,
        incarnation: Incarnation([2; 8]),
        sent_at: NOW,
        ledger,
        cursors: List(vec![Reading::at(GrantId::from_bytes([4; 16]), Position(70))]),
        push: with_push.then(|| Push { groups: List::default(), hashes: HashAlgorithm::Sha256, signature }),
        offers: None,
        relays: None,
        inbox: None,
        decisions: None,
        signs_out: None,
        keys: None,
        fresh: None,
    }
}

fn verdicts() -> Vec<Verdict> {
    vec![Verdict::AcceptedBefore { group: GroupId::from_bytes([6; 16]) }]
}

fn judged(verdicts: Vec<Verdict>) -> Input {
    Input::Judged { verdicts, accepted_by: Position(80) }
}

fn feed(exchange: &mut Exchange, input: Input) -> Vec<Effect> {
    let mut out = Vec::new();
    exchange.handle(NOW, input, &mut out);
    out
}

fn begin(exchange: &mut Exchange, request: Request) -> Vec<Effect> {
    feed(exchange, Input::Request(Box::new(request)))
}

fn sent(effects: &[Effect]) -> Response {
    let [Effect::Send(frame)] = effects else { panic!("{effects:?}") };
    open_frame(frame).unwrap()
}

#[test]
fn a_push_is_judged_then_the_feed_is_read_then_all_is_made_durable_and_only_then_answered() {
    let mut exchange = Exchange::new(LEDGER);
    assert!(matches!(begin(&mut exchange, request(1, Some(LEDGER), true))[..], [Effect::Judge(_)]));
    assert!(matches!(feed(&mut exchange, judged(verdicts()))[..], [Effect::Read(_)]));
    let page = Page { left: vec![GrantId::from_bytes([4; 16])], backed_up_to: Some(Position(50)), ..Page::default() };
    assert!(matches!(feed(&mut exchange, Input::Page(page))[..], [Effect::AwaitDurable]));
    let response = sent(&feed(&mut exchange, Input::Durable));
    assert_eq!((response.protocol, response.now, response.ledger), (1, NOW, LEDGER));
    assert_eq!(response.verdicts, Some(List(verdicts())));
    assert_eq!(response.left, Some(List(vec![GrantId::from_bytes([4; 16])])));
    assert_eq!((response.backed_up_to, response.least_protocol), (Some(Position(50)), None));
    assert_eq!((response.parts, response.entered, response.lacking), (None, None, None));
}

#[test]
fn an_answer_to_a_request_without_a_push_has_no_verdicts() {
    let mut exchange = Exchange::new(LEDGER);
    assert!(matches!(begin(&mut exchange, request(1, Some(LEDGER), false))[..], [Effect::Read(_)]));
    feed(&mut exchange, Input::Page(Page::default()));
    assert_eq!(sent(&feed(&mut exchange, Input::Durable)).verdicts, None);
}

#[test]
fn of_a_request_that_does_not_count_nothing_is_looked_at() {
    let challenge = crate::sync::Freshness { nonce: crate::sync::Nonce([3; 16]), number: 7 };
    let mut exchange = Exchange::new(LEDGER).leasing(72).challenging(challenge);
    assert!(matches!(begin(&mut exchange, request(1, Some(LEDGER), true))[..], [Effect::AwaitDurable]));
    let response = sent(&feed(&mut exchange, Input::Durable));
    assert_eq!(response, Response { challenge: Some(challenge), ..Response::nothing(NOW, LEDGER) });
    assert!(exchange.into_standing().unwrap().more, "nothing is pushed before the phone has asked again");
}

fn part(from: u64, to: u64, more: Option<bool>) -> Part {
    Part {
        grant: GrantId::from_bytes([4; 16]),
        from: Position(from),
        to: Position(to),
        entries: List::default(),
        more,
        bootstrap: None,
        keys: None,
    }
}

#[test]
fn what_is_pushed_goes_the_same_way_and_says_so() {
    let mut exchange = Exchange::new(LEDGER).pushing();
    assert!(matches!(begin(&mut exchange, request(1, Some(LEDGER), false))[..], [Effect::Read(_)]));
    let page = Page { parts: vec![part(70, 90, None)], ..Page::default() };
    assert!(matches!(feed(&mut exchange, Input::Page(page))[..], [Effect::AwaitDurable]));
    let response = sent(&feed(&mut exchange, Input::Durable));
    assert_eq!((response.pushed, response.verdicts), (Some(true), None));
    let standing = exchange.into_standing().unwrap();
    assert_eq!(standing.request.cursors.0, [Reading::at(GrantId::from_bytes([4; 16]), Position(90))]);
    assert!(!standing.more);
}

#[test]
fn with_nothing_new_nothing_is_pushed_and_the_phone_stands_where_it_stood() {
    let mut exchange = Exchange::new(LEDGER).pushing();
    begin(&mut exchange, request(1, Some(LEDGER), false));
    let page = Page { backed_up_to: Some(Position(3)), ..Page::default() };
    assert!(matches!(feed(&mut exchange, Input::Page(page))[..], [Effect::Nothing]));
    assert_eq!(exchange.into_standing().unwrap().request, request(1, Some(LEDGER), false));
}

#[test]
fn the_standing_follows_grants_and_waits_where_more_is_to_come() {
    let (other, gone) = (GrantId::from_bytes([5; 16]), GrantId::from_bytes([4; 16]));
    let scope = crate::model::Scope::Grid(crate::model::GridId::from_bytes([8; 16]));
    let person = crate::model::PersonId::from_bytes([7; 16]);
    let grant = crate::model::Grant { id: other, person, scope, from: NOW, until: None, role: crate::model::Role::GridWorker };
    let mut exchange = Exchange::new(LEDGER);
    begin(&mut exchange, request(1, None, true));
    feed(&mut exchange, judged(verdicts()));
    let parts = vec![Part { grant: other, ..part(0, 40, Some(true)) }];
    feed(&mut exchange, Input::Page(Page { parts, entered: vec![Entered { grant }], left: vec![gone], ..Page::default() }));
    feed(&mut exchange, Input::Durable);
    let standing = exchange.into_standing().unwrap();
    assert_eq!(standing.request.cursors.0, [Reading::at(other, Position(0))]);
    assert_eq!((standing.request.ledger, standing.request.push.is_none(), standing.more), (Some(LEDGER), true, true));
}

#[test]
fn an_answer_to_an_empty_push_has_an_empty_list_of_verdicts() {
    let mut exchange = Exchange::new(LEDGER);
    begin(&mut exchange, request(1, Some(LEDGER), true));
    feed(&mut exchange, judged(Vec::new()));
    feed(&mut exchange, Input::Page(Page::default()));
    assert_eq!(sent(&feed(&mut exchange, Input::Durable)).verdicts, Some(List::default()));
}

#[test]
fn positions_count_only_in_the_life_of_the_ledger_that_gave_them() {
    for (ledger, position) in [(Some(LEDGER), 70), (None, 0)] {
        let effects = begin(&mut Exchange::new(LEDGER), request(1, ledger, false));
        let [Effect::Read(readings)] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(readings[0].position, Position(position), "{ledger:?}");
    }
}

const OTHER: LedgerId = LedgerId::from_bytes([5; 16]);

fn giving_back(ledger: LedgerId, with_push: bool) -> Request {
    let (doc, kind) = (crate::model::DocId::from_bytes([8; 16]), crate::docs::DocKind::Place);
    let offer = Offer { doc, kind, heads: List::default() };
    let relay = Relay { doc, kind, changes: List::default() };
    Request { offers: Some(List(vec![offer])), relays: Some(List(vec![relay])), ..request(1, Some(ledger), with_push) }
}

#[test]
fn a_phone_of_another_life_learns_of_this_one_before_its_push_is_looked_at_or_anything_is_read() {
    for request in [request(1, Some(OTHER), true), giving_back(OTHER, true)] {
        let mut exchange = Exchange::new(LEDGER);
        assert!(matches!(begin(&mut exchange, request)[..], [Effect::AwaitDurable]));
        let response = sent(&feed(&mut exchange, Input::Durable));
        assert_eq!(response, Response::nothing(NOW, LEDGER));
        let standing = exchange.into_standing().unwrap();
        assert!(standing.more, "nothing is pushed before it asks again");
        assert_eq!((standing.request.ledger, standing.request.cursors.0[0].position), (Some(LEDGER), Position(0)));
    }
}

#[test]
fn what_is_given_back_is_taken_before_a_push_is_judged_and_nothing_is_read() {
    for with_push in [false, true] {
        let mut exchange = Exchange::new(LEDGER);
        let effects = begin(&mut exchange, giving_back(LEDGER, with_push));
        let [Effect::Reconcile { offers, relays }] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!((offers.len(), relays.len()), (1, 1));
        let reconciled = Reconciled { lacking: offers.clone(), accepted_by: Position(90) };
        let mut effects = feed(&mut exchange, Input::Reconciled(reconciled));
        if with_push {
            assert!(matches!(effects[..], [Effect::Judge(_)]));
            effects = feed(&mut exchange, judged(verdicts()));
        }
        assert!(matches!(effects[..], [Effect::AwaitDurable]));
        let response = sent(&feed(&mut exchange, Input::Durable));
        assert_eq!((response.lacking.unwrap().0.len(), response.parts, response.verdicts.is_some()), (1, None, with_push));
        assert_eq!(response.accepted_by, Some(Position(if with_push { 80 } else { 90 })));
    }
}

#[test]
fn a_phone_that_is_too_old_still_hears_what_became_of_its_work() {
    let mut exchange = Exchange::with_least_protocol(LEDGER, 2);
    assert!(matches!(begin(&mut exchange, request(1, Some(LEDGER), true))[..], [Effect::Judge(_)]));
    assert!(matches!(feed(&mut exchange, judged(verdicts()))[..], [Effect::AwaitDurable]));
    let response = sent(&feed(&mut exchange, Input::Durable));
    assert_eq!((response.protocol, response.least_protocol), (1, Some(2)));
    assert_eq!((response.verdicts, response.parts, response.entered), (Some(List(verdicts())), None, None));
}

#[test]
fn a_phone_that_is_newer_is_answered_in_the_version_of_this_server() {
    let mut exchange = Exchange::new(LEDGER);
    begin(&mut exchange, request(7, Some(LEDGER), false));
    feed(&mut exchange, Input::Page(Page::default()));
    assert_eq!(sent(&feed(&mut exchange, Input::Durable)).protocol, PROTOCOL_VERSION);
}

/// The inputs of a whole exchange, in order.
fn whole() -> Vec<Input> {
    vec![Input::Request(Box::new(request(1, Some(LEDGER), true))), judged(verdicts()), Input::Page(Page::default()), Input::Durable]
}

#[test]
fn a_ledger_that_fails_at_any_moment_ends_the_exchange_without_an_answer() {
    for steps in 0..4 {
        let mut exchange = Exchange::new(LEDGER);
        whole().into_iter().take(steps).for_each(|input| drop(feed(&mut exchange, input)));
        assert!(matches!(feed(&mut exchange, Input::Failed)[..], [Effect::Fail]), "after {steps} steps");
        whole().into_iter().for_each(|input| assert!(feed(&mut exchange, input).is_empty()));
    }
}

fn any_input() -> impl Strategy<Value = fn() -> Input> {
    prop_oneof![
        Just((|| Input::Request(Box::new(request(1, None, true)))) as fn() -> Input),
        Just((|| Input::Request(Box::new(request(1, Some(LEDGER), false)))) as fn() -> Input),
        Just((|| Input::Request(Box::new(giving_back(LEDGER, true)))) as fn() -> Input),
        Just((|| Input::Request(Box::new(request(1, Some(OTHER), true)))) as fn() -> Input),
        Just((|| Input::Reconciled(Reconciled::default())) as fn() -> Input),
        Just((|| judged(verdicts())) as fn() -> Input),
        Just((|| Input::Page(Page::default())) as fn() -> Input),
        Just((|| Input::Durable) as fn() -> Input),
        Just((|| Input::Failed) as fn() -> Input),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_nothing_is_sent_but_as_the_answer_to_durable_and_there_is_one_end(
        inputs in proptest::collection::vec(any_input(), 0..10), least in 1u32..3,
    ) {
        let mut exchange = Exchange::with_least_protocol(LEDGER, least);
        let (mut awaited, mut ends) = (false, 0);
        for input in inputs {
            let input = input();
            let is_durable = matches!(input, Input::Durable);
            let effects = feed(&mut exchange, input);
            if ends > 0 {
                prop_assert!(effects.is_empty());
                continue;
            }
            prop_assert_eq!(effects.len(), 1, "a driver always knows what to do next");
            match &effects[0] {
                Effect::Send(_) => {
                    prop_assert!(awaited && is_durable);
                    ends += 1;
                }
                Effect::Fail => ends += 1,
                effect => awaited = matches!(effect, Effect::AwaitDurable),
            }
        }
    }
}
