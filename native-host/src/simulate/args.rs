//! What `quillwork simulate` is asked.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use quillwork_core::time::Duration;
use quillwork_sim::fleet::{Arrivals, Fault, Service, When};

/// What to simulate, and what to ask of it.
#[derive(Args, Clone, Debug)]
pub struct SimulateArgs {
    /// The traffic: when tasks come and how long they take
    #[arg(long, value_enum, default_value_t = WorkloadName::Steady)]
    pub workload: WorkloadName,

    /// Traffic of a recorded pool instead of a workload
    #[arg(long, value_name = "FILE", conflicts_with_all = ["workload", "mean", "rate", "load", "tasks"])]
    pub recording: Option<PathBuf>,

    /// Mean time that a task takes on a worker of speed 1, such as 10ms
    #[arg(long, value_name = "TIME", default_value = "10ms")]
    pub mean: Time,

    /// Tasks that come in a second; with it `--workers` may be a range
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "load")]
    pub rate: Option<Positive>,

    /// Work that comes over work that the workers can do, instead of a rate [default: 0.7]
    #[arg(long, value_name = "SHARE")]
    pub load: Option<Positive>,

    /// How many workers: a number, or a range such as 2..16 to find out how many are needed
    #[arg(long, value_name = "COUNT", default_value = "8")]
    pub workers: WorkerCounts,

    /// Speeds of the workers, in turn, such as 1,1,0.5
    #[arg(long, value_name = "SPEEDS", value_delimiter = ',', default_value = "1")]
    pub speeds: Vec<Speed>,

    /// What is wrong with some of the workers, such as `slow:2:flapping`; may repeat
    #[arg(long, value_name = "FAULT", long_help = FAULTS)]
    pub fault: Vec<FaultSpec>,

    /// Strategies to compare, by name; `late` is the pool's own central queue; `all` is everything
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "all")]
    pub strategies: Vec<String>,

    /// The 99th percentile of the response time that is wanted
    #[arg(long, value_name = "TIME", default_value = "100ms")]
    pub target_p99: Time,

    /// The share of tasks without a good answer that is tolerated
    #[arg(long, value_name = "SHARE", default_value = "0.001")]
    pub target_errors: Positive,

    /// An attempt without an answer is given up after so long [default: 50 times the mean]
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<Time>,

    /// How often a task is tried
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub attempts: u32,

    /// Tasks in a run whose response times count; a tenth more comes before as warm-up
    #[arg(long, value_name = "COUNT", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub tasks: u32,

    /// Runs of each candidate, each with traffic of its own; more of them narrow the intervals
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub seeds: u32,

    /// The first seed
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,

    /// File to write a recording of the pool to: its inputs in the first run under `late`, with the most workers
    #[arg(long, value_name = "FILE", conflicts_with = "recording")]
    pub record: Option<PathBuf>,

    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,

    /// File to write it to instead of stdout
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Examples at the end of the help.
pub(crate) const EXAMPLES: &str = "\
Examples:
  quillwork simulate --workload heavy-tail --load 0.9 --strategies all
      Which strategy is best for this traffic
  quillwork simulate --rate 600 --mean 12ms --workers 4..16 --target-p99 80ms
      How many workers it takes
  quillwork simulate --fault failing:1 --fault slow:2:flapping --format html --out report.html
      What faults cost under each strategy, as a page with charts

Everything follows from the seed: the same command prints the same numbers on every machine.";

const FAULTS: &str = "\
What is wrong with some of the workers: KIND[:HOW_MANY][:flapping]; may repeat. The kinds are
  slow        takes eight times as long
  failing     fails every task after a millisecond
  black-hole  takes tasks and never answers
  crashing    dies with what it holds every 6 s on average and is back after 1 s
`flapping` faults are there for a quarter of the time, in turns of 8 s. One worker has it unless HOW_MANY is given.";

/// Traffic by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WorkloadName {
    /// Poisson arrivals, exponential service
    Steady,
    /// Arrivals in bursts of three times the mean rate, exponential service
    Bursty,
    /// Arrivals at equal distances, every task takes equally long
    Uniform,
    /// Poisson arrivals; one task in ten takes ten times as long as the others
    Bimodal,
    /// Poisson arrivals, lognormal service, sigma 1
    Lognormal,
    /// Poisson arrivals, bounded Pareto service: alpha 1.5, the longest 1,000 times the shortest
    HeavyTail,
}

impl WorkloadName {
    pub(super) const fn arrivals(self) -> Arrivals {
        match self {
            Self::Bursty => Arrivals::Bursts { factor: 3.0, ratio: 0.2, period: Duration::from_secs(2) },
            Self::Uniform => Arrivals::Deterministic,
            Self::Steady | Self::Bimodal | Self::Lognormal | Self::HeavyTail => Arrivals::Poisson,
        }
    }

    pub(super) const fn service(self) -> Service {
        match self {
            Self::Steady | Self::Bursty => Service::Exponential,
            Self::Uniform => Service::Deterministic,
            Self::Bimodal => Service::Bimodal { long_ratio: 0.1, factor: 10.0 },
            Self::Lognormal => Service::LogNormal { sigma: 1.0 },
            Self::HeavyTail => Service::BoundedPareto { alpha: 1.5, span: 1_000.0 },
        }
    }

    /// For titles.
    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Steady => "Poisson arrivals, exponential service",
            Self::Bursty => "arrivals in bursts, exponential service",
            Self::Uniform => "arrivals at equal distances, equal tasks",
            Self::Bimodal => "Poisson arrivals, one task in ten takes ten times as long",
            Self::Lognormal => "Poisson arrivals, lognormal service",
            Self::HeavyTail => "Poisson arrivals, heavy-tailed service",
        }
    }
}

/// How the result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table and a recommendation, for reading
    Table,
    /// Everything, for programs
    Json,
    /// One self-contained page with charts
    Html,
}

/// A time with its unit, such as `250us`, `10ms`, `1.5s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || format!("`{text}` is not a time above zero with its unit, such as 250us, 10ms or 1.5s");
        let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(unit_at);
        let number: f64 = number.trim().parse().map_err(|_| wrong())?;
        let millis = match unit {
            "us" => number / 1_000.0,
            "ms" => number,
            "s" => number * 1_000.0,
            _ => return Err(wrong()),
        };
        if (0.001..=86_400_000.0).contains(&millis) {
            Ok(Self(Duration::from_millis_f64(millis)))
        } else {
            Err(wrong())
        }
    }
}

/// A finite number above zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Positive(pub f64);

impl FromStr for Positive {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
        if number.is_finite() && number > 0.0 {
            Ok(Self(number))
        } else {
            Err(format!("{text} is not above zero"))
        }
    }
}

/// How many times as fast as the worker that `--mean` is stated for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed(pub f64);

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(speed) if (0.001..=1_000.0).contains(&speed) => Ok(Self(speed)),
            _ => Err(format!("`{text}` is not a speed from 0.001 to 1000, 1 being the worker of --mean")),
        }
    }
}

/// One number of workers or a range of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerCounts(pub RangeInclusive<u32>);

impl FromStr for WorkerCounts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            format!(
                "`{text}` is not a number of workers from 1 to {MOST_WORKERS}, nor a range of them such as 2..16"
            )
        };
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let last = last.strip_prefix('=').unwrap_or(last);
        let (first, last): (u32, u32) =
            (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
        if first >= 1 && first <= last && last <= MOST_WORKERS {
            Ok(Self(first..=last))
        } else {
            Err(wrong())
        }
    }
}

/// Some workers with a fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultSpec {
    /// Which.
    pub fault: Fault,
    /// How many workers have it.
    pub workers: u32,
}

impl FromStr for FaultSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(':');
        let kind = parts.next().unwrap_or_default();
        let (mut count, mut when) = (None, When::Always);
        for part in parts {
            match part.parse() {
                Ok(of @ 1..=MOST_WORKERS) if count.is_none() => count = Some(of),
                _ if part == "flapping" && when == When::Always => {
                    when = When::Periodic { period: Duration::from_secs(8), ratio: 0.25 }
                }
                _ => {
                    return Err(format!(
                        "`{part}` is not what follows a fault: a number of workers from 1 to {MOST_WORKERS}, then \
                         `flapping`, each once at most"
                    ));
                }
            }
        }
        let workers = count.unwrap_or(1);
        let fault = match kind {
            "slow" => Fault::Slow { factor: 8.0, when },
            "failing" => Fault::FailFast { ratio: 1.0, after: Duration::from_millis(1), when },
            "black-hole" => Fault::BlackHole { when },
            "crashing" if when != When::Always => {
                return Err("crashing workers come and go by themselves: leave `flapping` out".to_owned());
            }
            "crashing" => {
                Fault::Crash { mean_uptime: Duration::from_secs(6), downtime: Duration::from_secs(1) }
            }
            _ => {
                return Err(format!("there is no fault `{kind}`: use slow, failing, black-hole or crashing"));
            }
        };
        Ok(Self { fault, workers })
    }
}

/// More of them are not a page's or a host's pool any more.
const MOST_WORKERS: u32 = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!("1.5s".parse(), Ok(Time(Duration::from_millis(1_500))));
        assert_eq!("250us".parse(), Ok(Time(Duration::from_micros(250))));
        for wrong in ["10", "ms", "-1ms", "0s", "1h", "NaNms", "1e99s"] {
            assert!(wrong.parse::<Time>().is_err_and(|error| error.contains("10ms")), "{wrong}");
        }
    }

    #[test]
    fn worker_counts_are_ranges() {
        assert_eq!("4".parse(), Ok(WorkerCounts(4..=4)));
        assert_eq!("2..16".parse(), Ok(WorkerCounts(2..=16)));
        assert_eq!("2..=16".parse(), Ok(WorkerCounts(2..=16)));
        for wrong in ["0", "5..2", "1..600", "many", ".."] {
            assert!(wrong.parse::<WorkerCounts>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn speeds_stay_within_what_can_be_simulated() {
        assert_eq!("0.5".parse(), Ok(Speed(0.5)));
        for wrong in ["0", "-1", "1e300", "1e-300", "NaN", "fast", ""] {
            assert!(wrong.parse::<Speed>().is_err_and(|error| error.contains("0.001")), "{wrong}");
        }
    }

    #[test]
    fn faults_are_counted_and_flap() {
        let always = When::Always;
        assert_eq!(
            "slow".parse(),
            Ok(FaultSpec { fault: Fault::Slow { factor: 8.0, when: always }, workers: 1 })
        );
        let flapping: FaultSpec = "black-hole:3:flapping".parse().unwrap();
        assert_eq!(flapping.workers, 3);
        assert!(matches!(flapping.fault, Fault::BlackHole { when: When::Periodic { .. } }));
        for wrong in [
            "",
            "gone",
            "slow:0",
            "slow:1:2",
            "slow:flapping:flapping",
            "slow:sometimes",
            "crashing:flapping",
        ] {
            assert!(wrong.parse::<FaultSpec>().is_err(), "{wrong}");
        }
    }
}
