//! Login, refresh, logout.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::{Asking, Guard};
use crate::accounts::{AccountError, Holder, Pair, Password, Token};
use crate::audit::{Entry, What, Who};
use crate::http::{Json, Origin, RawBody};
use crate::problem::Problem;

/// What a login sends. No `Debug`: it holds a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    name: String,
    password: String,
}

/// `200` with a pair of tokens. A wrong password and an unknown name are answered alike and as slowly.
pub async fn log_in(State(guard): State<Guard>, Origin(from): Origin, Json(shown): Json<Credentials>) -> Result<Json<Value>, Problem> {
    guard.accounts().logins.enter(from)?;
    let Credentials { name, password } = shown;
    let tried = name.clone();
    let password = Password::tried(&password);
    let login = |who| Entry::by(who, What::Login).from(from);
    match guard.hashing(move |accounts| accounts.log_in(&tried, &password)).await? {
        Ok((holder, pair)) => {
            guard.accounts().logins.give_back(from);
            guard.note(login(Who::Account(holder.account)).on(holder.session)).await?;
            Ok(Json(answer(&holder, &pair)))
        }
        Err(error @ AccountError::Credentials { locked }) => {
            // Of the account that was meant, if it is here; never the name, which may be a password in the wrong field.
            let meant = guard.call(move |accounts| accounts.find(name.trim())).await??;
            let failed = meant.as_ref().map_or(login(Who::Nobody), |account| login(Who::Nobody).on(account.id));
            guard.note(failed.clone().refused(error.code())).await?;
            if locked || guard.accounts().logins.is_shut(from) {
                guard.note(Entry { what: What::Locked, ..failed }).await?;
            }
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// What a refresh sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    refresh: String,
}

/// `200` with the next pair; the same again within a minute.
pub async fn refresh(State(guard): State<Guard>, Origin(from): Origin, Json(shown): Json<Refresh>) -> Result<Json<Value>, Problem> {
    let token: Token = shown.refresh.parse().map_err(|_| AccountError::Token)?;
    match guard.call(move |accounts| accounts.refresh(&token)).await? {
        Ok((holder, pair)) => Ok(Json(answer(&holder, &pair))),
        Err(error @ AccountError::Reused { account }) => {
            guard.note(Entry::by(Who::Nobody, What::RefreshReused).from(from).on(account).refused(error.code())).await?;
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// What a change of the password sends. No `Debug`: it holds passwords.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    present: String,
    next: String,
}

/// Gives the account that asks another password, and ends its other sessions.
pub async fn change_password(
    State(guard): State<Guard>,
    asking: Asking,
    Json(change): Json<PasswordChange>,
) -> Result<Json<Value>, Problem> {
    // The operator has no password.
    let session = asking.session.ok_or(AccountError::NotAllowed)?;
    let (present, next) = (Password::tried(&change.present), Password::chosen(&change.next)?);
    let changed = asking.did(What::PasswordChanged);
    match guard.hashing(move |accounts| accounts.change_password(session, &present, &next)).await? {
        Ok(account) => {
            guard.note(changed.on(account)).await?;
            Ok(Json(json!({ "changed": true })))
        }
        // As with a login: once the name is locked, a try more is no record more.
        Err(error @ AccountError::Credentials { locked }) => {
            guard.note(changed.clone().refused(error.code())).await?;
            if locked {
                guard.note(Entry { what: What::Locked, ..changed }).await?;
            }
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Ends the session of the token that was shown.
pub async fn log_out(State(guard): State<Guard>, asking: Asking, _: RawBody) -> Result<Json<Value>, Problem> {
    // The operator has no session to end.
    let session = asking.session.ok_or(AccountError::NotAllowed)?;
    guard.call(move |accounts| accounts.log_out(session)).await??;
    guard.note(asking.did(What::Logout).on(session)).await?;
    Ok(Json(json!({ "ended": true })))
}

fn answer(holder: &Holder, pair: &Pair) -> Value {
    json!({
        "account": holder.account.to_string(),
        "kind": holder.kind.code(),
        "access": pair.access.to_string(),
        "access_expires_at": pair.access_until.0,
        "refresh": pair.refresh.to_string(),
        "expires_at": pair.until.0,
    })
}
