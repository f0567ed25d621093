//! Processes of their own: the server as its operator runs it, so that it can be killed, limited and measured.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use doorstep_core::field::HttpTransport;

/// How long a server may take to open its store and listen.
const START: Duration = Duration::from_secs(60);

/// A command of the binary `doorstep`.
pub fn doorstep() -> Command {
    Command::new(binary())
}

/// The binary `doorstep`, which cargo puts beside the folder of the test's own executable. It is a binary of another package, so cargo
/// neither names it here nor builds it for this test: `tests/run` builds everything first, by hand `cargo build --release` does.
fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let doorstep = test.ancestors().nth(2).unwrap().join("doorstep");
    assert!(doorstep.exists(), "{} is missing: run `cargo build --release` first (tests/run does)", doorstep.display());
    doorstep
}

/// How a server process is run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Further flags of `doorstep serve`.
    pub flags: Vec<String>,
    /// The most address space that the process may have, in kilobytes: what allocates without a bound is ended by it.
    pub most_kilobytes: Option<u64>,
}

/// A `doorstep serve` that was begun and may not accept yet. Killed when it is dropped.
pub struct StartingServer {
    child: Killed,
    serving: mpsc::Receiver<String>,
    errors: Arc<Mutex<Vec<String>>>,
}

impl StartingServer {
    /// Begins to serve a data folder on a free port; does not wait.
    pub fn begin(data: &Path, options: &Options) -> Self {
        let mut child = command(data, options).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let errors = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&errors);
        let (tell, serving) = mpsc::channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let entry: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                if entry["message"] == "serving" {
                    let _ = tell.send(entry["listen"].as_str().unwrap_or_default().to_owned());
                }
                if entry["level"] == "ERROR" || entry.is_null() {
                    kept.lock().unwrap().push(line);
                }
            }
        });
        Self { child: Killed(child), serving, errors }
    }

    /// Waits until it accepts.
    pub fn wait_until_it_serves(self) -> ServerProcess {
        let Ok(address) = self.serving.recv_timeout(START) else {
            panic!("the server did not start: {:?}", self.errors.lock().unwrap());
        };
        ServerProcess { child: self.child, url: format!("http://{address}"), errors: self.errors }
    }

    /// Waits until it has ended by itself, instead of accepting; what it logged as errors.
    pub fn wait_until_it_ends(mut self) -> Vec<String> {
        assert!(self.serving.recv().is_err(), "the server serves");
        assert!(!self.child.0.wait().unwrap().success());
        self.errors.lock().unwrap().clone()
    }

    /// Waits no longer than this for it to accept, then kills it; whether it did.
    pub fn kill_after(self, time: Duration) -> bool {
        self.serving.recv_timeout(time).is_ok()
    }
}

/// The command of a server.
fn command(data: &Path, options: &Options) -> Command {
    let mut serve = vec![
        binary().display().to_string(),
        "serve".into(),
        format!("--data={}", data.display()),
        "--listen=127.0.0.1:0".into(),
        "--metrics-listen=127.0.0.1:0".into(),
        "--log=info".into(),
        "--log-format=json".into(),
    ];
    serve.extend(options.flags.iter().cloned());
    let mut command = Command::new(if options.most_kilobytes.is_some() { "sh" } else { &serve[0] });
    match options.most_kilobytes {
        // `exec`, so that the process is the server and not a shell.
        Some(most) => command.args(["-c", &format!("ulimit -v {most} && exec \"$@\""), "sh"]).args(&serve),
        None => command.args(&serve[1..]),
    };
    command
}

/// A process that is killed when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running `doorstep serve`. Killed when it is dropped.
pub struct ServerProcess {
    child: Killed,
    url: String,
    errors: Arc<Mutex<Vec<String>>>,
}

impl ServerProcess {
    /// Serves a data folder on a free port; it accepts when this returns.
    pub fn start(data: &Path, options: &Options) -> Self {
        StartingServer::begin(data, options).wait_until_it_serves()
    }

    /// Where phones reach it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same over TLS.
    pub fn secure_url(&self) -> String {
        self.url.replace("http://", "https://")
    }

    /// The engine's own client of this server.
    pub fn transport(&self) -> HttpTransport {
        HttpTransport::new(&self.url).unwrap()
    }

    /// What it logged as an error, panics among it.
    pub fn errors(&self) -> Vec<String> {
        self.errors.lock().unwrap().clone()
    }

    /// The most memory that it has held so far, in kilobytes.
    pub fn peak_kilobytes(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// The memory that it holds, in kilobytes.
    pub fn resident_kilobytes(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// How many bytes it has had written to the disk so far.
    pub fn written_bytes(&self) -> u64 {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.child.0.id())).unwrap();
        io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).unwrap().parse().unwrap()
    }

    /// The processor time that it has used so far, in ticks of 10 ms.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.0.id())).unwrap();
        // The name of the program stands in brackets and may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = [11, 12].iter().map(|field| fields[*field].parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.0.try_wait().unwrap().is_none()
    }

    /// Ends it as a power cut would: kill -9.
    pub fn kill(mut self) {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
    }

    /// Tells it to stop as an operator's system does, without waiting.
    pub fn terminate(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.0.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    /// Waits until it has ended.
    pub fn wait(mut self) -> ExitStatus {
        self.child.0.wait().unwrap()
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}
