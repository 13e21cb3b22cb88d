//! Programs of others that measure a machine, each asked once a second, as who watches a machine asks.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Error, Result};
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::http::Client;
use crate::process::Process;

/// A peer, and who asks it.
pub(crate) struct Peer {
    pub(crate) process: Process,
    asking: JoinHandle<Error>,
}

impl Peer {
    async fn start(command: &mut Command, address: &str, path: &'static str) -> Result<Self> {
        let process = Process::start(command)?;
        Ok(Self { process, asking: ask_each_second(address, path).await? })
    }

    /// Ends it, and fails unless it has answered until now.
    pub(crate) async fn stop(self) -> Result<()> {
        if self.asking.is_finished() {
            return Err(self.asking.await?.context("a peer stopped answering"));
        }
        self.asking.abort();
        self.process.stop().await
    }
}

/// Starts Prometheus' node_exporter, scraped each second.
pub(crate) async fn node_exporter(program: &Path) -> Result<Peer> {
    let address = free_address()?;
    let mut command = Command::new(program);
    command.arg(format!("--web.listen-address={address}"));
    Peer::start(&mut command, &address, "/metrics").await.context("node_exporter")
}

/// Starts Glances as a web server that measures each second, asked for everything each second as its page asks.
pub(crate) async fn glances(program: &Path) -> Result<Peer> {
    let address = free_address()?;
    let (host, port) = address.split_once(':').context("an address has a port")?;
    let mut command = Command::new(program);
    command.args(["--webserver", "--disable-webui", "--time", "1", "--disable-check-update"]);
    command.args(["--bind", host, "--port", port]);
    Peer::start(&mut command, &address, "/api/4/all").await.context("glances")
}

fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// Waits for the first answer, then goes on asking.
async fn ask_each_second(address: &str, path: &'static str) -> Result<JoinHandle<Error>> {
    const PATIENCE: u32 = 60;
    let mut tries = 0;
    let mut client = loop {
        sleep(Duration::from_millis(500)).await;
        match Client::connect(address).await {
            Ok(client) => break client,
            Err(error) if tries >= PATIENCE => return Err(error),
            Err(_) => tries += 1,
        }
    };
    client.get(path).await?;
    Ok(tokio::spawn(async move {
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            if let Err(error) = client.get(path).await {
                return error;
            }
        }
    }))
}
