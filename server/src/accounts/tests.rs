//! Accounts over a store in memory, with a clock of the test's.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use doorstep_core::store::MemoryStore;

use super::proposal::PROPOSAL_LIFE;
use super::session::{ACCESS_LIFE, SAME_ANSWER, SESSION_LIFE};
use super::*;
use crate::system::SystemEntropy;

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

struct Scene {
    accounts: Accounts,
    clock: Arc<TestClock>,
}

fn scene() -> Scene {
    let clock = Arc::new(TestClock(AtomicI64::new(1_790_000_000_000)));
    let accounts = Accounts::new(Arc::new(MemoryStore::default()), clock.clone(), Arc::new(Mutex::new(SystemEntropy)));
    Scene { accounts, clock }
}

fn password() -> Password {
    Password::chosen("correct horse battery").unwrap()
}

impl Scene {
    fn later(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// An account that the operator adds while that is free, and who it is.
    fn with(&self, name: &str, kind: Kind) -> Caller {
        match self.accounts.add(Caller::Operator, name, kind, &password()).unwrap() {
            Added::Done(id) => Caller::Account { id, kind },
            Added::Proposed(proposal) => panic!("{proposal:?}"),
        }
    }

    fn log_in(&self, name: &str) -> (Holder, Pair) {
        self.accounts.log_in(name, &password()).unwrap()
    }
}

#[test]
fn a_login_gives_tokens_that_speak_for_the_account_until_they_end() {
    let scene = scene();
    scene.with("lan", Kind::Security);
    let (holder, pair) = scene.log_in(" lan ");
    assert_eq!((holder.kind, scene.accounts.holder(&pair.access)), (Kind::Security, Ok(holder)));
    assert_eq!(scene.accounts.holder(&pair.refresh), Err(AccountError::Token), "a refresh token is no access token");
    assert_eq!(scene.accounts.refresh(&pair.access), Err(AccountError::Token), "nor the other way round");
    scene.later(ACCESS_LIFE);
    assert_eq!(scene.accounts.holder(&pair.access), Err(AccountError::Token));
    let (_, next) = scene.accounts.refresh(&pair.refresh).unwrap();
    assert_eq!((scene.accounts.holder(&next.access), next.until), (Ok(holder), pair.until));
    scene.later(SESSION_LIFE - ACCESS_LIFE);
    assert_eq!(scene.accounts.refresh(&next.refresh), Err(AccountError::Token), "refreshing prolonged the session");
}

#[test]
fn a_token_that_was_forged_counts_for_nothing_and_ends_nothing() {
    let scene = scene();
    scene.with("lan", Kind::Security);
    let (holder, pair) = scene.log_in("lan");
    let flip = |token: &Token| {
        let mut text = token.to_string();
        let other = if text.starts_with('0') { "1" } else { "0" };
        text.replace_range(0..1, other);
        text.parse::<Token>().unwrap()
    };
    assert_eq!(scene.accounts.holder(&flip(&pair.access)), Err(AccountError::Token));
    assert_eq!(scene.accounts.refresh(&flip(&pair.refresh)), Err(AccountError::Token));
    assert_eq!(scene.accounts.holder(&pair.access), Ok(holder));
}

#[test]
fn a_refresh_that_is_repeated_within_a_minute_gets_the_same_pair() {
    let scene = scene();
    scene.with("lan", Kind::Security);
    let (_, pair) = scene.log_in("lan");
    let first = scene.accounts.refresh(&pair.refresh).unwrap();
    scene.later(SAME_ANSWER);
    assert_eq!(scene.accounts.refresh(&pair.refresh).unwrap(), first);
    assert!(scene.accounts.refresh(&first.1.refresh).is_ok());
}

#[test]
fn a_refresh_token_that_comes_again_later_ends_the_session_of_both_who_hold_it() {
    let scene = scene();
    scene.with("lan", Kind::Security);
    let (holder, pair) = scene.log_in("lan");
    let (_, next) = scene.accounts.refresh(&pair.refresh).unwrap();
    scene.later(SAME_ANSWER + 1);
    assert_eq!(scene.accounts.refresh(&pair.refresh), Err(AccountError::Reused { account: holder.account }));
    assert_eq!(scene.accounts.holder(&next.access), Err(AccountError::Token));
    assert_eq!(scene.accounts.refresh(&next.refresh), Err(AccountError::Token));
    assert!(scene.accounts.log_in("lan", &password()).is_ok());
}

#[test]
fn a_session_ends_with_its_logout_and_with_its_account() {
    let scene = scene();
    scene.with("lan", Kind::Security);
    let (holder, pair) = scene.log_in("lan");
    let (_, other) = scene.log_in("lan");
    scene.accounts.log_out(holder.session).unwrap();
    assert_eq!(scene.accounts.holder(&pair.access), Err(AccountError::Token));
    assert!(scene.accounts.holder(&other.access).is_ok());
    assert_eq!(scene.accounts.disable("lan"), Ok(holder.account));
    assert_eq!(scene.accounts.holder(&other.access), Err(AccountError::Token));
    assert_eq!(scene.accounts.log_in("lan", &password()).unwrap_err(), AccountError::Credentials { locked: false });
}

#[test]
fn guessing_locks_a_name_whether_there_is_an_account_of_it_or_not() {
    let scene = scene();
    scene.with("lan", Kind::Security);
    for name in ["lan", "nobody"] {
        let guess = || scene.accounts.log_in(name, &Password::tried("password1234")).unwrap_err();
        (0..4).for_each(|_| assert_eq!(guess(), AccountError::Credentials { locked: false }));
        assert_eq!(guess(), AccountError::Credentials { locked: true });
        let too_many = AccountError::TooMany { wait: Duration::from_secs(60) };
        assert_eq!((guess(), scene.accounts.log_in(name, &password()).unwrap_err()), (too_many.clone(), too_many));
    }
    scene.later(60_000);
    assert!(scene.accounts.log_in("lan", &password()).is_ok());
    assert!(!scene.accounts.is_locked("lan"));
}

#[test]
fn once_there_is_one_of_each_kind_another_kind_confirms_a_new_administrator() {
    let scene = scene();
    let [system, security, auditor] = [("x", Kind::System), ("a", Kind::Security), ("s", Kind::Auditor)].map(|(n, k)| scene.with(n, k));
    let add = |by, name| match scene.accounts.add(by, name, Kind::Security, &password()).unwrap() {
        Added::Proposed(proposal) => proposal.id,
        Added::Done(id) => panic!("{id} was added by one alone"),
    };
    let id = add(security, "second");
    assert!(scene.accounts.log_in("second", &password()).is_err());
    assert_eq!(scene.accounts.confirm(security, id), Err(AccountError::SameKind));
    assert_eq!(scene.accounts.confirm(Caller::Operator, id), Err(AccountError::NotAllowed));
    assert!(scene.accounts.confirm(auditor, id).is_ok());
    assert!(scene.accounts.log_in("second", &password()).is_ok());
    assert_eq!(scene.accounts.confirm(auditor, id), Err(AccountError::NotFound), "confirmed twice");

    let by_operator = add(Caller::Operator, "third");
    assert_eq!(scene.accounts.proposals().unwrap().len(), 1);
    assert!(scene.accounts.confirm(system, by_operator).is_ok());
    let late = add(security, "fourth");
    scene.later(PROPOSAL_LIFE);
    assert_eq!(scene.accounts.confirm(system, late), Err(AccountError::NotFound));
    assert!(scene.accounts.proposals().unwrap().is_empty());
    scene.accounts.disable("s").unwrap();
    add(security, "fifth");
}

#[test]
fn a_name_is_given_once_and_keeps_to_its_letters() {
    let scene = scene();
    scene.with("王建国", Kind::System);
    let add = |name: &str| scene.accounts.add(Caller::Operator, name, Kind::System, &password()).unwrap_err().code();
    assert_eq!(add("王建国"), "account.exists");
    for bad in ["", " ", "a b", "a/b", "a\u{0}", &"字".repeat(21)] {
        assert_eq!(add(bad), "account.invalid", "{bad}");
    }
    assert!(scene.accounts.log_in(&"字".repeat(100), &password()).is_err());
}

#[test]
fn what_has_ended_is_swept_and_what_has_not_stays() {
    let scene = scene();
    scene.with("lan", Kind::Security);
    scene.log_in("lan");
    scene.later(SESSION_LIFE / 2);
    let (holder, pair) = scene.log_in("lan");
    scene.later(SESSION_LIFE / 2);
    scene.accounts.sweep().unwrap();
    let kept = |table: u8| {
        let mut count = 0;
        let mut counted = |_: &[u8], _: &[u8]| {
            count += 1;
            std::ops::ControlFlow::Continue(())
        };
        doorstep_core::store::Read::scan_prefix(&*scene.accounts.store, &[table], &mut counted).unwrap();
        count
    };
    // Of the later session the refresh token is left: its access token has ended.
    assert_eq!((kept(0xE0), kept(0xE1), kept(0xE2)), (1, 1, 1));
    assert_eq!(scene.accounts.refresh(&pair.refresh).unwrap().0, holder);
    scene.accounts.end_all_sessions().unwrap();
    assert_eq!((kept(0xE0), kept(0xE1), kept(0xE2)), (1, 0, 0));
}
