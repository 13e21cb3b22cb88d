//! Delivers letters, each channel in its own time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quillwork_core::alert::notify::NotificationId;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::letter::LetterKind;
use super::{Channel, Channels, Letter};

/// Delivers letters and reports what became of them.
#[derive(Clone, Debug)]
pub struct Courier {
    queues: Arc<Mutex<BTreeMap<String, Queue>>>,
    reports: mpsc::Sender<Delivery>,
    first_pause: Duration,
}

/// Letters of one channel, and the task that delivers them.
type Queue = (mpsc::Sender<Letter>, AbortHandle);

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The letter.
    pub id: NotificationId,
    /// Its channel.
    pub receiver: String,
    /// How often it was sent.
    pub attempts: u32,
    /// Why it has not arrived; `None` where it has.
    pub failure: Option<String>,
}

/// Letters that wait for one channel. What is more is told later: its alerts are not forgotten.
const QUEUE: usize = 16;
/// Times that a letter is sent before its group is left to tell it anew.
const ATTEMPTS: u32 = 6;
/// Between the first two; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// No receiver may ask to be left alone for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

impl Courier {
    /// A courier, and where its reports come out.
    #[must_use]
    pub fn new(channels: &Channels) -> (Self, mpsc::Receiver<Delivery>) {
        Self::pausing(channels, FIRST_PAUSE)
    }

    /// As [`new`](Self::new), with another pause between the first two attempts.
    #[must_use]
    pub fn pausing(channels: &Channels, first_pause: Duration) -> (Self, mpsc::Receiver<Delivery>) {
        let (reports, received) = mpsc::channel(QUEUE);
        let courier = Self { queues: Arc::default(), reports, first_pause };
        courier.replace(channels);
        (courier, received)
    }

    /// Other channels from now on. What waits for one that is gone is told to nobody; its alerts find their new routes.
    pub fn replace(&self, channels: &Channels) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.clear();
        for (name, channel) in &channels.by_name {
            let (queue, letters) = mpsc::channel(QUEUE);
            let serving = serve(Arc::clone(channel), letters, self.reports.clone(), self.first_pause);
            queues.insert(name.clone(), (queue, tokio::spawn(serving).abort_handle()));
        }
    }

    /// Tells nobody from now on, what is under way included: another host tells instead.
    pub fn silence(&self) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.values().for_each(|(_, serving)| serving.abort());
        queues.clear();
    }

    /// Takes a letter. One that can't be taken is reported as not delivered.
    #[must_use]
    pub fn send(&self, letter: Letter) -> Option<Delivery> {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, receiver) = (letter.id, letter.receiver.clone());
        let failed = |why: &str| {
            Some(Delivery { id, receiver: receiver.clone(), attempts: 0, failure: Some(why.to_owned()) })
        };
        let Some((queue, _)) = queues.get(&receiver) else { return failed("there is no such channel") };
        match queue.try_send(letter) {
            Ok(()) => None,
            Err(_) => failed("its channel is busy with earlier ones"),
        }
    }
}

async fn serve(
    channel: Arc<Channel>,
    mut letters: mpsc::Receiver<Letter>,
    reports: mpsc::Sender<Delivery>,
    first_pause: Duration,
) {
    while let Some(letter) = letters.recv().await {
        let delivery = deliver(&channel, &letter, first_pause).await;
        match &delivery.failure {
            // Each minute, by and by: a log of signs of life hides what happened.
            None if matches!(letter.kind, LetterKind::Heartbeat { .. }) => {
                tracing::debug!("{} had its sign of life (attempt {})", delivery.receiver, delivery.attempts);
            }
            None => {
                tracing::info!("{} was told of alerts (attempt {})", delivery.receiver, delivery.attempts)
            }
            Some(failure) => tracing::warn!(
                "{} was not told of alerts after {} attempts: {failure}",
                delivery.receiver,
                delivery.attempts
            ),
        }
        if reports.send(delivery).await.is_err() {
            return;
        }
    }
}

async fn deliver(channel: &Channel, letter: &Letter, first_pause: Duration) -> Delivery {
    let mut attempts = 0;
    let failure = loop {
        attempts += 1;
        let Err(error) = channel.deliver(letter).await else { break None };
        if !error.may_pass || attempts == ATTEMPTS {
            break Some(error.reason);
        }
        let pause = first_pause * 2_u32.pow(attempts - 1);
        sleep(pause.max(error.retry_after.unwrap_or_default()).min(LONGEST_PAUSE)).await;
    };
    Delivery { id: letter.id, receiver: letter.receiver.clone(), attempts, failure }
}
