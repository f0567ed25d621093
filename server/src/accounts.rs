//! Accounts of the console and the admin API: who may administer, how they show it, and what each may do.
//!
//! There are three kinds of administrators ([`Kind`]), of whom none alone suffices for a sensitive act ([`SensitiveAct`]): it is proposed
//! by one and confirmed by another of another kind, within a day. Which kind may do what is one table ([`Kind::may`]).
//!
//! An account logs in with its password (argon2id) and gets a pair of tokens: one for requests that lives a quarter of an hour, and one
//! that is changed for the next pair. Tokens are kept as hashes only. A refresh token that comes again within a minute gets the same pair,
//! so that an answer which the network lost locks nobody out; later it was stolen from one of two who now hold it, and the session ends for
//! both.
//!
//! Whoever guesses waits: by account after five failures, ever longer, and by address ([`Door`]). Nothing that is answered, and no time
//! that it takes, says whether there is an account of a name.
//!
//! Beside them stands the operator, who shows the token in the data folder: who can read that folder has the machine. The operator makes
//! the first accounts. From then on the operator may propose a sensitive act like everybody, and confirm none.
//!
//! Rows lie in the store of the ledger, in tables of their own (`rows`), so that they are in every backup; sessions end with a restore.
//! Calls block on the disk, and those that take a password on the processor as well: not for an async thread.

mod attempts;
mod error;
mod kind;
mod password;
mod proposal;
mod rows;
mod session;
mod token;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorstep_core::model::{AccountId, Clock, Millis, ProposalId, SessionId};
use doorstep_core::store::{Store, Transaction, transact_with};

pub use attempts::Door;
pub use error::AccountError;
pub use kind::{Act, Caller, Kind};
pub use password::Password;
pub use proposal::{Added, Proposal, SensitiveAct};
pub use rows::Account;
pub use session::Pair;
pub use token::Token;

use crate::hub::SharedEntropy;
use attempts::Attempts;
use password::Hash;
use rows::Tables;

/// The longest name of an account, in characters: four bytes each leave room in a key of the store.
const MOST_NAME: usize = 20;

/// The accounts of a server.
pub struct Accounts {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: SharedEntropy,
    attempts: Mutex<Attempts>,
    /// Where logins come in, by address.
    pub logins: Door,
    /// Where enrolments come in, by address.
    pub enrolments: Door,
    /// What the password of an account that is not here is held against, so that it takes as long as one that is.
    nobody: Hash,
}

/// Who an access token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The account.
    pub account: AccountId,
    /// What it is.
    pub kind: Kind,
    /// The session that the token is of.
    pub session: SessionId,
}

impl Accounts {
    /// The accounts in a store. Hashes one password.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, entropy: SharedEntropy) -> Self {
        let nobody = Hash::of_nobody(&mut *lock(&entropy));
        let logins = Door::new(attempts::LOGINS, Arc::clone(&clock));
        let enrolments = Door::new(attempts::ENROLMENTS, Arc::clone(&clock));
        Self { store, clock, entropy, attempts: Mutex::default(), logins, enrolments, nobody }
    }

    /// Logs an account in. Counts as an attempt on the name before the password is looked at, so that many at once gain nothing.
    ///
    /// # Errors
    /// [`AccountError::TooMany`] while the name is locked, [`AccountError::Credentials`] for a wrong password as for an unknown name.
    pub fn log_in(&self, name: &str, password: &Password) -> Result<(Holder, Pair), AccountError> {
        let now = self.clock.now();
        let name = name.trim();
        lock(&self.attempts).begin(name, now)?;
        let found = self.find(name)?;
        let hash = found.as_ref().map_or(&self.nobody, |account| &account.hash);
        let is_right = hash.is_of(password);
        let account = found.filter(|account| is_right && account.disabled_at.is_none()).ok_or_else(|| self.refused(name, now))?;
        lock(&self.attempts).succeeded(name);
        let (session, pair) = self.begin_session(account.id, now)?;
        Ok((Holder { account: account.id, kind: account.kind, session }, pair))
    }

    /// Gives an account another password. Whoever shows a token shows the present password as well, which counts as an attempt like a login; all
    /// sessions but theirs end, for one of them may be why it is changed. Hashes two passwords.
    ///
    /// # Errors
    /// [`AccountError::TooMany`] and [`AccountError::Credentials`] as for a login; [`AccountError::Token`] where the session has ended meanwhile.
    pub fn change_password(&self, session: SessionId, present: &Password, next: &Password) -> Result<AccountId, AccountError> {
        let now = self.clock.now();
        let account = self.account_of(session)?;
        lock(&self.attempts).begin(&account.name, now)?;
        if !account.hash.is_of(present) {
            return Err(self.refused(&account.name, now));
        }
        lock(&self.attempts).succeeded(&account.name);
        let hash = Hash::make(next, &mut *lock(&self.entropy));
        self.transact(move |tables| {
            // As it is now: it may have been disabled while the password was hashed.
            let account = tables.account(&account.name)?.filter(|now| now.disabled_at.is_none()).ok_or(AccountError::Token)?;
            let id = account.id;
            tables.put_account(&Account { hash, ..account });
            tables.end_sessions_of(id, Some(session))?;
            Ok(id)
        })
    }

    /// A failed attempt, and whether the name is locked by it.
    fn refused(&self, name: &str, now: Millis) -> AccountError {
        AccountError::Credentials { locked: lock(&self.attempts).is_locked(name, now) }
    }

    /// The account of a name, whatever its state; for the audit log of a failed login.
    ///
    /// # Errors
    /// When the store fails.
    pub fn find(&self, name: &str) -> Result<Option<Account>, AccountError> {
        if is_name(name) { Tables::of(&*self.store).account(name) } else { Ok(None) }
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self) -> Result<Vec<Account>, AccountError> {
        Tables::of(&*self.store).accounts()
    }

    /// Whether a name is locked after failures, at the moment.
    pub fn is_locked(&self, name: &str) -> bool {
        lock(&self.attempts).is_locked(name, self.clock.now())
    }

    /// Adds an account; once there has been one of each kind, proposes it instead.
    ///
    /// # Errors
    /// [`AccountError::Exists`], or a rule that the name breaks.
    pub fn add(&self, by: Caller, name: &str, kind: Kind, password: &Password) -> Result<Added, AccountError> {
        let name = name.trim().to_owned();
        if !is_name(&name) {
            let rule = format!("is not 1 to {MOST_NAME} letters, digits, dots, hyphens or low lines");
            return Err(doorstep_core::model::Invalid::new("name", rule).into());
        }
        let now = self.clock.now();
        let (account, proposal) = {
            let mut entropy = lock(&self.entropy);
            let hash = Hash::make(password, &mut *entropy);
            let account = Account { id: AccountId::make(now, &mut *entropy), name, kind, hash, added_at: now, disabled_at: None };
            (account, ProposalId::make(now, &mut *entropy))
        };
        self.transact(move |tables| {
            let accounts = tables.accounts()?;
            if accounts.iter().any(|other| other.name == account.name) {
                return Err(AccountError::Exists);
            }
            if !proposal::takes_two(accounts.iter().map(|account| account.kind)) {
                tables.put_account(&account);
                return Ok(Added::Done(account.id));
            }
            let proposal = Proposal::make(proposal, SensitiveAct::AddAccount(account), by, now);
            tables.put_proposal(&proposal);
            Ok(Added::Proposed(proposal))
        })
    }

    /// Disables an account for ever; its sessions end. Gives what it was.
    ///
    /// # Errors
    /// [`AccountError::NotFound`].
    pub fn disable(&self, name: &str) -> Result<AccountId, AccountError> {
        let (now, name) = (self.clock.now(), name.trim().to_owned());
        self.transact(move |tables| {
            let mut account = if is_name(&name) { tables.account(&name)? } else { None }.ok_or(AccountError::NotFound)?;
            account.disabled_at.get_or_insert(now);
            tables.put_account(&account);
            tables.end_sessions_of(account.id, None)?;
            Ok(account.id)
        })
    }

    /// The proposals that can still be confirmed, the oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn proposals(&self) -> Result<Vec<Proposal>, AccountError> {
        let now = self.clock.now();
        Ok(Tables::of(&*self.store).proposals()?.into_iter().filter(|proposal| now < proposal.until).collect())
    }

    /// Proposes a sensitive act.
    ///
    /// # Errors
    /// When the store fails.
    pub fn propose(&self, by: Caller, act: SensitiveAct) -> Result<Proposal, AccountError> {
        let now = self.clock.now();
        let proposal = Proposal::make(ProposalId::make(now, &mut *lock(&self.entropy)), act, by, now);
        self.transact(move |tables| {
            tables.put_proposal(&proposal);
            Ok(proposal)
        })
    }

    /// Confirms a proposal, which is gone then. What concerns accounts is done with it, in one commit; the rest is the caller's to do.
    ///
    /// # Errors
    /// [`AccountError::NotFound`] also for one whose day is over, [`AccountError::SameKind`] for who may not confirm it.
    pub fn confirm(&self, by: Caller, id: ProposalId) -> Result<Proposal, AccountError> {
        let now = self.clock.now();
        self.transact(move |tables| {
            let proposal = tables.proposal(id)?.filter(|proposal| now < proposal.until).ok_or(AccountError::NotFound)?;
            proposal.check_confirmed_by(by)?;
            match &proposal.act {
                SensitiveAct::AddAccount(account) if tables.account(&account.name)?.is_some() => return Err(AccountError::Exists),
                SensitiveAct::AddAccount(account) => tables.put_account(account),
            }
            tables.delete_proposal(id);
            Ok(proposal)
        })
    }

    /// Removes what has ended: sessions, tokens, proposals. For once an hour.
    ///
    /// # Errors
    /// When the store fails.
    pub fn sweep(&self) -> Result<(), AccountError> {
        let now = self.clock.now();
        self.transact(move |tables| tables.sweep(now))
    }

    /// Ends all sessions: those of a backup may have been ended since.
    ///
    /// # Errors
    /// When the store fails.
    pub fn end_all_sessions(&self) -> Result<(), AccountError> {
        self.transact(|tables| tables.end_all_sessions())
    }

    /// Runs a plan in the order of commits.
    fn transact<T: Send + 'static>(
        &self,
        plan: impl FnOnce(&mut Tables<&mut dyn Transaction>) -> Result<T, AccountError> + Send + 'static,
    ) -> Result<T, AccountError> {
        transact_with(&*self.store, move |transaction| plan(&mut Tables::of(transaction)))?
    }
}

/// Whether text can be the name of an account. What cannot is looked for nowhere.
fn is_name(text: &str) -> bool {
    let is_fine = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    (1..=MOST_NAME).contains(&text.chars().count()) && text.chars().all(is_fine)
}

/// A poisoned lock means that a thread panicked while it held it; what these locks guard is valid at every moment.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
