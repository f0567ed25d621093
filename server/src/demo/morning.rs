//! A morning in the street: phones work with and without signal, reconnect, and one round trip merges everything.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use doorstep_core::field::{Engine, HttpTransport, Listed, MarkFile};
use doorstep_core::model::{
    CaseDetails, Category, EventKind, GridId, HouseholdDetails, HouseholdId, Outcome, PersonId, Personal, Urgency, VisitDraft, VisitSubject,
};
use doorstep_core::store::{SledOptions, SledStore};
use doorstep_core::summary::HouseholdSummary;
use doorstep_core::workflow::Effect;

use crate::demo::server::DemoServer;
use crate::demo::street::DemoStreet;
use crate::demo::{Difference, compare};
use crate::system::{SystemClock, SystemEntropy};

/// A phone's cache, in bytes, as on a real one.
const PHONE_CACHE: u64 = 8 << 20;

/// What the morning came to.
#[derive(Debug, Default)]
pub struct Told {
    /// How many documents were compared and equal, over all phones.
    pub equal: usize,
    /// What differs, with the phone that it differs on.
    pub differences: Vec<(String, Difference)>,
}

struct Phone {
    name: String,
    grids: Option<Vec<GridId>>,
    engine: Engine,
    transport: HttpTransport,
}

/// Lets phones work, in `folder`, and compares them with the server in the end. `say` is told what happens, in plain words.
///
/// # Errors
/// When something fails that must not: a phone that cannot enrol, record or sync.
pub fn morning(server: &DemoServer, street: &DemoStreet, folder: &Path, say: &mut dyn FnMut(&str)) -> anyhow::Result<Told> {
    let phones = enrol(server, street, folder, say)?;
    let [first, second, centre] = phones.as_slice() else { anyhow::bail!("three phones were to be enrolled") };

    say("");
    say("无信号:两位同事各自走访,互不知情。 No signal: two colleagues work, neither knows of the other.");
    let household = work_offline(first, second, say)?;

    say("");
    say("信号恢复,各同步一次。 Signal again: one round trip each.");
    for phone in [first, second, first, centre] {
        sync(phone, say)?;
    }
    show_conflict(centre, household, say)?;
    late_return(first, centre, say)?;
    for phone in [second, centre, first] {
        sync(phone, say)?;
    }

    say("");
    say("核对:每部手机与服务器逐份比较。 Check: every phone against the server, document by document.");
    let mut told = Told::default();
    for phone in &phones {
        let (equal, differences) = compare(&server.hub, street.id, phone.grids.as_deref(), &phone.engine)?;
        say(&format!("  {}: {equal} 份一致 equal, {} 份不同 different", phone.name, differences.len()));
        told.equal += equal;
        told.differences.extend(differences.into_iter().map(|difference| (phone.name.clone(), difference)));
    }
    Ok(told)
}

fn enrol(server: &DemoServer, street: &DemoStreet, folder: &Path, say: &mut dyn FnMut(&str)) -> anyhow::Result<Vec<Phone>> {
    let grid = street.grids.len().min(17) - 1;
    let (worker, worker_name) = street.workers.get(grid).context("a worker")?;
    let own_grid = street.grids.get(grid).copied().context("a grid")?;
    let deputy = server.hub.add_person(
        street.id,
        &crate::hub::NewPerson { name: "代班小林".into(), role: doorstep_core::model::Role::GridWorker, grids: vec![own_grid] },
    )?;
    let people: [(PersonId, String, Option<Vec<GridId>>); 3] = [
        (*worker, format!("网格员{worker_name} worker"), Some(vec![own_grid])),
        (deputy, "代班小林 deputy".into(), Some(vec![own_grid])),
        (street.centre, "中心 centre".into(), None),
    ];
    let mut phones = Vec::new();
    for (index, (person, name, grids)) in people.into_iter().enumerate() {
        let mark = MarkFile::at(folder.join(format!("phone-{index}.life")));
        let store = Arc::new(SledStore::open(
            &folder.join(format!("phone-{index}")),
            SledOptions { cache_bytes: PHONE_CACHE, ..SledOptions::default() },
        )?);
        let engine = Engine::open(store, Arc::new(SystemClock), Box::new(SystemEntropy), &mark)?;
        let transport = HttpTransport::new(&server.url())?;
        let (code, _) = server.hub.make_code(street.id, person)?;
        engine.enrol(&transport, &server.url(), &code, &name)?;
        let phone = Phone { name, grids, engine, transport };
        sync(&phone, say)?;
        phones.push(phone);
    }
    Ok(phones)
}

fn sync(phone: &Phone, say: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
    let before = phone.engine.status().pending;
    let began = Instant::now();
    let report = phone.engine.sync(&phone.transport).with_context(|| format!("{} could not sync", phone.name))?;
    let millis = began.elapsed().as_millis();
    let trips = report.round_trips;
    say(&format!("  {}: 发出 {before} 项, {trips} 次往返, {millis} 毫秒 — sent {before}, {trips} round trip(s), {millis} ms", phone.name));
    anyhow::ensure!(report.pending == 0 && report.refused == 0, "{}: something was refused or still waits", phone.name);
    Ok(())
}

/// Ten visits, two issues, and both edit the same household.
fn work_offline(first: &Phone, second: &Phone, say: &mut dyn FnMut(&str)) -> anyhow::Result<HouseholdId> {
    let households = first.engine.households(None)?;
    for (phone, doors) in [(first, households.iter().take(10)), (second, households.iter().take(5))] {
        for Listed { row: household, .. } in doors {
            visit(phone, household)?;
        }
    }
    let shared = households.first().context("a household")?.row.id;
    first.engine.change_household(shared, remark("有两只狗,先打电话"), Vec::new())?;
    let contact = |name: &str| HouseholdDetails { contact: Some(Personal::new(name.to_owned())), ..HouseholdDetails::default() };
    first.engine.change_household(shared, contact("王秀英"), Vec::new())?;
    second.engine.change_household(shared, contact("王秀英(女儿接电话)"), Vec::new())?;
    let mut lamp = CaseDetails::issue(Category::Facilities, "3栋门口路灯不亮,老人夜里出门看不见台阶");
    lamp.urgency = Urgency::Urgent;
    first.engine.report_issue(None, lamp)?;
    second.engine.report_issue(None, CaseDetails::issue(Category::Sanitation, "垃圾桶三天没有清运"))?;
    for phone in [first, second] {
        say(&format!(
            "  {}: {} 项已存在本机,等信号 — {} on this phone, waiting",
            phone.name,
            phone.engine.status().pending,
            phone.engine.status().pending
        ));
    }
    Ok(shared)
}

fn visit(phone: &Phone, household: &HouseholdSummary) -> anyhow::Result<()> {
    let mut draft = VisitDraft::routine(VisitSubject::Household(household.id));
    if household.tags.is_empty() {
        draft.outcome = Outcome::NotAtHome;
    } else {
        draft.findings = Personal::new("身体还好,药够吃两周".to_owned());
        draft.follow_up = Some(phone.engine.today().plus(7));
    }
    phone.engine.record_visit(draft)?;
    Ok(())
}

fn remark(text: &str) -> HouseholdDetails {
    HouseholdDetails { remark: Some(Personal::new(text.to_owned())), ..HouseholdDetails::default() }
}

fn show_conflict(phone: &Phone, household: HouseholdId, say: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
    let merged = phone.engine.household(household)?;
    anyhow::ensure!(merged.details.remark.is_some(), "the remark of the first phone is gone");
    anyhow::ensure!(merged.visits.len() >= 2, "the visits of both phones must be there");
    let conflicts = phone.engine.conflicts(doorstep_core::docs::DocKind::Household, household.into())?;
    let contact = conflicts.iter().find(|conflict| conflict.field == "contact").context("both values of the contact must be kept")?;
    say("  同一户两人都改了联系人:两个值都在,谁、何时,一清二楚。 Both edited the same contact: both values are kept, with who and when.");
    for value in &contact.values {
        let name = value.by_name.clone().unwrap_or_else(|| "?".into());
        say(&format!("    {} {} {:?}", value.at.millis(), name, value.value));
    }
    Ok(())
}

/// A return that is made offline and arrives after the closing does not open the case again.
fn late_return(worker: &Phone, centre: &Phone, say: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
    let case = worker.engine.open_cases(None)?.first().context("an open case")?.row.id;
    worker.engine.add_event(case, EventKind::Returned, Some("地址写错了,退回补充"))?;
    centre.engine.add_event(case, EventKind::Closed, Some("路灯已修好"))?;
    sync(centre, say)?;
    sync(worker, say)?;
    let detail = worker.engine.case(case)?;
    let late = detail.timeline.iter().any(|line| line.kind == EventKind::Returned && matches!(line.effect, Effect::Superseded(_)));
    anyhow::ensure!(late && detail.view.closed_at().is_some(), "the closed case was changed by a late return");
    say(
        "  退回在结案之后才到:案件保持结案,退回以「迟到」显示。 A return arrived after the closing: the case stays closed, the return is shown as late.",
    );
    Ok(())
}
