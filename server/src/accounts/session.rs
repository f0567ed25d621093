//! Sessions: the pairs of tokens that follow each other from a login on.

use doorstep_core::model::{AccountId, Millis, SessionId};
use minicbor::{Decode, Encode};

use super::rows::Tables;
use super::token::Token;
use super::{Account, AccountError, Accounts, Holder, lock};

/// How long an access token counts, in milliseconds: what a stolen one is good for.
pub(super) const ACCESS_LIFE: i64 = 15 * 60_000;
/// How long a session lasts from its login, in milliseconds: a working day. Refreshing does not prolong it.
pub(super) const SESSION_LIFE: i64 = 12 * 3_600_000;
/// How long a refresh token that was changed gets the same answer again, in milliseconds.
pub(super) const SAME_ANSWER: i64 = 60_000;

/// What a token is for, and what it is derived by.
const ACCESS: &[u8] = b"access";
const REFRESH: &[u8] = b"refresh";

/// A session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Session {
    #[n(0)]
    pub account: AccountId,
    /// When it ends, whatever happens.
    #[n(1)]
    pub until: Millis,
    /// The number of the present pair.
    #[n(2)]
    pub pair: u32,
    /// When the present pair was made.
    #[n(3)]
    pub made_at: Millis,
    /// What made the present pair new.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
}

/// What is known of a token by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct TokenRow {
    #[n(0)]
    pub session: SessionId,
    #[n(1)]
    pub use_: Use,
    /// The number of its pair.
    #[n(2)]
    pub pair: u32,
    /// From when on it counts no more.
    #[n(3)]
    pub until: Millis,
    /// From when on it need not be known any more: a refresh token is known to the end of its session, or its reuse went unseen.
    #[n(4)]
    pub kept_until: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(super) enum Use {
    #[n(0)]
    Access,
    #[n(1)]
    Refresh,
}

/// What a login or a refresh gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// For requests.
    pub access: Token,
    /// When that ends.
    pub access_until: Millis,
    /// For the next pair.
    pub refresh: Token,
    /// When the session ends.
    pub until: Millis,
}

/// What a refresh token leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The next pair.
    Next,
    /// The pair that it led to a moment ago.
    Same,
    /// The end of the session.
    Reuse,
}

/// What to do with the refresh token of pair `shown`, in this state of its session.
fn step(session: &Session, shown: u32, now: Millis) -> Step {
    if shown == session.pair {
        Step::Next
    } else if shown + 1 == session.pair && now.since(session.made_at) <= SAME_ANSWER {
        Step::Same
    } else {
        Step::Reuse
    }
}

impl Accounts {
    /// Begins a session with its first pair, which follows from a token that nobody is shown.
    pub(super) fn begin_session(&self, account: AccountId, now: Millis) -> Result<(SessionId, Pair), AccountError> {
        let (id, first, nonce) = {
            let mut entropy = lock(&self.entropy);
            (SessionId::make(now, &mut *entropy), Token::make(&mut *entropy), nonce(&mut *entropy))
        };
        let session = Session { account, until: now.plus(SESSION_LIFE), pair: 0, made_at: now, nonce };
        let pair = pair_after(&first, &session);
        let kept = pair.clone();
        self.transact(move |tables| {
            keep(tables, id, &session, &kept);
            Ok(())
        })?;
        Ok((id, pair))
    }

    /// Changes a refresh token for the next pair; within a minute the same token gets the same pair again.
    ///
    /// # Errors
    /// [`AccountError::Token`], or [`AccountError::Reused`] when it came later than that: its session is ended.
    pub fn refresh(&self, shown: &Token) -> Result<(Holder, Pair), AccountError> {
        let (now, nonce, shown) = (self.clock.now(), nonce(&mut *lock(&self.entropy)), shown.clone());
        self.transact(move |tables| {
            let row = tables.token(shown.hash())?.filter(|row| row.use_ == Use::Refresh).ok_or(AccountError::Token)?;
            let (holder, session) = live(tables, row.session, now)?;
            match step(&session, row.pair, now) {
                Step::Next => {
                    let session = Session { pair: session.pair.saturating_add(1), made_at: now, nonce, ..session };
                    let pair = pair_after(&shown, &session);
                    keep(tables, row.session, &session, &pair);
                    Ok(Ok((holder, pair)))
                }
                Step::Same => Ok(Ok((holder, pair_after(&shown, &session)))),
                Step::Reuse => {
                    tables.end_session(row.session);
                    // What ends the session has to be committed, so it is no error of the plan.
                    Ok(Err(AccountError::Reused { account: session.account }))
                }
            }
        })?
    }

    /// Who an access token speaks for. A few reads.
    ///
    /// # Errors
    /// [`AccountError::Token`].
    pub fn holder(&self, shown: &Token) -> Result<Holder, AccountError> {
        let now = self.clock.now();
        let tables = Tables::of(&*self.store);
        let row = tables.token(shown.hash())?.filter(|row| row.use_ == Use::Access && now < row.until).ok_or(AccountError::Token)?;
        live(&tables, row.session, now).map(|(holder, _)| holder)
    }

    /// The account of a session that has not ended.
    pub(super) fn account_of(&self, session: SessionId) -> Result<Account, AccountError> {
        let tables = Tables::of(&*self.store);
        let (holder, _) = live(&tables, session, self.clock.now())?;
        tables.account_of_id(holder.account)?.ok_or(AccountError::Token)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the store fails.
    pub fn log_out(&self, session: SessionId) -> Result<(), AccountError> {
        self.transact(move |tables| {
            tables.end_session(session);
            Ok(())
        })
    }
}

/// A session that has not ended, and whose account is not disabled.
fn live(tables: &Tables<impl doorstep_core::store::Read>, id: SessionId, now: Millis) -> Result<(Holder, Session), AccountError> {
    let session = tables.session(id)?.filter(|session| now < session.until).ok_or(AccountError::Token)?;
    let account = tables.account_of_id(session.account)?.filter(|account| account.disabled_at.is_none()).ok_or(AccountError::Token)?;
    Ok((Holder { account: account.id, kind: account.kind, session: id }, session))
}

/// The present pair of a session, which follows from the refresh token before it.
fn pair_after(before: &Token, session: &Session) -> Pair {
    Pair {
        access: before.next(ACCESS, &session.nonce),
        access_until: session.made_at.plus(ACCESS_LIFE).min(session.until),
        refresh: before.next(REFRESH, &session.nonce),
        until: session.until,
    }
}

fn keep(tables: &mut Tables<&mut dyn doorstep_core::store::Transaction>, id: SessionId, session: &Session, pair: &Pair) {
    tables.put_session(id, session);
    let row = TokenRow { session: id, use_: Use::Access, pair: session.pair, until: pair.access_until, kept_until: pair.access_until };
    tables.put_token(pair.access.hash(), &row);
    tables.put_token(pair.refresh.hash(), &TokenRow { use_: Use::Refresh, until: session.until, kept_until: session.until, ..row });
}

fn nonce(entropy: &mut dyn doorstep_core::model::Entropy) -> [u8; 16] {
    let mut nonce = [0; 16];
    entropy.fill(&mut nonce);
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_leads_on_once_the_same_way_for_a_minute_and_then_to_the_end() {
        let made_at = Millis(1_790_000_000_000);
        let session =
            Session { account: AccountId::from_bytes([1; 16]), until: made_at.plus(SESSION_LIFE), pair: 7, made_at, nonce: [0; 16] };
        assert_eq!(step(&session, 7, made_at.plus(3_600_000)), Step::Next);
        assert_eq!(step(&session, 6, made_at.plus(SAME_ANSWER)), Step::Same);
        assert_eq!(step(&session, 6, made_at.plus(SAME_ANSWER + 1)), Step::Reuse);
        assert_eq!(step(&session, 5, made_at), Step::Reuse);
    }
}
