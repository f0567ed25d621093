//! What is kept of accounts, and where.
//!
//! | table | key behind the table's byte | row |
//! |---|---|---|
//! | `0xE0` account | name, at most 80 bytes | id, kind, hash of the password, when it was added and disabled |
//! | `0xE1` session | session | account, when it ends, which pair is the present one |
//! | `0xE2` token | SHA-256 of a token | session, what the token is for, its pair's number, when it ends |
//! | `0xE3` proposal | proposal | the act, who proposed it and when |
//!
//! The ledger's tables begin at `0x01`, so the two never meet.

use std::ops::ControlFlow;

use doorstep_core::model::{AccountId, Millis, ProposalId, SessionId};
use doorstep_core::store::{Read, Transaction, row};
use minicbor::{Decode, Encode};

use super::AccountError;
use super::kind::Kind;
use super::password::Hash;
use super::proposal::Proposal;
use super::session::{Session, TokenRow};
use super::token::TokenHash;

const ACCOUNT: (u8, &str) = (0xE0, "account");
const SESSION: (u8, &str) = (0xE1, "session");
const TOKEN: (u8, &str) = (0xE2, "token");
const PROPOSAL: (u8, &str) = (0xE3, "proposal");

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Account {
    /// Its id, by which it stands in the audit log.
    #[n(0)]
    pub id: AccountId,
    /// The name that logs in.
    #[n(1)]
    pub name: String,
    /// What it is.
    #[n(2)]
    pub kind: Kind,
    #[n(3)]
    pub(super) hash: Hash,
    /// When it was added.
    #[n(4)]
    pub added_at: Millis,
    /// Since when it is disabled, if it is.
    #[n(5)]
    pub disabled_at: Option<Millis>,
}

/// The tables of accounts over a store, or over a transaction.
pub(super) struct Tables<R>(R);

impl<R: Read> Tables<R> {
    pub fn of(reads: R) -> Self {
        Self(reads)
    }

    pub fn account(&self, name: &str) -> Result<Option<Account>, AccountError> {
        self.get(ACCOUNT, name.as_bytes())
    }

    pub fn accounts(&self) -> Result<Vec<Account>, AccountError> {
        Ok(self.all(ACCOUNT)?.into_iter().map(|(_, account)| account).collect())
    }

    pub fn account_of_id(&self, id: AccountId) -> Result<Option<Account>, AccountError> {
        Ok(self.accounts()?.into_iter().find(|account| account.id == id))
    }

    pub fn session(&self, id: SessionId) -> Result<Option<Session>, AccountError> {
        self.get(SESSION, id.as_bytes())
    }

    pub fn token(&self, hash: TokenHash) -> Result<Option<TokenRow>, AccountError> {
        self.get(TOKEN, &hash.0)
    }

    pub fn proposal(&self, id: ProposalId) -> Result<Option<Proposal>, AccountError> {
        self.get(PROPOSAL, id.as_bytes())
    }

    pub fn proposals(&self) -> Result<Vec<Proposal>, AccountError> {
        Ok(self.all(PROPOSAL)?.into_iter().map(|(_, proposal)| proposal).collect())
    }

    fn get<T: for<'b> Decode<'b, ()>>(&self, table: (u8, &'static str), key: &[u8]) -> Result<Option<T>, AccountError> {
        self.0.get(&key_of(table, key))?.map(|bytes| decode(table, &bytes)).transpose()
    }

    fn all<T: for<'b> Decode<'b, ()>>(&self, table: (u8, &'static str)) -> Result<Vec<(Vec<u8>, T)>, AccountError> {
        let (mut rows, mut failed) = (Vec::new(), None);
        self.0.scan_prefix(&[table.0], &mut |key, bytes| match decode(table, bytes) {
            Ok(value) => {
                rows.push((key.to_vec(), value));
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok(rows), Err)
    }
}

impl Tables<&mut dyn Transaction> {
    pub fn put_account(&mut self, account: &Account) {
        self.put(ACCOUNT, account.name.as_bytes(), account);
    }

    pub fn put_session(&mut self, id: SessionId, session: &Session) {
        self.put(SESSION, id.as_bytes(), session);
    }

    pub fn put_token(&mut self, hash: TokenHash, token: &TokenRow) {
        self.put(TOKEN, &hash.0, token);
    }

    pub fn put_proposal(&mut self, proposal: &Proposal) {
        self.put(PROPOSAL, proposal.id.as_bytes(), proposal);
    }

    pub fn delete_proposal(&mut self, id: ProposalId) {
        self.0.delete(key_of(PROPOSAL, id.as_bytes()));
    }

    /// Ends a session; its tokens lead nowhere from then on, and are swept later.
    pub fn end_session(&mut self, id: SessionId) {
        self.0.delete(key_of(SESSION, id.as_bytes()));
    }

    /// Ends the sessions of an account, but for one.
    pub fn end_sessions_of(&mut self, account: AccountId, but: Option<SessionId>) -> Result<(), AccountError> {
        let spared = but.map(|id| key_of(SESSION, id.as_bytes()));
        let sessions: Vec<(Vec<u8>, Session)> = self.all(SESSION)?;
        let ended = sessions.into_iter().filter(|(key, session)| session.account == account && Some(key) != spared.as_ref());
        ended.for_each(|(key, _)| self.0.delete(key));
        Ok(())
    }

    pub fn end_all_sessions(&mut self) -> Result<(), AccountError> {
        self.delete_where(SESSION, |_: &Session| true)?;
        self.delete_where(TOKEN, |_: &TokenRow| true)
    }

    /// Removes what ended before `now`.
    pub fn sweep(&mut self, now: Millis) -> Result<(), AccountError> {
        self.delete_where(SESSION, |session: &Session| session.until <= now)?;
        self.delete_where(TOKEN, |token: &TokenRow| token.kept_until <= now)?;
        self.delete_where(PROPOSAL, |proposal: &Proposal| proposal.until <= now)
    }

    fn delete_where<T: for<'b> Decode<'b, ()>>(
        &mut self,
        table: (u8, &'static str),
        goes: impl Fn(&T) -> bool,
    ) -> Result<(), AccountError> {
        let rows = self.all(table)?;
        rows.into_iter().filter(|(_, value)| goes(value)).for_each(|(key, _)| self.0.delete(key));
        Ok(())
    }

    fn put(&mut self, table: (u8, &'static str), key: &[u8], value: &impl Encode<()>) {
        let mut bytes = Vec::new();
        // Writing into memory does not fail.
        if minicbor::encode(value, &mut bytes).is_ok() {
            self.0.put(key_of(table, key), row::seal(&bytes));
        }
    }
}

fn key_of(table: (u8, &'static str), key: &[u8]) -> Vec<u8> {
    [&[table.0], key].concat()
}

fn decode<T: for<'b> Decode<'b, ()>>(table: (u8, &'static str), bytes: &[u8]) -> Result<T, AccountError> {
    minicbor::decode(row::open(bytes)?).map_err(|_| AccountError::Damaged { table: table.1 })
}
