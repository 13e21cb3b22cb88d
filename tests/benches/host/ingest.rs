//! Samples that are taken in a second of one core: by the store alone, and by the host as OpenTelemetry over HTTP.

use std::path::Path;

use anyhow::Result;
use quillwork_store::history::{History, HistoryOptions};
use quillwork_store::volume::Directory;
use rustix::time::{ClockId, clock_gettime};

use crate::Options;
use crate::cost::unix_millis;
use crate::http::Client;
use crate::otlp::{self, Program};
use crate::result::show;
use crate::server::Server;
use crate::values::{Course, second};

/// Series and seconds that the store is given.
const SERIES: usize = 1_000;
const SECONDS: u64 = 7_200;

/// As many programs as the host knows at a time, each within its allowance of points at once.
const PROGRAMS: usize = 64;
const SERIES_EACH: usize = 60;
const INSTANTS_EACH: u64 = 16;
const REQUESTS_EACH: u64 = 18;

pub(crate) async fn measure(options: &Options, room: &Path) -> Result<()> {
    store(&room.join("ingest"))?;
    over_http(options).await
}

fn store(directory: &Path) -> Result<()> {
    println!("giving the store two hours of {SERIES} series");
    let start = 1_700_000_000_000 / 3_600_000 * 3_600_000;
    let mut history = History::open(Directory::open(directory)?, HistoryOptions::default(), start)?;
    let mut courses: Vec<_> = (0..SERIES as u64).map(Course::new).collect();
    let mut ids = Vec::with_capacity(SERIES);
    for (number, course) in courses.iter().enumerate() {
        ids.push(history.add_series(course.spec(number))?);
    }
    let (mut appending, mut keeping) = (0.0, 0.0);
    for step in 0..SECONDS {
        let values = second(&mut courses, &ids);
        let now = start + step * 1_000;
        let begun = thread_seconds();
        history.append(now, now, &values);
        let appended = thread_seconds();
        history.commit()?;
        appending += appended - begun;
        keeping += thread_seconds() - begun;
    }
    let each_second = |taken: f64| million(SERIES as f64 * SECONDS as f64 / taken);
    show("samples taken a second of a core, appended", &each_second(appending), Some("1 million"));
    show("the same written, sealed and rolled up, too", &each_second(keeping), None);
    Ok(())
}

async fn over_http(options: &Options) -> Result<()> {
    println!("sending samples over HTTP");
    let settings = ["limits.requests_per_second=1000000", "limits.request_burst=1000000"];
    let server = Server::start(&options.host, None, &settings).await?;
    let mut client = Client::connect(&server.address).await?;
    let mut programs: Vec<_> = (0..PROGRAMS).map(|number| Program::new(number, SERIES_EACH)).collect();
    let start = unix_millis() / 1_000 * 1_000 - REQUESTS_EACH * INSTANTS_EACH * 1_000;
    let before = server.process.seconds()?;
    for request in 0..REQUESTS_EACH {
        let first = request * INSTANTS_EACH;
        let instants = (first..first + INSTANTS_EACH).map(|second| start + second * 1_000);
        for program in &mut programs {
            let body = program.request(instants.clone());
            client.post(otlp::PATH, otlp::TYPE, body.into()).await?;
        }
    }
    let taken = server.process.seconds()? - before;
    let sent = REQUESTS_EACH as f64 * INSTANTS_EACH as f64 * (PROGRAMS * SERIES_EACH) as f64;
    show("samples taken a second of a core, OTLP over HTTP", &million(sent / taken), None);
    server.process.stop().await
}

fn million(each_second: f64) -> String {
    format!("{:.2} million", each_second / 1e6)
}

/// Processor time of this thread.
fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
