//! Accounts, and the sensitive acts that wait for a second one.

use axum::extract::State;
use axum::http::StatusCode;
use doorstep_core::model::{Invalid, ProposalId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::{Asking, Guard};
use crate::accounts::{Account, Added, Caller, Kind, Password, Proposal, SensitiveAct};
use crate::audit::What;
use crate::http::{Json, Path, RawBody};
use crate::problem::Problem;

/// All accounts. Nothing of their passwords.
pub async fn list(State(guard): State<Guard>) -> Result<Json<Value>, Problem> {
    let accounts = guard.call(|accounts| accounts.list()).await??;
    Ok(Json(accounts.iter().map(|account| row(&guard, account)).collect()))
}

fn row(guard: &Guard, account: &Account) -> Value {
    json!({
        "id": account.id.to_string(),
        "name": account.name,
        "kind": account.kind.code(),
        "added_at": account.added_at.0,
        "disabled_at": account.disabled_at.map(|at| at.0),
        "locked": guard.accounts().is_locked(&account.name),
    })
}

/// A new account. No `Debug`: it holds a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    name: String,
    kind: String,
    password: String,
}

/// `201` where it is there, `202` where another kind has to confirm it.
pub async fn add(State(guard): State<Guard>, asking: Asking, Json(new): Json<NewAccount>) -> Result<(StatusCode, Json<Value>), Problem> {
    let kind: Kind = new.kind.parse()?;
    let password = Password::chosen(&new.password)?;
    let (name, caller) = (new.name, asking.caller);
    match guard.hashing(move |accounts| accounts.add(caller, &name, kind, &password)).await?? {
        Added::Done(id) => {
            guard.note(asking.did(What::AccountAdded).on(id)).await?;
            Ok((StatusCode::CREATED, Json(json!({ "id": id.to_string() }))))
        }
        Added::Proposed(proposal) => {
            guard.note(on_proposal(&asking, What::Proposed, &proposal)).await?;
            Ok((StatusCode::ACCEPTED, Json(json!({ "proposal": shown(&proposal) }))))
        }
    }
}

/// Disables an account for ever.
pub async fn disable(State(guard): State<Guard>, asking: Asking, Path(name): Path<String>, _: RawBody) -> Result<Json<Value>, Problem> {
    let id = guard.call(move |accounts| accounts.disable(&name)).await??;
    guard.note(asking.did(What::AccountDisabled).on(id)).await?;
    Ok(Json(json!({ "disabled": true })))
}

/// What waits to be confirmed.
pub async fn proposals(State(guard): State<Guard>) -> Result<Json<Value>, Problem> {
    Ok(Json(guard.call(|accounts| accounts.proposals()).await??.iter().map(shown).collect()))
}

/// Confirms a proposal, and so does it.
pub async fn confirm(State(guard): State<Guard>, asking: Asking, Path(id): Path<String>, _: RawBody) -> Result<Json<Value>, Problem> {
    let id: ProposalId = id.parse().map_err(|invalid: Invalid| Problem::bad_path().fault("/proposal", invalid.rule))?;
    let caller = asking.caller;
    let confirmed = guard.call(move |accounts| accounts.confirm(caller, id)).await?;
    if let Err(error) = &confirmed {
        guard.note(asking.did(What::Confirmed).on(id).refused(error.code())).await?;
    }
    let proposal = confirmed?;
    guard.note(on_proposal(&asking, What::Confirmed, &proposal)).await?;
    Ok(Json(json!({ "confirmed": shown(&proposal) })))
}

fn on_proposal(asking: &Asking, what: What, proposal: &Proposal) -> crate::audit::Entry {
    let entry = asking.did(what).on(proposal.id);
    match &proposal.act {
        SensitiveAct::AddAccount(account) => entry.on(account.id),
    }
}

fn shown(proposal: &Proposal) -> Value {
    let SensitiveAct::AddAccount(account) = &proposal.act;
    json!({
        "id": proposal.id.to_string(),
        "act": proposal.act.code(),
        "account": { "name": account.name, "kind": account.kind.code() },
        "by": match proposal.by {
            Caller::Operator => "operator".to_owned(),
            Caller::Account { id, .. } => id.to_string(),
        },
        "kind": match proposal.by {
            Caller::Operator => "operator",
            Caller::Account { kind, .. } => kind.code(),
        },
        "proposed_at": proposal.at.0,
        "expires_at": proposal.until.0,
    })
}
