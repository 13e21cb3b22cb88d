//! How soon questions about a day are answered over HTTP. The day is made in the store, as the host makes it, and the host is
//! started on it.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use quillwork_core::rng::Rng;
use quillwork_store::history::{History, HistoryOptions};
use quillwork_store::volume::Directory;

use crate::Options;
use crate::cost::unix_millis;
use crate::http::Client;
use crate::result::{quantile, show};
use crate::server::Server;
use crate::values::{Course, second};

const SERIES: usize = 100;
const DAY: u64 = 86_400_000;
const QUESTIONS: usize = 200;

pub(crate) async fn measure(options: &Options, room: &Path) -> Result<()> {
    let data = room.join("day");
    let end = unix_millis();
    make(&data.join("history"), end)?;
    let settings = ["limits.requests_per_second=1000000", "limits.request_burst=1000000"];
    let server = Server::start(&options.host, Some(&data), &settings).await?;
    let mut client = Client::connect(&server.address).await?;
    let mut rng = Rng::from_seed(1);
    let from = end - DAY + 60_000;
    for (name, rest) in [
        ("a day of one series, 1,000 points", "&max_points=1000"),
        ("its p95 by the hour, of each second", "&step=3600000&function=p95"),
    ] {
        println!("asking for {name}");
        let mut taken = Vec::with_capacity(QUESTIONS);
        for _ in 0..QUESTIONS {
            // Of counters no quantile is asked: every third is one.
            let number = rng.below(SERIES as u64 / 3) * 3;
            let selector = format!("bench.value%7Bnumber%3D%22{number}%22%7D");
            let path = format!("/api/v1/query?select={selector}&from={from}&to={end}{rest}");
            let begun = Instant::now();
            let answer = client.get(&path).await?;
            taken.push(begun.elapsed().as_secs_f64() * 1e3);
            ensure!(
                answer.windows(4).filter(|part| part == b"null").count() < 20,
                "there are gaps in the day"
            );
        }
        let (p50, p99) = (quantile(&mut taken, 0.5), quantile(&mut taken, 0.99));
        show(&format!("{name}: p50, p99"), &format!("{p50:.1} ms, {p99:.1} ms"), None);
    }
    server.process.stop().await
}

/// A day that ends now, second by second.
fn make(directory: &Path, end: u64) -> Result<()> {
    let start = end - DAY;
    let mut history = History::open(Directory::open(directory)?, HistoryOptions::default(), start)?;
    let mut courses: Vec<_> = (0..SERIES as u64).map(Course::new).collect();
    let mut ids = Vec::with_capacity(SERIES);
    for (number, course) in courses.iter().enumerate() {
        ids.push(history.add_series(course.spec(number))?);
    }
    for now in (start..end).step_by(1_000) {
        let hours = (now - start) / 3_600_000;
        if (now - start).is_multiple_of(3_600_000) {
            println!("making a day of {SERIES} series, {hours} h of 24");
        }
        history.append(now, now, &second(&mut courses, &ids));
        history.commit()?;
    }
    history.flush()?;
    Ok(())
}
