//! `doorstep demo`: a whole street in one command, to look at and to try things on.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use crate::demo::{DemoServer, DemoStreet, Size, build, morning, start};
use crate::settings::Settings;
use crate::telemetry::{Metrics, start_log};

/// What `doorstep demo` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run the small demo, compare all phones with the server, and exit 0 if they hold the same
    #[arg(long)]
    pub check: bool,
    /// Serve a street of 20 grids in which nothing is recorded: a test server for whoever builds an app. The codes are written to `codes.txt` in
    /// the folder, a line for each person: code, grid, name; more of them come from `doorstep admin code`
    #[arg(long, conflicts_with = "check")]
    pub empty: bool,
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 7300)]
    pub port: u16,
    /// The folder for server and phones; made anew. Kept unless it is the default one of a check
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

/// Runs the demo.
///
/// # Errors
/// When something of it fails, or phones and server differ.
pub fn run(args: Args) -> anyhow::Result<()> {
    start_log("warn", crate::settings::LogFormat::Text)?;
    let (folder, temporary) = folder(&args)?;
    let result = play(&args, &folder);
    if temporary {
        std::fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    result
}

fn play(args: &Args, folder: &Path) -> anyhow::Result<()> {
    let port = if args.check { 0 } else { args.port };
    let server = serve(folder, port)?;
    if args.empty {
        let street = build(&server.hub, Size::EMPTY, &mut |_, _| {})?;
        return stay_empty(&server, &street, folder);
    }
    let size = if args.check { Size::SMALL } else { Size::FULL };
    let street = build_street(&server, size)?;
    let told = morning(&server, &street, &folder.join("phones"), &mut |line| println!("{line}"))?;
    for (phone, difference) in told.differences.iter().take(20) {
        println!("  {phone}: {:?} {} {}", difference.kind, difference.doc, difference.what);
    }
    anyhow::ensure!(told.differences.is_empty(), "phones and server differ in {} documents", told.differences.len());
    println!("\n全部一致。 All phones and the server hold the same: {} documents compared.", told.equal);
    if args.check { Ok(()) } else { stay(&server, &street, folder) }
}

fn serve(folder: &Path, port: u16) -> anyhow::Result<DemoServer> {
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let listener = TcpListener::bind(local(port)).with_context(|| format!("port {port} is taken; choose another with --port"))?;
    let settings = Settings { data: folder.join("server"), listen: local(port), metrics_listen: local(0), ..Settings::default() };
    start(settings, listener, Metrics::install()?)
}

fn build_street(server: &DemoServer, size: Size) -> anyhow::Result<DemoStreet> {
    println!(
        "建立窑湾街道:{} 个网格,{} 户。 Building Yaowan street: {} grids, {} households.",
        size.grids,
        size.households(),
        size.grids,
        size.households()
    );
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("  {bar:40} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    let street = build(&server.hub, size, &mut |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    println!("  {} 份档案已写入磁盘。 {} documents are on disk.", street.documents, street.documents);
    Ok(street)
}

/// Says what to try, and serves until Ctrl-C.
fn stay(server: &DemoServer, street: &DemoStreet, folder: &Path) -> anyhow::Result<()> {
    let url = server.url();
    let codes: Vec<String> = street
        .workers
        .iter()
        .take(2)
        .map(|(person, name)| Ok(format!("{}  {name}", server.hub.make_code(street.id, *person)?.0)))
        .collect::<Result<_, crate::hub::HubError>>()?;
    let doorstep = std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_else(|_| "doorstep".into());
    println!("\n服务器在 {url} 运行,按 Ctrl-C 停止。 The server runs; Ctrl-C stops it.");
    println!("数据在 {}。 The data is there.", folder.display());
    println!("一次性注册码 One-time codes:");
    codes.iter().for_each(|code| println!("  {code}"));
    let code = codes.first().and_then(|line| line.split(' ').next()).unwrap_or_default().to_owned();
    println!("试试看:在另一个终端 Try it in a second terminal:");
    println!("  {doorstep} phone --store ./my-phone enrol --server {url} --code {code}");
    println!("  {doorstep} phone --store ./my-phone sync");
    println!("  {doorstep} phone --store ./my-phone households");
    println!("  {doorstep} admin --server {url} --token-file {} cases", folder.join("server").join(crate::service::TOKEN_FILE).display());
    wait_for_stop()?;
    println!("\n停止中,先完成正在处理的请求。 Stopping: what was accepted is finished first.");
    Ok(())
}

/// Writes a code for each person, says where, and serves until Ctrl-C. The last line is there when everything is: a script waits for it.
fn stay_empty(server: &DemoServer, street: &DemoStreet, folder: &Path) -> anyhow::Result<()> {
    let workers =
        street.workers.iter().enumerate().map(|(number, (person, name))| (*person, format!("第{}网格", number + 1), name.as_str()));
    let centre = (street.centre, "-".to_owned(), "centre");
    let mut lines = String::new();
    for (person, grid, name) in workers.chain([centre]) {
        lines.push_str(&format!("{}\t{grid}\t{name}\n", server.hub.make_code(street.id, person)?.0));
    }
    let codes = folder.join("codes.txt");
    std::fs::write(&codes, lines).with_context(|| format!("{} cannot be written", codes.display()))?;
    println!("一次性注册码在 {}。 The one-time codes are there.", codes.display());
    println!("服务器在 {} 运行,按 Ctrl-C 停止。 The server runs; Ctrl-C stops it.", server.url());
    wait_for_stop()
}

fn wait_for_stop() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        crate::cli::serve::stop_signal()?.await; // listens for signals from inside the runtime
        Ok(())
    })
}

/// The folder, and whether it is to be removed again.
fn folder(args: &Args) -> anyhow::Result<(PathBuf, bool)> {
    let (folder, temporary) = match &args.data {
        Some(folder) => (folder.clone(), false),
        None if args.check => (std::env::temp_dir().join(format!("doorstep-check-{}", std::process::id())), true),
        None => (PathBuf::from("./doorstep-demo"), false),
    };
    if folder.exists() {
        let own = folder.join("server").is_dir() || std::fs::read_dir(&folder)?.next().is_none();
        anyhow::ensure!(own, "{} is not a folder of an earlier demo; name another with --data", folder.display());
        std::fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    std::fs::create_dir_all(folder.join("phones")).with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok((folder, temporary))
}
