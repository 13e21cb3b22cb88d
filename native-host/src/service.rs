//! Under systemd: when the host is ready, that it lives, that it stops; and the socket that was opened for it.
//!
//! Elsewhere, and where nobody asks for it, all of this does nothing.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use tokio::sync::watch;

use crate::state::Tick;

/// The service manager.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manager;

#[cfg(target_os = "linux")]
impl Manager {
    /// The listener is bound and what was kept is read. Also the end of a reload.
    pub(crate) fn ready(self, status: &str) {
        tell(&[sd_notify::NotifyState::Ready, sd_notify::NotifyState::Status(status)]);
    }

    /// A reload begins; [`ready`](Self::ready) ends it.
    pub(crate) fn reloading(self) {
        match sd_notify::NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[sd_notify::NotifyState::Reloading, now]),
            Err(error) => tracing::warn!("the service manager can't be told of the reload: {error}"),
        }
    }

    /// The host stops.
    pub(crate) fn stopping(self) {
        tell(&[sd_notify::NotifyState::Stopping]);
    }

    /// Tells with each tick that the host lives, where the manager wants to know. A host that no longer measures is as
    /// good as dead, so it is the sampler's tick that counts and no timer.
    pub(crate) async fn watch(self, mut ticks: watch::Receiver<Arc<Tick>>) {
        if sd_notify::watchdog_enabled().is_none() {
            return;
        }
        let mut told = None;
        while ticks.changed().await.is_ok() {
            let measured = ticks.borrow_and_update().snapshot.host.as_ref().map(|host| host.sampler.ticks);
            if measured != told {
                told = measured;
                tell(&[sd_notify::NotifyState::Watchdog]);
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn tell(what: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::warn!("the service manager can't be told: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
impl Manager {
    pub(crate) fn ready(self, _status: &str) {}

    pub(crate) fn reloading(self) {}

    pub(crate) fn stopping(self) {}

    pub(crate) async fn watch(self, _ticks: watch::Receiver<Arc<Tick>>) {}
}

/// The socket that the service manager opened (`LISTEN_FDS`), if it did.
pub(crate) fn handed_over() -> io::Result<Option<TcpListener>> {
    #[cfg(unix)]
    {
        let Some(listener) = listenfd::ListenFd::from_env().take_tcp_listener(0)? else { return Ok(None) };
        listener.set_nonblocking(true)?;
        Ok(Some(listener))
    }
    #[cfg(not(unix))]
    Ok(None)
}
