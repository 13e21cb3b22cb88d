//! The one task that owns the state.
//!
//! Everything that happens reaches it through one bounded channel or the sampler's newest tick, one at a time; after
//! each input all outputs are acted on before the next is taken. [`State`] decides, this acts: it
//! reads the clock, waits, and publishes.

use std::sync::Arc;

use quillwork_protocol::host::HostSnapshot;
use quillwork_protocol::page::{PageBatch, PageSource};
use quillwork_protocol::series::SeriesCatalogue;
use quillwork_protocol::socket::Resume;
use quillwork_protocol::source::Source;
use quillwork_store::query::{Query, QueryError, Reader};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant as TokioInstant, sleep_until};

use crate::clock::{Clock, Now};
use crate::notify::{Channels, Courier, Delivery};
use crate::otlp::points::FromProgram;
use crate::rules::RuleSet;
use crate::state::{
    BatchRefusal, ConnectionId, Counted, Medium, PagesFull, ProgramRefusal, Rejected, Resumed, SeriesQuery,
    SeriesReading, SeriesRefusal, State, Tick, View,
};

/// What the driver is told. Each is answered, so that who waits never waits for nothing.
#[derive(Debug)]
enum Input {
    Connect { source: PageSource, reply: oneshot::Sender<Result<ConnectionId, PagesFull>> },
    Disconnect { connection: ConnectionId, goodbye: bool },
    Batch { batch: Box<PageBatch>, proof: Proof, reply: oneshot::Sender<Result<Counted, BatchRefusal>> },
    Resume { resume: Option<Resume>, reply: oneshot::Sender<Resumed> },
    Program { sent: FromProgram, reply: oneshot::Sender<Result<Option<Rejected>, ProgramRefusal>> },
    Sources { reply: oneshot::Sender<Vec<Source>> },
    Catalogue { reply: oneshot::Sender<SeriesCatalogue> },
    Series { query: SeriesQuery, reply: oneshot::Sender<Result<SeriesReading, SeriesRefusal>> },
    Select { query: Box<Query>, reply: oneshot::Sender<Result<Reader<Medium>, QueryError>> },
    Act(Act),
    Stop { flushed: oneshot::Sender<()> },
}

/// Something that one part of the API does with the state, and replies to by itself.
struct Act(Box<Doing>);

type Doing = dyn FnOnce(&mut State, Now) + Send;

impl std::fmt::Debug for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Act")
    }
}

/// Who delivers letters, and where its reports come out.
pub type Post = (Courier, mpsc::Receiver<Delivery>);

/// By what the sender of a batch shows that it may send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The token, or none where none is asked for.
    Token,
    /// The source id alone.
    SourceId,
}

/// Inputs that wait. When it is full senders wait, and their clients with them.
const QUEUE: usize = 256;

/// Talks to the driver.
#[derive(Clone, Debug)]
pub struct Driver {
    inputs: mpsc::Sender<Input>,
    ticks: watch::Receiver<Arc<Tick>>,
    view: watch::Receiver<Arc<View>>,
    clock: Clock,
}

/// The host is stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host is stopping")]
pub struct Stopped;

impl Driver {
    /// Starts the task, which ends when it is told to, or nobody is left to tell it anything. `host` gives the sampler's
    /// newest tick.
    #[must_use]
    pub fn spawn(clock: Clock, state: State, host: watch::Receiver<Option<Arc<HostSnapshot>>>) -> Self {
        let (nobody, post) = Courier::new(&Channels::default());
        Self::spawn_with_post(clock, state, host, (nobody, post))
    }

    /// As [`spawn`](Self::spawn), with somebody to deliver letters.
    #[must_use]
    pub fn spawn_with_post(
        clock: Clock,
        state: State,
        host: watch::Receiver<Option<Arc<HostSnapshot>>>,
        post: Post,
    ) -> Self {
        let (inputs, received) = mpsc::channel(QUEUE);
        let (publish, ticks) = watch::channel(state.tick());
        let view = state.view();
        tokio::spawn(drive(clock, state, host, received, publish, post));
        Self { inputs, ticks, view, clock }
    }

    /// Does something with the state, between two other inputs. It must be quick: everybody waits for it.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut State, Now) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        // Nobody who asked waits any more where a reply can't be sent.
        self.ask(|reply| Input::Act(Act(Box::new(move |state, now| drop(reply.send(act(state, now))))))).await
    }

    /// Watches other rules; they count when this returns. To be called where one may wait, outside of asynchronous code.
    pub fn set_rules(&self, rules: RuleSet) {
        let (reply, answer) = oneshot::channel();
        let act = Act(Box::new(move |state, now| {
            state.set_rules(now, rules);
            reply.send(()).ok();
        }));
        // A host that is stopping watches nothing any more.
        if self.inputs.blocking_send(Input::Act(act)).is_ok() {
            answer.blocking_recv().ok();
        }
    }

    /// The newest tick, and a signal for each new one. Who is late sees the newest only.
    #[must_use]
    pub fn ticks(&self) -> watch::Receiver<Arc<Tick>> {
        self.ticks.clone()
    }

    /// What the host is among those with the same history, as of now.
    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.borrow())
    }

    /// The same, and a signal for each new one.
    pub(crate) fn views(&self) -> watch::Receiver<Arc<View>> {
        self.view.clone()
    }

    /// The clock by which the state lives.
    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    /// A page connected.
    pub(crate) async fn connect(
        &self,
        source: PageSource,
    ) -> Result<Result<ConnectionId, PagesFull>, Stopped> {
        self.ask(|reply| Input::Connect { source, reply }).await
    }

    /// A page's connection ended.
    pub(crate) async fn disconnect(&self, connection: ConnectionId, goodbye: bool) {
        // A host that is stopping forgets its pages anyway.
        self.inputs.send(Input::Disconnect { connection, goodbye }).await.ok();
    }

    /// A page's batch came.
    pub(crate) async fn batch(
        &self,
        batch: PageBatch,
        proof: Proof,
    ) -> Result<Result<Counted, BatchRefusal>, Stopped> {
        self.ask(|reply| Input::Batch { batch: Box::new(batch), proof, reply }).await
    }

    /// A dashboard connected.
    pub(crate) async fn resume(&self, resume: Option<Resume>) -> Result<Resumed, Stopped> {
        self.ask(|reply| Input::Resume { resume, reply }).await
    }

    /// A program's OpenTelemetry metrics came.
    pub(crate) async fn program(
        &self,
        sent: FromProgram,
    ) -> Result<Result<Option<Rejected>, ProgramRefusal>, Stopped> {
        self.ask(|reply| Input::Program { sent, reply }).await
    }

    /// Who reports, by id.
    pub(crate) async fn sources(&self) -> Result<Vec<Source>, Stopped> {
        self.ask(|reply| Input::Sources { reply }).await
    }

    /// All series.
    pub(crate) async fn catalogue(&self) -> Result<SeriesCatalogue, Stopped> {
        self.ask(|reply| Input::Catalogue { reply }).await
    }

    /// What is needed to read values of series.
    pub(crate) async fn series(
        &self,
        query: SeriesQuery,
    ) -> Result<Result<SeriesReading, SeriesRefusal>, Stopped> {
        self.ask(|reply| Input::Series { query, reply }).await
    }

    /// What is needed to answer a question about series.
    pub(crate) async fn select(&self, query: Query) -> Result<Result<Reader<Medium>, QueryError>, Stopped> {
        self.ask(|reply| Input::Select { query: Box::new(query), reply }).await
    }

    /// Writes everything that is to outlive the process, and ends the task: whoever asks later is told.
    pub async fn stop(&self) {
        self.ask(|flushed| Input::Stop { flushed }).await.ok();
    }

    /// Waits until the task has ended, for whatever reason.
    pub async fn ended(&self) {
        self.inputs.closed().await;
    }

    async fn ask<T>(&self, input: impl FnOnce(oneshot::Sender<T>) -> Input) -> Result<T, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.inputs.send(input(reply)).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}

async fn drive(
    clock: Clock,
    mut state: State,
    mut host: watch::Receiver<Option<Arc<HostSnapshot>>>,
    mut inputs: mpsc::Receiver<Input>,
    publish: watch::Sender<Arc<Tick>>,
    (courier, mut delivered): Post,
) {
    let mut sampler_lives = true;
    let mut was_active = state.is_active();
    loop {
        let deadline = state.next_deadline();
        tokio::select! {
            input = inputs.recv() => match input {
                Some(Input::Stop { flushed }) => {
                    state.flush();
                    flushed.send(()).ok();
                    return;
                }
                Some(input) => handle(&mut state, clock.now(), input),
                None => return state.flush(),
            },
            changed = host.changed(), if sampler_lives => {
                sampler_lives = changed.is_ok();
                let newest = host.borrow_and_update().clone();
                if let (true, Some(newest)) = (sampler_lives, newest) {
                    state.handle_host(clock.now(), newest);
                }
            }
            // The courier lives as long as this task: there is always a next report.
            Some(delivery) = delivered.recv() => state.handle_delivery(clock.now(), delivery),
            () = sleep_until(until(&clock, deadline)) => state.handle_deadline(clock.now()),
        }
        if was_active && !state.is_active() {
            courier.silence();
        }
        was_active = state.is_active();
        while let Some(tick) = state.poll_output() {
            publish.send_replace(tick);
        }
        while let Some(letter) = state.poll_letter(clock.now()) {
            if let Some(refused) = courier.send(letter) {
                state.handle_delivery(clock.now(), refused);
            }
        }
    }
}

/// Nobody who asked waits any more where a reply can't be sent.
fn handle(state: &mut State, now: Now, input: Input) {
    match input {
        Input::Connect { source, reply } => drop(reply.send(state.handle_connect(now, source))),
        Input::Disconnect { connection, goodbye } => state.handle_disconnect(now, &connection, goodbye),
        Input::Batch { batch, proof: Proof::Token, reply } => {
            drop(reply.send(state.handle_batch(now, *batch)));
        }
        Input::Batch { batch, proof: Proof::SourceId, reply } => {
            drop(reply.send(state.handle_beacon(now, *batch)));
        }
        Input::Resume { resume, reply } => drop(reply.send(state.resume(resume.as_ref()))),
        Input::Program { sent, reply } => drop(reply.send(state.handle_program(now, sent))),
        Input::Sources { reply } => drop(reply.send(state.sources(now))),
        Input::Catalogue { reply } => drop(reply.send(state.catalogue())),
        Input::Select { query, reply } => drop(reply.send(state.select(&query))),
        Input::Act(Act(act)) => act(state, now),
        Input::Stop { flushed } => drop(flushed),
        Input::Series { query, reply } => drop(reply.send(state.series(query))),
    }
}

fn until(clock: &Clock, deadline: quillwork_core::time::Instant) -> TokioInstant {
    let left = deadline.duration_since(clock.now().monotonic);
    TokioInstant::now() + std::time::Duration::from_nanos(left.as_nanos())
}
