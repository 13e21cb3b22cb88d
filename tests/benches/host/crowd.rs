//! 2,000 dashboards, of which a tenth says hello and then reads nothing: the others miss no tick.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use crate::Options;
use crate::cost::unix_millis;
use crate::dashboard::Dashboard;
use crate::result::{quantile, show};
use crate::server::Server;

const CLIENTS: usize = 2_000;
const STALLED: usize = CLIENTS / 10;
/// Bytes that the system keeps for a client that doesn't read; it makes it as many as it must.
const SMALLEST: u32 = 4_096;
const TIME: Duration = Duration::from_secs(60);

/// What a client that reads has heard.
#[derive(Default)]
struct Heard {
    ticks: u64,
    missed: u64,
    delays: Vec<f64>,
}

pub(crate) async fn measure(options: &Options) -> Result<()> {
    let settings = [
        "limits.requests_per_second=1000000",
        "limits.request_burst=1000000",
        "limits.connections=4096",
        "limits.connections_per_client=4096",
        "limits.dashboards=4096",
        "limits.greetings=4096",
    ];
    let server = Server::start(&options.host, None, &settings).await?;
    let mut reading = Vec::with_capacity(CLIENTS - STALLED);
    let mut stalled = Vec::with_capacity(STALLED);
    for number in 0..CLIENTS {
        if number % 500 == 0 {
            println!("connecting client {number} of {CLIENTS}");
        }
        let is_stalled = number % 10 == 0;
        let client = Dashboard::connect_with(&server.address, is_stalled.then_some(SMALLEST)).await;
        let client = client.with_context(|| format!("client {number}"))?;
        if is_stalled { stalled.push(client) } else { reading.push(client) }
    }
    let before = server.process.seconds()?;
    let begun = Instant::now();
    println!("{} clients read for {} s, {STALLED} don't", reading.len(), TIME.as_secs());
    let mut clients = JoinSet::new();
    for client in reading {
        clients.spawn(hear(client, begun + TIME));
    }
    sleep(TIME).await;
    let taken = (server.process.seconds()? - before) / begun.elapsed().as_secs_f64() * 100.0;
    let memory = server.process.memory()?;
    let heard: Vec<Heard> = clients.join_all().await.into_iter().collect::<Result<_>>()?;
    let ticks = heard.iter().map(|one| one.ticks).sum::<u64>();
    let missed = heard.iter().map(|one| one.missed).sum::<u64>();
    let mut delays: Vec<f64> = heard.into_iter().flat_map(|one| one.delays).collect();
    let (p50, p99) = (quantile(&mut delays, 0.5), quantile(&mut delays, 0.99));
    show(
        "2,000 dashboards, 200 stalled: ticks that the others heard",
        &format!("{ticks}, {missed} missed"),
        None,
    );
    show("the same: delay of a tick, p50, p99", &format!("{p50:.0} ms, {p99:.0} ms"), None);
    show("the same: processor time, of a core", &format!("{taken:.1} %"), None);
    show(
        "the same: resident memory, and at its most",
        &format!("{:.1} MB, {:.1} MB", memory.resident / 1e6, memory.peak / 1e6),
        None,
    );
    let mut ends = JoinSet::new();
    for client in stalled {
        ends.spawn(was_let_go(client));
    }
    let let_go = ends.join_all().await.into_iter().filter(|was| *was).count();
    show("the same: stalled ones that the host let go", &let_go.to_string(), None);
    server.process.stop().await
}

async fn hear(mut client: Dashboard, until: Instant) -> Result<Heard> {
    let mut heard = Heard::default();
    let mut last = None;
    while let Ok(tick) = timeout_at(until, client.tick()).await {
        let tick = tick?;
        heard.ticks += 1;
        heard.missed += last.map_or(0, |last: u64| tick.sequence.saturating_sub(last + 1));
        last = Some(tick.sequence);
        heard.delays.push(unix_millis().saturating_sub(tick.at_unix_millis) as f64);
    }
    Ok(heard)
}

/// Whether the connection of a client that begins to read only now turns out to have ended: what lies in the system's buffers
/// comes at once, and then the end, or a tick in its time.
async fn was_let_go(mut client: Dashboard) -> bool {
    let enough = Instant::now() + Duration::from_secs(10);
    while let Ok(heard) = timeout_at(enough, client.tick()).await {
        match heard {
            Err(_) => return true,
            Ok(tick) if unix_millis().saturating_sub(tick.at_unix_millis) < 1_000 => return false,
            Ok(_) => {}
        }
    }
    false
}
