//! `quillwork serve`: puts the parts together and takes them apart again.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quillwork_store::history::OpenError;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, timeout};

use crate::api::App;
use crate::assets::{NotASite, Site};
use crate::clock::Clock;
use crate::config::{Config, Layers};
use crate::driver::Driver;
use crate::export::{self, ExportError};
use crate::guard::{Guard, TokenFileError};
use crate::limits::Limits;
use crate::logging::LogControl;
use crate::notify::Courier;
use crate::open_files;
use crate::reload::{self, AlertsError, Exposed, Reload};
use crate::report::Schedule;
use crate::sampler::{self, Sampler};
use crate::server::{self, Listening};
use crate::service::{self, Manager};
use crate::signals;
use crate::standby::follow::follow;
use crate::standby::rivals::Rivals;
use crate::standby::start::{self, Others, OthersError};
use crate::state::{Medium, MediumError, State};
use crate::stopping::Stop;
use crate::tls::{Encryption, TlsError};

/// Serves until the process is told to stop. `layers` are what `config` was made of, and are read again when the process
/// is told to.
///
/// # Errors
///
/// If the options can't be right together, the port can't be had, or the machine can't be measured at all. The
/// message says what to do.
pub async fn serve(layers: Layers, config: Config, log: Option<LogControl>) -> Result<(), ServeError> {
    let rules = reload::rules(&config)?;
    let encryption = reload::certificate(&config)?.map(Encryption::new);
    let destinations = export::Settings::from_config(&config)?;
    let server = &config.server;
    let sites = (Site::dashboard(server.dashboard_dir.clone())?, Site::story(server.story_dir.clone())?);
    let listener = match service::handed_over().map_err(ServeError::HandedOver)? {
        Some(listener) => TcpListener::from_std(listener).map_err(ServeError::HandedOver)?,
        None => listen(SocketAddr::new(server.bind, server.port))?,
    };
    let address = listener.local_addr().map_err(ServeError::Io)?;
    reload::exposed(address, &rules)?;
    let guard = Arc::new(Guard::new(address, encryption.is_some(), rules));
    // Before anybody can know that the host runs: a signal that nobody waits for ends the process.
    let (mut told_to_stop, told_to_reload) = (signals::Stop::new(), signals::Reload::new());
    let (stop, stopping) = Stop::new();

    let clock = Clock::start();
    let sampling =
        sampler::Options { network_mounts: config.sampling.network_mounts, ..sampler::Options::default() };
    let (sampler, host) = Sampler::spawn(&sampling).map_err(ServeError::Sampler)?;
    let others = Others::from_config(&config.standby)?;
    let mut medium =
        config.history.data_dir.as_deref().map_or_else(|| Ok(Medium::memory()), Medium::directory)?;
    let options = config.history.options();
    let standing = start::standing(&mut medium, &others, random).map_err(MediumError::from)?;
    let url = start::own_url(&config, address, encryption.is_some());
    let mut state = State::with_standing(clock.now(), instance(), medium, options, standing)?;
    let promote_after = config.standby.promote_after.and_then(|after| u64::try_from(after.as_millis()).ok());
    state.begin_replication(
        clock.now(),
        url.clone(),
        promote_after.map(quillwork_core::time::Duration::from_millis),
    );
    if config.standby.rejoin {
        state.rejoin(others.named.iter().map(|peer| peer.url().to_owned()).collect());
    }
    let watched = reload::alerts(&config)?;
    state.begin_alerts(clock.now(), watched.rules);
    let (courier, delivered) = Courier::new(&watched.channels);
    let driver = Driver::spawn_with_post(clock, state, host, (courier.clone(), delivered));
    let farewell = config.limits.shutdown_timeout;
    let exports: Vec<_> = destinations
        .into_iter()
        .map(|settings| export::spawn(settings, (clock, driver.clone()), stopping.clone(), farewell))
        .collect();
    announce(address, encryption.is_some(), &sites).map_err(ServeError::Io)?;

    let connections = open_files::connections(config.limits.connections);
    let limits = Limits { connections, ..config.limits.clone() };
    let looks = config.tls.look_interval;
    let interval = config.standby.interval;
    let (publish, config) = watch::channel(Arc::new(config));
    let rivals = Rivals { driver: driver.clone(), named: others.named.clone() };
    let app = App::new(driver.clone(), Arc::clone(&guard), config, sites, stopping.clone());
    let app = app.beside(rivals);
    let reload = Reload::new(layers, publish, guard, encryption.clone(), log, (driver.clone(), courier));
    let looking = tokio::spawn(Arc::clone(&app.rivals).run(stopping.clone()));
    let peer = move |url: &str| others.peer(url);
    let following = tokio::spawn(follow(driver.clone(), (interval, url), peer, stopping.clone()));
    let status = format!("Listening on {address}");
    let reloading = tokio::spawn(reload_when_told(reload, told_to_reload, looks, status.clone()));
    let reporting = tokio::spawn(Schedule::of(&app).run());
    let serving = tokio::spawn({
        let (app, limits, stopping) = (app.clone(), limits.clone(), stopping.clone());
        let listening = Listening { listener, encryption };
        async move { server::serve(listening, app.router(), &limits, stopping).await }
    });
    Manager.ready(&status);
    let watching = tokio::spawn(Manager.watch(driver.ticks()));
    let failed = tokio::select! {
        signal = told_to_stop.next() => {
            tracing::info!("{signal}: stopping");
            false
        }
        () = driver.ended() => true,
    };
    Manager.stopping();
    reloading.abort();
    reporting.abort();
    stop.stop();
    let farewell = async {
        serving.await.ok();
        looking.await.ok();
        following.await.ok();
        app.sockets_closed().await;
    };
    let ending = async {
        if timeout(limits.shutdown_timeout, farewell).await.is_err() {
            tracing::info!("some connections did not end in time and are cut");
        }
        // Each ends by itself in the same time, and says what it leaves.
        for export in exports {
            export.await.ok();
        }
        timeout(limits.flush_timeout, driver.stop()).await.map_err(|_| ServeError::NotFlushed)
    };
    tokio::select! {
        ended = ending => ended?,
        signal = told_to_stop.next() => {
            tracing::warn!("{signal} again: stopping at once");
            return Err(ServeError::NotFlushed);
        }
    }
    watching.abort();
    drop(sampler);
    // A host that answers and knows nothing any more would look alive to whoever restarts it.
    if failed { Err(ServeError::DriverEnded) } else { Ok(()) }
}

/// When a file that has changed is looked at once more.
const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// Reads the configuration again on SIGHUP, and looks after the certificate and the rules.
async fn reload_when_told(mut reload: Reload, mut signal: signals::Reload, looks: Duration, status: String) {
    let mut look = tokio::time::interval(looks);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Files are read on this task: nothing but the next reload waits for a disk that hangs.
        tokio::select! {
            () = signal.next() => {
                Manager.reloading();
                tokio::task::block_in_place(|| reload_now(&mut reload));
                Manager.ready(&status);
            }
            _ = look.tick() => tokio::task::block_in_place(|| {
                reload.renew_certificate();
                if reload.renew_rules() {
                    look.reset_after(looks.min(SETTLED_AFTER));
                }
            }),
        }
    }
}

fn reload_now(reload: &mut Reload) {
    match reload.reload() {
        Ok(waiting) if waiting.is_empty() => tracing::info!("the configuration has been read again"),
        Ok(waiting) => tracing::warn!(
            "the configuration has been read again; these wait for a restart: {}",
            waiting.join(", ")
        ),
        Err(error) => tracing::error!("the configuration can't be used, everything stays as it was: {error}"),
    }
}

/// Binds. The kernel's send buffers are kept small: what is written to a client that doesn't read should be noticed
/// after some ticks, not after megabytes of them.
fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    const SEND_BUFFER: u32 = 256 << 10;
    const BACKLOG: u32 = 1_024;
    let bind = || -> io::Result<TcpListener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A host that has just stopped leaves connections behind; on Windows the option would share the port instead.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bind().map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::PortInUse { address },
        io::ErrorKind::PermissionDenied => ServeError::PortForbidden { address },
        io::ErrorKind::AddrNotAvailable => ServeError::NoSuchAddress { address },
        _ => ServeError::Listen { address, source },
    })
}

/// Says where it is to be found: the machine-readable line on stdout, the rest for people.
fn announce(address: SocketAddr, encrypted: bool, (dashboard, story): &(Site, Site)) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let scheme = if encrypted { "https" } else { "http" };
    writeln!(stdout, "Listening on {scheme}://{address}")?;
    // Whoever started it may be waiting for this line through a pipe.
    stdout.flush()?;
    let built = |site: &Site| if site.is_built() { "" } else { " (not built)" };
    tracing::info!(
        "dashboard {scheme}://{address}/{}, story app {scheme}://{address}/story/{}, API \
         {scheme}://{address}/api/v1/snapshot, metrics {scheme}://{address}/metrics",
        built(dashboard),
        built(story)
    );
    Ok(())
}

/// A name for this run of the host.
fn instance() -> String {
    format!("{:016x}", random())
}

/// A number that no other host or run has. The standard library's hash keys are random per process, and each has others; no secret hangs on it.
fn random() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish()
}

/// Why the host does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The rules or channels of alerts can't be used.
    #[error(transparent)]
    Alerts(#[from] AlertsError),
    /// Metrics can't be sent on as the configuration has it.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Somebody else has the port.
    #[error("port {} on {} is in use; stop what listens there, or choose another port with --port", address.port(), address.ip())]
    PortInUse {
        /// What was asked for.
        address: SocketAddr,
    },
    /// The system doesn't give this port.
    #[error("port {} needs rights that this process doesn't have; choose one above 1023 with --port", address.port())]
    PortForbidden {
        /// What was asked for.
        address: SocketAddr,
    },
    /// The machine doesn't have the address.
    #[error("{} is no address of this machine; choose another with --bind", address.ip())]
    NoSuchAddress {
        /// What was asked for.
        address: SocketAddr,
    },
    /// It can't be listened to for another reason.
    #[error("can't listen on {address}: {source}; choose others with --bind and --port")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The token file can't be used.
    #[error(transparent)]
    Token(#[from] TokenFileError),
    /// Others on the network could reach it.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// The socket of the service manager can't be used.
    #[error(
        "the socket that the service manager handed over can't be used: {0}; it must be a TCP socket that listens"
    )]
    HandedOver(io::Error),
    /// What there was to write could not be written in time.
    #[error(
        "the host was stopped before everything was written; the last minute may be missing from the history"
    )]
    NotFlushed,
    /// The certificate can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What is said of other hosts can't be used.
    #[error(transparent)]
    Others(#[from] OthersError),
    /// A directory is no built app.
    #[error(transparent)]
    Site(#[from] NotASite),
    /// The data directory can't be used.
    #[error(transparent)]
    Medium(#[from] MediumError),
    /// What the data directory holds can't be used.
    #[error("--data-dir: {0}; name another directory, or move the file away")]
    History(#[from] OpenError),
    /// The task that owns everything known has ended by itself.
    #[error("the host failed; what it was doing is said above, and starting it again is safe")]
    DriverEnded,
    /// The machine can't be measured.
    #[error("this machine can't be measured: {0}")]
    Sampler(io::Error),
    /// Something else.
    #[error(transparent)]
    Io(io::Error),
}
