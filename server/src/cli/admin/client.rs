//! A client of the admin API: one request a command, problems as plain sentences.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::ServerArgs;
use super::credential::{Credential, Session};

/// How long one request may take: reading and planning the file of a large street is the longest.
const PATIENCE: Duration = Duration::from_secs(120);
/// Rows of a list that are asked for at a time: as many as the server gives.
const PAGE: usize = 1_000;
/// Between two looks at a running import.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The client.
pub struct Client {
    agent: ureq::Agent,
    server: String,
    base: String,
    credential: RefCell<Credential>,
}

impl Client {
    /// A client of the server at `server`, with what the command line says that it is to show.
    pub fn of(args: &ServerArgs) -> anyhow::Result<Self> {
        Self::with(args, Credential::of(args)?)
    }

    /// A client that shows nothing.
    pub fn anonymous(args: &ServerArgs) -> anyhow::Result<Self> {
        Self::with(args, Credential::Nothing)
    }

    fn with(args: &ServerArgs, credential: Credential) -> anyhow::Result<Self> {
        let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        let agent = match &args.ca {
            Some(file) => agent.tls_config(TlsConfig::builder().root_certs(authorities(file)?).build()),
            None => agent,
        };
        let agent = agent.build().into();
        let base = format!("{}/v1/admin/", args.server.trim_end_matches('/'));
        Ok(Self { agent, server: args.server.clone(), base, credential: RefCell::new(credential) })
    }

    /// The address of the server.
    pub fn server(&self) -> &str {
        self.server.trim_end_matches('/')
    }

    /// Logs in: the answer, and the session to be kept.
    pub fn log_in(&self, name: &str, password: &str) -> anyhow::Result<(Value, Session)> {
        let answered = self.post("login", &serde_json::json!({ "name": name, "password": password }))?;
        let session = self.session_of(&answered);
        Ok((answered, session))
    }

    fn session_of(&self, pair: &Value) -> Session {
        let text = |key: &str| pair.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Session { server: self.server.clone(), access: text("access"), refresh: text("refresh") }
    }

    /// Sends a request, and once more with the next pair of tokens where those of the session have ended.
    fn ask(&self, send: &dyn Fn(&str) -> Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Value> {
        let shown = self.credential.borrow().header();
        let first = send(&shown);
        let has_ended = first.as_ref().is_ok_and(|response| response.status() == 401);
        if has_ended && self.refresh()? {
            let shown = self.credential.borrow().header();
            return answer(send(&shown));
        }
        answer(first)
    }

    /// Changes the refresh token of a session for the next pair, and keeps that; without a session there is nothing to do.
    fn refresh(&self) -> anyhow::Result<bool> {
        let mut credential = self.credential.borrow_mut();
        let Credential::Session(file, session) = &mut *credential else { return Ok(false) };
        let body = serde_json::json!({ "refresh": session.refresh });
        let answered = answer(self.agent.post(format!("{}refresh", self.base)).send_json(&body));
        *session = self.session_of(&answered.context("the session has ended; log in again with `doorstep admin login`")?);
        session.write(file)?;
        Ok(true)
    }

    /// The id of the street that is named, or of the only one.
    pub fn street(&self, named: Option<&str>) -> anyhow::Result<String> {
        let streets = self.get("streets", &[])?;
        let text = |street: &Value, key: &str| street.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let streets = streets.as_array().map(Vec::as_slice).unwrap_or_default();
        let found: Vec<String> = streets
            .iter()
            .filter(|street| named.is_none_or(|named| text(street, "id") == named || text(street, "name") == named))
            .map(|street| text(street, "id"))
            .collect();
        match (found.as_slice(), named) {
            ([one], _) => Ok(one.clone()),
            ([], Some(_)) => bail!("there is no such street; `doorstep admin street list` shows them"),
            ([], None) => bail!("there is no street yet; add one with `doorstep admin street add NAME`"),
            _ => bail!("there are several streets; name one with --street"),
        }
    }

    /// Reads.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        self.ask(&|shown| {
            let request = self.agent.get(format!("{}{path}", self.base)).header("authorization", shown);
            request.query_pairs(query.iter().copied()).call()
        })
    }

    /// Changes something.
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(&|shown| self.agent.post(format!("{}{path}", self.base)).header("authorization", shown).send_json(body))
    }

    /// Reads a list that comes in pages, all of it.
    pub fn pages(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let mut rows: Vec<Value> = Vec::new();
        loop {
            let limit = PAGE.to_string();
            let last = rows.last().and_then(|row| row.get("id")).and_then(Value::as_str).map(str::to_owned);
            let mut asked = query.to_vec();
            asked.push(("limit", &limit));
            asked.extend(last.as_deref().map(|last| ("after", last)));
            let Value::Array(page) = self.get(path, &asked)? else { bail!("the server answered no list") };
            let is_last = page.len() < PAGE;
            rows.extend(page);
            if is_last {
                return Ok(Value::Array(rows));
            }
        }
    }

    /// Sends a file and waits until it is imported; `progress` is told how many documents of how many are done. Once the server has taken the
    /// file it goes on by itself, whatever becomes of this client.
    pub fn import(&self, path: &str, bytes: &[u8], progress: &mut dyn FnMut(u64, u64)) -> anyhow::Result<Value> {
        let begun = self.ask(&|shown| {
            let request = self.agent.post(format!("{}{path}", self.base)).header("authorization", shown);
            request.header("content-type", "text/csv").send(bytes)
        })?;
        let number = |import: &Value, key: &str| import.get(key).and_then(Value::as_u64).unwrap_or_default();
        let path = format!("imports/{}", number(&begun, "id"));
        let mut shown = |import: &Value| progress(number(import, "documents_done"), number(import, "documents"));
        self.wait_for(begun, &path, &mut shown).context("the import broke off; send the same file again to go on with it")
    }

    /// Has the server make a backup, and waits for its end.
    pub fn back_up(&self, folder: &Path) -> anyhow::Result<Value> {
        let begun = self.post("backup", &serde_json::json!({ "folder": folder }))?;
        self.wait_for(begun, "backup", &mut |_| {}).context("no backup was made")
    }

    /// Looks at what goes on by itself on the server until it has ended.
    fn wait_for(&self, mut job: Value, path: &str, progress: &mut dyn FnMut(&Value)) -> anyhow::Result<Value> {
        loop {
            progress(&job);
            let text = |key: &str| job.get(key).and_then(Value::as_str).unwrap_or_default();
            match text("state") {
                "done" => return Ok(job),
                "failed" => bail!("it failed on the server [{}]", text("code")),
                _ => std::thread::sleep(LOOK_EVERY),
            }
            job = self.get(path, &[])?;
        }
    }
}

/// The certificates of a file, to be trusted instead of the web's.
fn authorities(file: &Path) -> anyhow::Result<RootCerts> {
    let pem = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let certificates: Vec<_> =
        parse_pem(&pem).filter_map(|item| if let Ok(PemItem::Certificate(found)) = item { Some(found) } else { None }).collect();
    ensure!(!certificates.is_empty(), "{} holds no certificate as PEM", file.display());
    Ok(RootCerts::new_with_certs(&certificates))
}

fn answer(answered: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Value> {
    let mut response = answered.context("the server was not reached; is it running, and is --server right?")?;
    let status = response.status();
    let text = response.body_mut().read_to_string().context("the answer broke off")?;
    let value: Value = serde_json::from_str(&text).with_context(|| format!("what answered is not the server (HTTP status {status})"))?;
    if status.is_success() {
        return Ok(value);
    }
    let sentence = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let faults: Vec<String> = value
        .get("errors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|fault| {
            let part = |key: &str| fault.get(key).and_then(Value::as_str).unwrap_or_default();
            format!("{} {}", part("pointer"), part("rule"))
        })
        .collect();
    let faults: String = faults.iter().map(|fault| format!("\n  {fault}")).collect();
    bail!("{}. {} [{}]{faults}", sentence("title"), sentence("detail"), sentence("code"))
}
