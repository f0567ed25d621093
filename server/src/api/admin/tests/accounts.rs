//! Accounts and the audit log over a real socket.

use super::*;

const PASSWORD: &str = "correct horse battery";

impl Scene {
    /// An account that the operator adds, logged in: its answer to the login.
    fn account(&self, name: &str, kind: &str) -> Value {
        let new = json!({ "name": name, "kind": kind, "password": PASSWORD });
        let (status, answer) = self.post("accounts", &new);
        assert_eq!(status, 201, "{answer}");
        self.log_in(name, PASSWORD).1
    }

    fn log_in(&self, name: &str, password: &str) -> (u16, Value) {
        self.post_as("", "login", &json!({ "name": name, "password": password }))
    }

    /// What the audit log says of who did what, on how many things, with what outcome.
    fn audit(&self) -> Vec<(String, String, usize, String)> {
        let (status, records) = self.get("audit");
        assert_eq!(status, 200, "{records}");
        let text = |record: &Value, key: &str| record[key].as_str().unwrap().split(':').next().unwrap().to_owned();
        let rows = records.as_array().unwrap().iter();
        rows.map(|record| (text(record, "who"), text(record, "what"), record["on"].as_array().unwrap().len(), text(record, "outcome")))
            .collect()
    }
}

fn token(answer: &Value) -> &str {
    answer["access"].as_str().unwrap()
}

fn row(who: &str, what: &str, on: usize, outcome: &str) -> (String, String, usize, String) {
    (who.into(), what.into(), on, outcome.into())
}

#[test]
fn each_kind_does_its_own_and_is_refused_the_rest() {
    let scene = scene().with_street();
    let [system, security, auditor] = ["system", "security", "auditor"].map(|kind| scene.account(kind, kind));
    let routes: [(&str, &str, [bool; 3]); 9] = [
        ("GET", "streets", [true, true, true]),
        ("POST", "streets", [true, false, false]),
        ("POST", "streets/s/import/places", [true, false, false]),
        ("GET", "backup", [true, false, false]),
        ("POST", "streets/s/codes", [false, true, false]),
        ("GET", "accounts", [false, true, true]),
        ("GET", "streets/s/quarantine", [false, false, true]),
        ("GET", "audit", [false, false, true]),
        ("GET", "streets/s/residents", [false, false, false]),
    ];
    for (method, path, may) in routes {
        for (answer, may) in [&system, &security, &auditor].into_iter().zip(may) {
            let (status, problem) = scene.send(method, path, token(answer), b"{}");
            let refused = (status, problem["code"].as_str()) == (403, Some("account.not_allowed"));
            assert_eq!(!refused, may, "{method} {path} {} {status} {problem}", answer["kind"]);
        }
    }
    assert_eq!(scene.audit().iter().filter(|record| record.1 == "denied").count(), 16);
}

#[test]
fn a_lost_answer_to_a_refresh_comes_again_and_a_logout_ends_the_session() {
    let scene = scene();
    let answer = scene.account("lan", "security");
    let refresh = json!({ "refresh": answer["refresh"] });
    let (status, next) = scene.post_as("", "refresh", &refresh);
    assert_eq!((status, scene.post_as("", "refresh", &refresh)), (200, (200, next.clone())));
    assert_ne!(next["access"], answer["access"]);
    assert_eq!(scene.send("GET", "accounts", token(&next), b"").0, 200);
    assert_eq!(scene.post_as(token(&next), "logout", &json!({})).0, 200);
    assert_eq!(scene.send("GET", "accounts", token(&next), b"").1["code"], "admin.token");
    assert_eq!(scene.post_as("", "refresh", &json!({ "refresh": next["refresh"] })).1["code"], "account.token");
    assert_eq!(scene.post("logout", &json!({})).0, 403, "the operator has no session");
    for forged in ["", "x", &"0".repeat(64)] {
        let (status, problem) = scene.post_as("", "refresh", &json!({ "refresh": forged }));
        assert_eq!((status, problem["code"].as_str()), (401, Some("account.token")));
    }
    let rows = [row("operator", "account-added", 1, "ok"), row("account", "login", 1, "ok"), row("account", "logout", 1, "ok")];
    assert_eq!(scene.audit(), rows);
}

#[test]
fn a_password_is_changed_by_who_knows_it_and_ends_the_other_sessions_of_the_account() {
    let scene = scene();
    let (own, other) = (scene.account("lan", "security"), scene.log_in("lan", PASSWORD).1);
    let change = |token: &str, present: &str, next: &str| {
        let (status, answer) = scene.post_as(token, "password", &json!({ "present": present, "next": next }));
        (status, answer["code"].as_str().unwrap_or_default().to_owned())
    };
    let (next, refused) = ("a quiet river bend", |status: u16, code: &str| (status, code.to_owned()));
    assert_eq!(change(token(&own), "wrong password 1", next), refused(401, "account.credentials"));
    assert_eq!(change(token(&own), PASSWORD, "short").0, 422);
    assert_eq!(scene.send("GET", "accounts", token(&other), b"").0, 200);
    assert_eq!(change(token(&own), PASSWORD, next), refused(200, ""));
    assert_eq!(scene.send("GET", "accounts", token(&own), b"").0, 200);
    assert_eq!(scene.send("GET", "accounts", token(&other), b"").1["code"], "admin.token");
    assert_eq!((scene.log_in("lan", PASSWORD).0, scene.log_in("lan", next).0), (401, 200));
    assert_eq!(change(&scene.token, PASSWORD, next), refused(403, "account.not_allowed"));
    let log = scene.audit();
    let of_changes: Vec<_> = log.iter().filter(|record| record.1 == "password-changed").collect();
    assert_eq!(of_changes, [&row("account", "password-changed", 0, "account.credentials"), &row("account", "password-changed", 1, "ok")]);
    // A stolen token does not guess the password either.
    let guessed = (0..6).map(|_| change(token(&own), "wrong password 1", next).1).collect::<Vec<_>>();
    assert_eq!(guessed.last().map(String::as_str), Some("account.too_many"), "{guessed:?}");
    assert_eq!(scene.audit().last(), Some(&row("account", "locked", 0, "ok")));
}

#[test]
fn guessing_a_password_is_locked_by_name_then_by_address_and_is_all_in_the_log() {
    let scene = scene();
    scene.account("lan", "security");
    for _ in 0..5 {
        let (status, problem) = scene.log_in("lan", "wrong password 1");
        assert_eq!((status, problem["code"].as_str()), (401, Some("account.credentials")));
    }
    let (status, problem) = scene.log_in("lan", PASSWORD);
    assert_eq!((status, problem["code"].as_str()), (429, Some("account.too_many")));
    assert!(problem["detail"].as_str().unwrap().ends_with("60 seconds.") || problem["detail"].as_str().unwrap().contains("Wait 5"));
    let failed = row("nobody", "login", 1, "account.credentials");
    let log = scene.audit();
    assert_eq!(log[2..], [vec![failed; 5], vec![row("nobody", "locked", 1, "ok")]].concat());
    assert_eq!(scene.get("accounts").1[0]["locked"], true);

    // Twenty failures from one address: names that are here and that are not count alike.
    let mut statuses = (0..20).map(|n| scene.log_in(&format!("nobody{n}"), "wrong password 1").0);
    assert!(statuses.by_ref().take(14).all(|status| status == 401));
    assert!(statuses.all(|status| status == 429));
    assert_eq!(scene.audit().last().unwrap(), &row("nobody", "locked", 0, "ok"));
    let text = scene.get("audit").1.to_string();
    assert!(!text.contains("nobody1") && !text.contains("wrong password") && !text.contains("lan\""), "{text}");
}

#[test]
fn an_administrator_is_added_by_two_of_different_kinds() {
    let scene = scene();
    let [system, security, auditor] = ["system", "security", "auditor"].map(|kind| scene.account(kind, kind));
    let new = json!({ "name": "second", "kind": "security", "password": PASSWORD });
    let (status, answer) = scene.post_as(token(&security), "accounts", &new);
    assert_eq!(status, 202, "{answer}");
    assert!(!answer.to_string().contains(PASSWORD) && !answer.to_string().contains("hash"), "{answer}");
    assert_eq!(scene.log_in("second", PASSWORD).0, 401);
    let (_, proposals) = scene.send("GET", "proposals", token(&auditor), b"");
    assert_eq!((proposals[0]["act"].as_str(), proposals[0]["kind"].as_str()), (Some("add-account"), Some("security")));
    let confirm = format!("proposals/{}/confirm", proposals[0]["id"].as_str().unwrap());
    assert_eq!(scene.post(&confirm, &json!({})).1["code"], "account.not_allowed");
    assert_eq!(scene.post_as(token(&security), &confirm, &json!({})).1["code"], "account.same_kind");
    assert_eq!(scene.post_as(token(&system), &confirm, &json!({})).0, 200);
    assert_eq!(scene.log_in("second", PASSWORD).0, 200);
    assert_eq!(scene.post("accounts", &json!({ "name": "third", "kind": "system", "password": PASSWORD })).0, 202);
    assert_eq!(scene.post_as(token(&security), "accounts/system/disable", &json!({})).0, 200);
    assert_eq!(scene.send("GET", "streets", token(&system), b"").0, 401);
    assert_eq!(scene.post("accounts", &json!({ "name": "4", "kind": "king", "password": PASSWORD })).1["errors"][0]["pointer"], "/kind");
    assert_eq!(
        scene.post("accounts", &json!({ "name": "4", "kind": "system", "password": "short" })).1["errors"][0]["pointer"],
        "/password"
    );
    let log: Vec<_> = scene.audit().into_iter().map(|(_, what, ..)| what).filter(|what| !what.starts_with("login")).collect();
    let wanted =
        ["account-added", "account-added", "account-added", "proposed", "denied", "confirmed", "confirmed", "proposed", "account-disabled"];
    assert_eq!(log, wanted);
}

#[test]
fn what_is_changed_is_in_the_log_by_ids_only_and_the_log_is_whole() {
    let scene = scene().with_street();
    assert_eq!(scene.post("streets/s/people", &json!({ "name": "王建国", "grids": ["第1网格"] })).0, 201);
    assert_eq!(scene.post("streets/s/codes", &json!({ "person": "王建国" })).0, 201);
    let grant = json!({ "person": "王建国", "grid": "第1网格" });
    assert_eq!(scene.post("streets/s/grants/end", &grant).0, 200);
    assert_eq!(scene.post("streets/s/grants", &grant).0, 201);
    assert_eq!(scene.imported("places", "名称,类型,网格\n3栋,楼栋,第1网格\n".as_bytes()), [1, 0, 1]);
    let (_, documents) = scene.get("streets/s/documents?kind=place");
    assert_eq!(scene.get(&format!("streets/s/documents/{}", documents[0]["id"].as_str().unwrap())).0, 200);
    let did = |what, on| row("operator", what, on, "ok");
    let wanted = [
        did("street-added", 1),
        did("grids-added", 1),
        did("person-added", 2),
        did("code-issued", 2),
        did("grant-ended", 3),
        did("grant-given", 4),
        did("import-begun", 1),
        did("revealed", 1),
    ];
    assert_eq!(scene.audit(), wanted);
    let text = scene.get("audit").1.to_string();
    assert!(!text.contains("王建国") && !text.contains("网格"), "{text}");
    let (_, verified) = scene.get("audit/verify");
    assert_eq!((verified["records"].as_u64(), verified["broken"].as_array().unwrap().len()), (Some(8), 0));
    let (_, page) = scene.get("audit?after=3&limit=2");
    assert_eq!(page.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect::<Vec<_>>(), ["4", "5"]);
    assert_eq!(scene.get("audit?limit=0").0, 400);
}
