//! What the host takes while it does what it is for, beside what its peers take in the same minutes.
//!
//! The host keeps 1,000 series a second: its own and those of four programs that send OpenTelemetry metrics over HTTP. Its
//! history is on disk, its rules watch, one dashboard hears every tick. node_exporter keeps nothing and is scraped each second;
//! Glances keeps nothing and is asked for everything each second.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::Options;
use crate::dashboard::Dashboard;
use crate::http::Client;
use crate::otlp::{self, Program};
use crate::peers;
use crate::process::{Memory, Process};
use crate::result::{show, show_beside};
use crate::server::Server;

/// Series that are kept each second.
const SERIES: usize = 1_000;
/// Programs that send what isn't the host's own.
const PROGRAMS: usize = 4;
/// Time for everybody to have read all that is read once.
const WARM_UP: Duration = Duration::from_secs(20);

/// Watches all three, and leaves what the host has kept in `data`.
pub(crate) async fn measure(options: &Options, data: &Path) -> Result<()> {
    println!("starting the host and its peers");
    let server = Server::start(&options.host, Some(data), &[]).await?;
    let exporter = peers::node_exporter(&options.node_exporter).await?;
    let glances = peers::glances(&options.glances).await?;
    let own = series(&server.address).await?;
    ensure!(own < SERIES, "this machine has {own} series of its own");
    let each = (SERIES - own).div_ceil(PROGRAMS);
    for number in 0..PROGRAMS {
        let count = each.min(SERIES - own - each * number);
        tokio::spawn(send(Client::connect(&server.address).await?, Program::new(number, count)));
    }
    let ticks = Arc::new(AtomicU64::new(0));
    tokio::spawn(listen(Dashboard::connect(&server.address).await?, Arc::clone(&ticks)));
    sleep(WARM_UP).await;

    let watched = [&server.process, &exporter.process, &glances.process];
    let seconds = |of: &[&Process; 3]| of.iter().map(|one| one.seconds()).collect::<Result<Vec<_>>>();
    let (begun, before, heard) = (Instant::now(), seconds(&watched)?, ticks.load(Ordering::Relaxed));
    for minute in 0..options.minutes {
        println!("watching, minute {} of {}", minute + 1, options.minutes);
        sleep(Duration::from_secs(60)).await;
    }
    let lasted = begun.elapsed().as_secs_f64();
    let taken: Vec<f64> = seconds(&watched)?.iter().zip(&before).map(|(end, begin)| end - begin).collect();
    let memory = watched.iter().map(|one| one.memory()).collect::<Result<Vec<_>>>()?;
    let heard = ticks.load(Ordering::Relaxed) - heard;
    let kept = series(&server.address).await?;
    ensure!(kept == SERIES, "{kept} series were kept, not {SERIES}");
    server.process.stop().await?;
    exporter.stop().await?;
    glances.stop().await?;

    let minutes = format!("{} min", options.minutes);
    show("series kept each second", &format!("{kept}, {own} of them the machine's"), None);
    show("ticks that the dashboard heard", &format!("{heard} in {lasted:.0} s"), None);
    show_beside(&format!("processor time in {minutes}"), "s", None, taken[0], &taken[1..]);
    let share = |of: &f64| of / lasted * 100.0;
    let shares: Vec<f64> = taken.iter().map(share).collect();
    show_beside("processor time, of a core", "%", Some("1 %"), shares[0], &shares[1..]);
    let all = |of: fn(&Memory) -> f64| memory.iter().map(|one| of(one) / 1e6).collect::<Vec<_>>();
    for (name, aim, values) in [
        ("resident memory at the end", Some("25 MB"), all(|one| one.resident)),
        ("resident memory at its most", None, all(|one| one.peak)),
        ("proportional memory at the end", None, all(|one| one.proportional)),
    ] {
        show_beside(name, "MB", aim, values[0], &values[1..]);
    }
    Ok(())
}

async fn series(address: &str) -> Result<usize> {
    let answer = Client::connect(address).await?.get("/api/v1/series").await?;
    let catalogue: Value = serde_json::from_slice(&answer)?;
    catalogue["series"].as_array().map(Vec::len).context("the catalogue lists series")
}

/// Sends each second, until the host ends.
async fn send(mut client: Client, mut program: Program) {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let request = program.request(std::iter::once(unix_millis()));
        if client.post(otlp::PATH, otlp::TYPE, request.into()).await.is_err() {
            return;
        }
    }
}

async fn listen(mut dashboard: Dashboard, ticks: Arc<AtomicU64>) {
    while dashboard.tick().await.is_ok() {
        ticks.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
