//! A hostile client over real sockets: somebody with a real device of a real grid who speaks the protocol by hand. Every attack of the table is
//! answered with its own code, changes nothing, and an honest phone beside it notices nothing.

#[path = "hostile/changes.rs"]
mod changes;
#[path = "hostile/envelopes.rs"]
mod envelopes;
#[path = "hostile/rights.rs"]
mod rights;
#[path = "hostile/stage.rs"]
mod stage;

use stage::Stage;

/// What an attack is called, what it must be answered with, and how it is done: the answer is a refusal's or a problem's code, or says in a word
/// what was seen.
type Attack = (&'static str, &'static str, fn(&mut Stage) -> String);

#[test]
fn every_attack_is_answered_with_its_own_code_and_an_honest_phone_notices_nothing() {
    let mut stage = Stage::set();
    let attacks: Vec<Attack> = [changes::ATTACKS, rights::ATTACKS, envelopes::ATTACKS].concat();
    assert!(attacks.len() >= 40, "{}", attacks.len());
    let mut wrong = Vec::new();
    for (number, (name, expected, attack)) in attacks.iter().enumerate() {
        let before = stage.state();
        let answered = attack(&mut stage);
        println!("{:>2}  {name:<74} {answered}", number + 1);
        if answered != *expected {
            wrong.push(format!("{name}: {answered} instead of {expected}"));
        }
        if stage.state() != before {
            wrong.push(format!("{name}: a document has changed"));
        }
        stage.honest_work();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    stage.everything_is_sound();
}
