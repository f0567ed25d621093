//! The admin API over a real socket.

mod accounts;

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::demo::{DemoServer, start};
use crate::settings::Settings;
use crate::telemetry::Metrics;

struct Scene {
    server: DemoServer,
    token: String,
    agent: ureq::Agent,
    _folder: tempfile::TempDir,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { data: folder.path().to_owned(), metrics_listen: ([127, 0, 0, 1], 0).into(), ..Settings::default() };
    let server = start(settings, TcpListener::bind("127.0.0.1:0").unwrap(), Metrics::install().unwrap()).unwrap();
    let token = std::fs::read_to_string(folder.path().join("admin.token")).unwrap();
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    Scene { server, token, agent, _folder: folder }
}

impl Scene {
    fn send(&self, method: &str, path: &str, token: &str, body: &[u8]) -> (u16, Value) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/v1/admin/{path}", self.server.url()))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(body)
            .unwrap();
        let mut response = self.agent.run(request).unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), serde_json::from_str(&text).unwrap())
    }

    /// As whoever has a token.
    fn post_as(&self, token: &str, path: &str, body: &Value) -> (u16, Value) {
        self.send("POST", path, token, body.to_string().as_bytes())
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send("POST", path, &self.token, body.to_string().as_bytes())
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.send("GET", path, &self.token, b"")
    }

    fn import(&self, kind: &str, bytes: &[u8]) -> (u16, Value) {
        self.send("POST", &format!("streets/s/import/{kind}"), &self.token, bytes)
    }

    /// Imports a file and waits until it is done: its rows, those imported before, the documents written.
    fn imported(&self, kind: &str, bytes: &[u8]) -> [u64; 3] {
        let (status, mut import) = self.import(kind, bytes);
        assert_eq!(status, 202, "{import}");
        while import["state"] == "running" {
            import = self.get(&format!("imports/{}", import["id"])).1;
        }
        assert_eq!(import["state"], "done", "{import}");
        ["rows", "imported_before", "documents_written"].map(|key| import[key].as_u64().unwrap())
    }

    /// A street `s` with the grid `第1网格`.
    fn with_street(self) -> Self {
        assert_eq!(self.post("streets", &json!({ "name": "s", "centres": ["c"] })).0, 201);
        assert_eq!(self.post("streets/s/grids", &json!({ "names": ["第1网格"], "community": "幸福" })).0, 201);
        self
    }
}

const ROUTES: [(&str, &str); 27] = [
    ("GET", "streets"),
    ("POST", "streets"),
    ("GET", "streets/s"),
    ("POST", "streets/s/grids"),
    ("POST", "streets/s/people"),
    ("POST", "streets/s/codes"),
    ("POST", "streets/s/grants"),
    ("POST", "streets/s/grants/end"),
    ("GET", "streets/s/cases"),
    ("GET", "streets/s/late"),
    ("GET", "streets/s/quarantine"),
    ("GET", "streets/s/documents?kind=case"),
    ("GET", "streets/s/documents/0193a3c2-0000-7000-8000-000000000000"),
    ("POST", "streets/s/import/places"),
    ("POST", "streets/s/import/households"),
    ("GET", "streets/s/people/x"),
    ("GET", "streets/s/residents"),
    ("GET", "streets/s/reconciliation"),
    ("POST", "logout"),
    ("POST", "password"),
    ("POST", "streets/s/documents/0193a3c2-0000-7000-8000-000000000000/redact"),
    ("GET", "accounts"),
    ("POST", "accounts"),
    ("GET", "proposals"),
    ("POST", "proposals/0193a3c2-0000-7000-8000-000000000000/confirm"),
    ("GET", "audit"),
    ("GET", "audit/verify"),
];

#[test]
fn without_the_token_every_route_is_closed() {
    let scene = scene().with_street();
    for (method, path) in ROUTES {
        let almost = format!("{}0", &scene.token[..scene.token.len() - 1]);
        for wrong in ["", "x", almost.as_str()] {
            if wrong == scene.token {
                continue;
            }
            let (status, problem) = scene.send(method, path, wrong, b"{}");
            assert_eq!((status, problem["code"].as_str().unwrap()), (401, "admin.token"), "{method} {path}");
        }
    }
}

#[test]
fn bad_input_gets_a_problem_that_does_not_quote_it() {
    let scene = scene().with_street();
    for (method, path) in ROUTES.iter().filter(|(method, path)| *method == "POST" && !path.contains("import")) {
        for bad in ["{", "[]", "{\"secret-name\":\"张三丰\"}", "\u{0}", "{\"name\":7}"] {
            let (status, problem) = scene.send(method, path, &scene.token, bad.as_bytes());
            assert!((400..500).contains(&status), "{path} {bad} {status}");
            let text = problem.to_string();
            assert!(problem["code"].is_string() && !text.contains("张三丰") && !text.contains("secret-name"), "{text}");
        }
    }
    assert_eq!(scene.get("streets/nowhere/cases").0, 404);
    assert_eq!(scene.get("streets/s/documents?kind=castle").0, 400);
    assert_eq!(scene.get("streets/s/documents/0193a3c2-0000-7000-8000-000000000000").0, 404);
    assert_eq!(scene.post("streets/s/people", &json!({ "name": "x", "grids": ["第9网格"] })).0, 404);
}

#[test]
fn an_import_is_all_or_nothing_and_the_same_file_adds_nothing() {
    let scene = scene().with_street();
    let places = "名称,类型,网格,标签\n3栋,楼栋,第1网格,老旧\n幸福巷,街巷,第1网格,\n";
    let (gb18030, _, _) = encoding_rs::GB18030.encode(places);
    assert_eq!(scene.imported("places", &gb18030), [2, 0, 2]);
    let with_mark = format!("\u{feff}{places}");
    assert_eq!(scene.imported("places", with_mark.as_bytes()), [2, 2, 0]);

    let bad = "地点,网格,门牌,电话\n3栋,第1网格,101,12345678\n3栋,第1网格,102,一三八\n9栋,第1网格,103,\n";
    let (status, answer) = scene.import("households", bad.as_bytes());
    assert_eq!((status, answer["errors"][0]["pointer"].as_str()), (422, Some("/3/phone")));
    assert_eq!(scene.get("streets/s/documents?kind=household").1, json!([]));

    let unknown = "地点,网格,门牌\n3栋,第1网格,101\n9栋,第1网格,103\n3栋,第8网格,104\n";
    let (status, answer) = scene.import("households", unknown.as_bytes());
    let pointers: Vec<_> = answer["errors"].as_array().unwrap().iter().map(|fault| fault["pointer"].as_str().unwrap()).collect();
    assert_eq!((status, pointers), (422, vec!["/3/place", "/4/grid"]));

    let good = "地点,网格,门牌,居民,标签\n3栋,第1网格,101,张三;李四,独居\n";
    assert_eq!(scene.imported("households", good.as_bytes()), [1, 0, 3]);
    let (_, documents) = scene.get("streets/s/documents?kind=household");
    let id = documents[0]["id"].as_str().unwrap().to_owned();
    let (_, shown) = scene.get(&format!("streets/s/documents/{id}"));
    assert_eq!((shown["fields"]["door"].as_str(), shown["fields"]["tags/独居"].as_bool()), (Some("101"), Some(true)));
    let organisations = "名称,网格,地点,行业\n惠民便利店,第1网格,3栋,零售\n";
    assert_eq!(scene.imported("organisations", organisations.as_bytes()), [1, 0, 1]);
}

#[test]
fn a_person_gets_a_code_and_rights_that_can_be_ended() {
    let scene = scene().with_street();
    assert_eq!(scene.post("streets/s/people", &json!({ "name": "王建国", "grids": ["第1网格"] })).0, 201);
    let (status, code) = scene.post("streets/s/codes", &json!({ "person": "王建国" }));
    assert_eq!((status, code["code"].as_str().unwrap().len()), (201, 11));
    assert_eq!(scene.post("streets/s/codes", &json!({ "person": "李四" })).0, 404);
    let grant = json!({ "person": "王建国", "grid": "第1网格" });
    assert_eq!(scene.post("streets/s/grants/end", &grant).0, 200);
    assert_eq!(scene.post("streets/s/grants/end", &grant).0, 404);
    assert_eq!(scene.post("streets/s/grants", &grant).0, 201);
    let (_, street) = scene.get("streets/s");
    assert_eq!((street["people"][0]["name"].as_str(), street["grids"][0]["community"].as_str()), (Some("王建国"), Some("幸福")));
}
