//! Who asks: the operator by the token of the data folder, or an account by its access token, and whether it may.
//!
//! Stands before every route of the admin API but login and refresh. Each route says which [`Act`] it is; the table is
//! `accounts::Kind::may`.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use doorstep_core::model::SessionId;
use tokio::sync::Semaphore;

use crate::accounts::{self, AccountError, Accounts, Act, Caller};
use crate::audit::{Audit, Entry, What, Who};
use crate::http::Origin;
use crate::problem::Problem;

/// How many passwords are hashed at once. Each takes 19 MiB and a core for a moment: more would make logins an attack on memory.
const HASHES_AT_ONCE: usize = 2;

/// What the operator must show: `Authorization: Bearer …`.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl Token {
    /// The token as it stands in the file.
    pub fn new(text: &str) -> Self {
        Self(text.trim().into())
    }

    /// Compares in a time that does not tell how much of it was right. No token is the empty one.
    fn is(&self, shown: &str) -> bool {
        let same_length = self.0.len() == shown.len() && !shown.is_empty();
        let differences = self.0.bytes().zip(shown.bytes()).fold(0u8, |sum, (one, other)| std::hint::black_box(sum | (one ^ other)));
        same_length && differences == 0
    }
}

/// Accounts and the audit log, as the handlers use them.
#[derive(Clone)]
pub struct Guard {
    token: Token,
    accounts: Arc<Accounts>,
    audit: Arc<Audit>,
    hashes: Arc<Semaphore>,
}

/// Who asks, from where. An extractor: the guard has put it into the request.
#[derive(Debug, Clone, Copy)]
pub struct Asking {
    /// Who.
    pub caller: Caller,
    /// The session of the access token; the operator has none.
    pub session: Option<SessionId>,
    /// From where.
    pub from: Origin,
}

impl Asking {
    /// The beginning of a record of what is done here.
    pub fn did(&self, what: What) -> Entry {
        Entry::by(Who::from(self.caller), what).from(self.from.0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get().copied().ok_or_else(Problem::internal)
    }
}

impl Guard {
    /// A guard over the accounts of a server.
    pub fn new(token: Token, accounts: Arc<Accounts>, audit: Arc<Audit>) -> Self {
        Self { token, accounts, audit, hashes: Arc::new(Semaphore::new(HASHES_AT_ONCE)) }
    }

    /// Notes what was done; it is on the disk when this returns, and only then may be answered.
    ///
    /// # Errors
    /// A problem where the log takes nothing: nobody may act unseen.
    pub async fn note(&self, entry: Entry) -> Result<(), Problem> {
        let audit = Arc::clone(&self.audit);
        let noted = tokio::task::spawn_blocking(move || audit.note(entry)).await.map_err(|_| Problem::internal())?;
        noted.map(drop).map_err(Problem::from)
    }

    /// Runs a call of the accounts that waits for the disk, but hashes nothing.
    ///
    /// # Errors
    /// As the call says; a panic is a problem.
    pub async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Accounts) -> Result<T, AccountError> + Send + 'static,
    ) -> Result<Result<T, AccountError>, Problem> {
        let accounts = Arc::clone(&self.accounts);
        tokio::task::spawn_blocking(move || call(&accounts)).await.map_err(|_| Problem::internal())
    }

    /// Runs a call of the accounts that hashes a password; some at once, the others queue.
    ///
    /// # Errors
    /// As the call says; a panic is a problem.
    pub async fn hashing<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Accounts) -> Result<T, AccountError> + Send + 'static,
    ) -> Result<Result<T, AccountError>, Problem> {
        let permit = Arc::clone(&self.hashes).acquire_owned().await.map_err(|_| Problem::not_ready())?;
        self.call(move |accounts| {
            let _permit = permit;
            call(accounts)
        })
        .await
    }

    /// The accounts, for what neither waits nor hashes.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The audit log, for a job.
    pub fn log(&self) -> Arc<Audit> {
        Arc::clone(&self.audit)
    }

    /// Runs a call of the audit log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn audit<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Audit) -> Result<T, crate::audit::AuditError> + Send + 'static,
    ) -> Result<T, Problem> {
        let audit = Arc::clone(&self.audit);
        let called = tokio::task::spawn_blocking(move || call(&audit)).await.map_err(|_| Problem::internal())?;
        called.map_err(Problem::from)
    }

    async fn caller(&self, headers: &HeaderMap) -> Result<(Caller, Option<SessionId>), Problem> {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = header.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let shown = shown.map(|(_, shown)| shown.trim()).unwrap_or_default();
        if self.token.is(shown) {
            return Ok((Caller::Operator, None));
        }
        let token: accounts::Token = shown.parse().map_err(|_| no_token())?;
        match self.call(move |accounts| accounts.holder(&token)).await? {
            Ok(holder) => Ok((Caller::Account { id: holder.account, kind: holder.kind }, Some(holder.session))),
            Err(AccountError::Token) => Err(no_token()),
            Err(error) => Err(error.into()),
        }
    }
}

fn no_token() -> Problem {
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "admin.token", "The token is missing, wrong or has ended");
    problem.detail("Log in with `doorstep admin login`, or show the operator's token from the file admin.token of the data folder.")
}

/// The layer before the routes of one act.
pub async fn only_who_may(
    State((guard, act)): State<(Guard, Act)>,
    from: Origin,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (caller, session) = match guard.caller(request.headers()).await {
        Ok(found) => found,
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {
            let mut response = problem.into_response();
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return Ok(response);
        }
        Err(problem) => return Err(problem),
    };
    let asking = Asking { caller, session, from };
    if !caller.may(act) {
        guard.note(asking.did(What::Denied).refused(AccountError::NotAllowed.code())).await?;
        return Err(AccountError::NotAllowed.into());
    }
    request.extensions_mut().insert(asking);
    Ok(next.run(request).await)
}
