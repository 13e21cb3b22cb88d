//! Reports by the clock.
//!
//! What is due follows from the wall clock and the files that are there: a host that was off when one was due makes it when it
//! starts, and one that was restarted makes none twice.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use quillwork_protocol::replication::Role;
use quillwork_protocol::report::ReportSchedule;
use quillwork_store::history::ReadError;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::Compare;
use super::build::{Ask, build, is_of_interest};
use super::known::Known;
use crate::api::App;
use crate::calendar::day_and_minute;
use crate::clock::unix_millis;
use crate::config::{Config, ReportPeriod, Reports};
use crate::driver::Driver;
use crate::metrics::ServerCounters;
use crate::writable::{self, make_directory};

const DAY: u64 = 86_400_000;
const WEEK: u64 = 7 * DAY;
/// 1970 began on a Thursday.
const FIRST_MONDAY: u64 = 4 * DAY;
/// The wall clock may be set: it is looked at again after this.
const LOOK: Duration = Duration::from_secs(60);
/// One that failed is tried again after this.
const RETRY_MILLIS: u64 = 600_000;
/// A reader whose files are replaced under it is taken anew so often.
const TRIES: usize = 4;

impl Reports {
    const fn period(&self) -> Option<u64> {
        match self.every {
            ReportPeriod::Never => None,
            ReportPeriod::Day => Some(DAY),
            ReportPeriod::Week => Some(WEEK),
        }
    }

    /// When one was due last, and until when it reports.
    pub(crate) fn due(&self, now_unix_millis: u64) -> Option<u64> {
        let period = self.period()?;
        let offset = self.at.millis() + if period == WEEK { FIRST_MONDAY } else { 0 };
        let since = now_unix_millis.checked_sub(offset)?;
        Some(since / period * period + offset)
    }

    /// When the next is due.
    pub(crate) fn next(&self, now_unix_millis: u64) -> Option<u64> {
        Some(self.due(now_unix_millis)? + self.period()?)
    }

    fn file(&self, due: u64) -> String {
        let (day, _) = day_and_minute(due);
        format!("{}{day}.{}", self.stem(), self.format.extension())
    }

    fn stem(&self) -> &'static str {
        if self.every == ReportPeriod::Week { "quillwork-week-" } else { "quillwork-day-" }
    }

    /// Whether this is a file that the schedule wrote, by its name.
    fn is_ours(&self, name: &str) -> bool {
        let ending = format!(".{}", self.format.extension());
        let day = name.strip_prefix(self.stem()).and_then(|rest| rest.strip_suffix(&ending));
        day.is_some_and(|day| {
            day.len() == 10 && day.bytes().all(|letter| letter.is_ascii_digit() || letter == b'-')
        })
    }
}

/// Where reports are written to: `reports` in the data directory where nothing is said.
pub(crate) fn directory(config: &Config) -> Option<PathBuf> {
    let in_data = || Some(config.history.data_dir.as_ref()?.join("reports"));
    config.reports.directory.clone().or_else(in_data)
}

/// Whether reports could be written there. Makes nothing.
pub(crate) fn check(config: &Config) -> Result<(), String> {
    let Some(path) = directory(config) else { return Ok(()) };
    writable::directory(&path).map_err(|error| {
        format!(
            "reports.directory: {}: {error}; name a directory that this user may write to",
            path.display()
        )
    })
}

/// What the schedule tells of itself.
pub(crate) type Scheduled = watch::Sender<ReportSchedule>;

/// What follows from the configuration alone, before anything has been looked at.
pub(crate) fn planned(config: &Config) -> ReportSchedule {
    ReportSchedule {
        every: config.reports.every.as_str().to_owned(),
        directory: directory(config).map(|path| path.display().to_string()),
        ..ReportSchedule::default()
    }
}

/// Makes reports as the configuration says, for as long as the host runs.
pub(crate) struct Schedule {
    driver: Driver,
    config: watch::Receiver<Arc<Config>>,
    told: Arc<Scheduled>,
    counters: Arc<ServerCounters>,
}

impl Schedule {
    /// With what requests share, which tell how it stands.
    pub(crate) fn of(app: &App) -> Self {
        Self {
            driver: app.driver.clone(),
            config: app.config.clone(),
            told: Arc::clone(&app.scheduled),
            counters: Arc::clone(&app.counters),
        }
    }

    /// Never ends by itself.
    pub(crate) async fn run(mut self) {
        let mut failed: Option<(u64, String)> = None;
        loop {
            let config = Arc::clone(&self.config.borrow_and_update());
            let now = unix_millis();
            let waits = failed.as_ref().is_some_and(|(at, _)| now.saturating_sub(*at) < RETRY_MILLIS);
            if !waits {
                match self.look(&config, now).await {
                    Ok(()) => failed = None,
                    Err(error) => {
                        self.counters.report_failures.fetch_add(1, Ordering::Relaxed);
                        // It is tried again and again: once is enough for the log.
                        if failed.as_ref().is_none_or(|(_, known)| *known != error) {
                            tracing::error!("a report could not be written and is tried again: {error}");
                        }
                        failed = Some((now, error));
                    }
                }
            }
            let error = failed.as_ref().map(|(_, error)| error.clone());
            let next = config.reports.next(now).filter(|_| self.is_primary());
            self.told.send_modify(|told| {
                let ReportSchedule { every, directory, .. } = planned(&config);
                (told.every, told.directory) = (every, directory);
                told.next_unix_millis = next;
                told.error = error;
            });
            let left =
                next.map_or(LOOK, |next| Duration::from_millis(next.saturating_sub(now).max(1)).min(LOOK));
            tokio::select! {
                () = sleep(left) => {}
                changed = self.config.changed() => if changed.is_err() { sleep(left).await },
            }
        }
    }

    fn is_primary(&self) -> bool {
        self.driver.view().role == Role::Primary
    }

    /// Makes the report that is due, if there is one and this host is the primary.
    async fn look(&self, config: &Config, now: u64) -> Result<(), String> {
        // A standby has a copy: the primary reports on it.
        if !self.is_primary() {
            return Ok(());
        }
        let settings = config.reports.clone();
        let (Some(due), Some(period)) = (settings.due(now), settings.period()) else { return Ok(()) };
        let directory = directory(config)
            .ok_or("there is no directory to write to: set reports.directory or history.data_dir")?;
        let path = directory.join(settings.file(due));
        if path.exists() {
            return Ok(());
        }
        let range = (due - period, due);
        let Some(text) = self.make(&settings, range).await? else { return Ok(()) };
        let (write_to, keep) = (path.clone(), settings.clone());
        let written =
            spawn_blocking(move || write(&write_to, text.as_bytes()).and_then(|()| prune(&directory, &keep)));
        let written = written.await.map_err(|_| "writing it failed".to_owned())?;
        written.map_err(|error| format!("{}: {error}", path.display()))?;
        self.counters.reports.fetch_add(1, Ordering::Relaxed);
        self.told.send_modify(|told| {
            told.last_unix_millis = Some(now);
            told.last_file = Some(path.display().to_string());
        });
        tracing::info!("the report of this {} is {}", settings.every.as_str(), path.display());
        Ok(())
    }

    /// The report's text; none where there was no history yet.
    async fn make(&self, settings: &Reports, (from, to): (u64, u64)) -> Result<Option<String>, String> {
        let stopped = |error: crate::driver::Stopped| error.to_string();
        let known = Known::of_host(&self.driver).await.map_err(stopped)?;
        let mut outcome = Err(ReadError::Rearranged);
        for _ in 0..TRIES {
            let reader = self.driver.with(|state, _| state.reader(is_of_interest)).await.map_err(stopped)?;
            if reader.first_unix_millis().is_none_or(|first| first >= to) {
                return Ok(None);
            }
            let (known, format) = (known.clone(), settings.format);
            let ask = Ask { from, to, compare: Some(Compare::Previous) };
            outcome = spawn_blocking(move || build(&reader, &known, ask).map(|report| format.write(&report)))
                .await
                .map_err(|_| "making it failed; what went wrong is above".to_owned())?;
            if outcome != Err(ReadError::Rearranged) {
                break;
            }
        }
        outcome.map(Some).map_err(|error| error.to_string())
    }
}

/// As a whole or not at all: under another name first, and on the medium before it gets its own.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    make_directory(directory)?;
    let temporary = path.with_extension("unfinished");
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    #[cfg(unix)]
    File::open(directory)?.sync_all()?;
    Ok(())
}

/// Removes the oldest of its own files beyond as many as are kept.
fn prune(directory: &Path, settings: &Reports) -> io::Result<()> {
    let mut ours: Vec<PathBuf> = fs::read_dir(directory)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| settings.is_ours(name))
        })
        .collect();
    // Their names sort by day.
    ours.sort_unstable();
    let beyond = ours.len().saturating_sub(usize::try_from(settings.keep).unwrap_or(usize::MAX));
    ours.into_iter().take(beyond).try_for_each(fs::remove_file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TimeOfDay;

    /// 2023-11-14 22:13:20 UTC, a Tuesday.
    const NOW: u64 = 1_700_000_000_000;

    fn settings(every: ReportPeriod, at: &str) -> Reports {
        Reports { every, at: at.parse::<TimeOfDay>().unwrap(), ..Reports::default() }
    }

    #[test]
    fn a_day_and_a_week_end_at_their_time() {
        let day = settings(ReportPeriod::Day, "06:30");
        let due = day.due(NOW).unwrap();
        assert_eq!(day_and_minute(due), ("2023-11-14".to_owned(), "06:30".to_owned()));
        assert_eq!(day.next(NOW), Some(due + DAY));
        assert_eq!((day.due(due), day.due(due - 1)), (Some(due), Some(due - DAY)));
        assert_eq!(day.file(due), "quillwork-day-2023-11-14.html");

        let late = settings(ReportPeriod::Day, "23:00");
        assert_eq!(day_and_minute(late.due(NOW).unwrap()).0, "2023-11-13", "today's is still to come");

        let week = settings(ReportPeriod::Week, "06:00");
        assert_eq!(
            day_and_minute(week.due(NOW).unwrap()),
            ("2023-11-13".to_owned(), "06:00".to_owned()),
            "Monday"
        );
        assert_eq!(settings(ReportPeriod::Never, "06:00").due(NOW), None);
    }

    #[test]
    fn only_its_own_oldest_files_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = settings(ReportPeriod::Day, "06:00");
        settings.keep = 2;
        for name in ["quillwork-day-notes.html", "quillwork-day-2023-11-10.md", "other.html"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        for day in 0..4 {
            write(&directory.path().join(settings.file(NOW + day * DAY)), b"report").unwrap();
        }
        prune(directory.path(), &settings).unwrap();
        let mut names: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "other.html",
                "quillwork-day-2023-11-10.md",
                "quillwork-day-2023-11-16.html",
                "quillwork-day-2023-11-17.html",
                "quillwork-day-notes.html",
            ]
        );
    }
}
