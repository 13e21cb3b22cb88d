//! The host is being stopped: told once, heard by everybody.

use tokio::sync::watch;

/// Tells that the host stops.
#[derive(Debug)]
pub struct Stop(watch::Sender<bool>);

/// Hears that the host stops.
#[derive(Clone, Debug)]
pub struct Stopping(watch::Receiver<bool>);

impl Stop {
    /// A teller and its first hearer.
    #[must_use]
    pub fn new() -> (Self, Stopping) {
        let (tell, hear) = watch::channel(false);
        (Self(tell), Stopping(hear))
    }

    /// Tells everybody, those who listen later included.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stopping {
    /// Waits until the host stops, or its teller is gone. Safe to cancel.
    pub async fn wait(&mut self) {
        self.0.wait_for(|stopping| *stopping).await.ok();
    }
}
