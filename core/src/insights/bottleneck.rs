//! What limits now.

use alloc::vec::Vec;

use super::distribution::{float, median};

/// What can limit. In the order in which to look: a queue is long *because* the processor is busy, not the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// The machine's memory. Saturation: share of the time in which something waited for memory (pressure stall, `some`).
    Memory,
    /// The processor. Saturation: share of the time in which something waited for a core (pressure stall, `some`).
    Cpu,
    /// A block device. Saturation: requests in its queue, above the one that is served.
    Disk,
    /// A network interface; its utilisation is by the link's speed. Saturation: packets dropped in a second.
    Network,
    /// A graphics processor. Saturation: share of its memory in use.
    Gpu,
    /// The pool: all of its workers. Saturation: waiting tasks for each worker.
    Queue,
    /// One worker of the pool, beside the others. Saturation: tasks that wait for it.
    Worker,
    /// One type of task; its utilisation is its share of the pool's run time.
    TaskType,
}

/// A resource and what was measured of it, a value a second, by the USE method (utilisation, saturation, errors: Gregg, 2013).
///
/// What nobody measures is an empty slice, what was missed in a second is `None`. Neither is zero.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// What it is.
    pub resource: Resource,
    /// Which one, where there are several: a device's or interface's name, a worker, a task type.
    pub subject: &'a str,
    /// Share of it, or of its time, that is in use: 0 to 1.
    pub utilisation: &'a [Option<f64>],
    /// How much waits for it, in the unit that [`Resource`] names.
    pub saturation: &'a [Option<f64>],
    /// Errors in a second.
    pub errors: &'a [Option<f64>],
}

/// What gave a resource away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Work waits for it.
    Saturation,
    /// It is in use all the time; whether anything waits isn't known.
    Utilisation,
    /// It fails.
    Errors,
}

/// Something that limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bottleneck<'a> {
    /// What it is.
    pub resource: Resource,
    /// Which one.
    pub subject: &'a str,
    /// What gave it away.
    pub sign: Sign,
    /// Seconds in which it did.
    pub seconds_over: usize,
    /// Seconds in which it could have: those that were measured.
    pub seconds: usize,
    /// The limit that was exceeded.
    pub threshold: f64,
    /// The median of the measured seconds, in the sign's unit.
    pub median: f64,
    /// How sure it is, from 0 to 1: the lower end of Wilson's interval of the share of seconds over the limit, with ten seconds
    /// counted as one independent look; times the share of the window that was measured; half of it where only utilisation is known.
    pub confidence: f64,
}

/// Tells what limits in these seconds, a minute or some, in the order in which to look. Nothing where nothing does.
///
/// A resource limits where more than half of the measured seconds are over its limit, and half of the window, at least 30 seconds, was
/// measured:
///
/// | resource | saturation above | utilisation from |
/// |---|---|---|
/// | `Memory` | 0.1 | 0.95 |
/// | `Cpu` | 0.2 | 0.9 |
/// | `Disk` | 2 | 0.9 |
/// | `Network` | 0 | 0.9 |
/// | `Gpu` | 0.95 | 0.9 |
/// | `Queue` | 1 | 0.9 |
/// | `Worker` | 1 | 0.9 |
/// | `TaskType` | – | 0.6 |
///
/// * *Saturation* counts where the resource is in use, too: at half of the utilisation in the table, where that is known. A processor
///   at work all the time for which nothing waits limits nothing, so utilisation alone counts only where saturation isn't measured.
/// * *One worker* limits where the median of all other workers is at most half as busy: work isn't spread.
/// * *One task type* limits where the queue does. The type that takes most of the time then is what is worth making faster.
/// * *Errors* count from one in a second.
#[must_use]
pub fn bottlenecks<'a>(observed: &[Observed<'a>]) -> Vec<Bottleneck<'a>> {
    let mut found: Vec<Bottleneck<'a>> = Vec::new();
    for one in observed.iter().filter(|one| one.resource != Resource::TaskType) {
        if one.resource == Resource::Worker && !stands_out(one, observed) {
            continue;
        }
        found.extend(limits(one));
        found.extend(fails(one));
    }
    if found.iter().any(|found| found.resource == Resource::Queue && found.sign != Sign::Errors) {
        let types = observed.iter().filter(|one| one.resource == Resource::TaskType);
        found.extend(types.filter_map(|one| judge(one, one.utilisation, Sign::Utilisation, 0.6, 1.0)));
    }
    found.sort_by(|a, b| {
        let key = |found: &Bottleneck<'a>| (found.resource > Resource::Gpu, found.sign == Sign::Errors);
        let by_kind = key(a).cmp(&key(b));
        by_kind
            .then(b.confidence.total_cmp(&a.confidence))
            .then((a.resource, a.subject).cmp(&(b.resource, b.subject)))
    });
    found
}

/// Whether work waits for it, or as much as is known of that.
fn limits<'a>(one: &Observed<'a>) -> Option<Bottleneck<'a>> {
    let (saturated, busy) = thresholds(one.resource);
    if one.saturation.iter().any(|value| value.is_some()) {
        let in_use = |at: usize| {
            one.utilisation.get(at).copied().flatten().is_none_or(|utilisation| utilisation >= 0.5 * busy)
        };
        let counted = |(at, value): (usize, &Option<f64>)| {
            value.map(|value| if in_use(at) { value } else { value.min(saturated) })
        };
        let waits: Vec<Option<f64>> = one.saturation.iter().enumerate().map(counted).collect();
        return judge(one, &waits, Sign::Saturation, saturated, 1.0);
    }
    judge(one, one.utilisation, Sign::Utilisation, busy, 0.5)
}

fn fails<'a>(one: &Observed<'a>) -> Option<Bottleneck<'a>> {
    judge(one, one.errors, Sign::Errors, 1.0, 1.0)
}

fn judge<'a>(
    one: &Observed<'a>,
    values: &[Option<f64>],
    sign: Sign,
    threshold: f64,
    worth: f64,
) -> Option<Bottleneck<'a>> {
    let mut known: Vec<f64> = values.iter().copied().flatten().filter(|value| value.is_finite()).collect();
    let seconds = known.len();
    if seconds < FEWEST_SECONDS || 2 * seconds < values.len() {
        return None;
    }
    let is_over = |value: f64| if sign == Sign::Saturation { value > threshold } else { value >= threshold };
    let seconds_over = known.iter().filter(|value| is_over(**value)).count();
    if 2 * seconds_over <= seconds {
        return None;
    }
    let measured = float(seconds) / float(values.len());
    let confidence = wilson(float(seconds_over) / float(seconds), float(seconds) / 10.0) * measured * worth;
    Some(Bottleneck {
        resource: one.resource,
        subject: one.subject,
        sign,
        seconds_over,
        seconds,
        threshold,
        median: median(&mut known)?,
        confidence,
    })
}

/// Whether this worker is busy while the others are not.
fn stands_out(worker: &Observed<'_>, observed: &[Observed<'_>]) -> bool {
    let middle = |one: &Observed<'_>| {
        let mut known: Vec<f64> =
            one.utilisation.iter().copied().flatten().filter(|value| value.is_finite()).collect();
        median(&mut known)
    };
    let others =
        observed.iter().filter(|one| one.resource == Resource::Worker && one.subject != worker.subject);
    let mut others: Vec<f64> = others.filter_map(middle).collect();
    match (middle(worker), median(&mut others)) {
        (Some(own), Some(others)) => own >= 0.9 && others <= 0.5 * own,
        _ => false,
    }
}

/// The lower end of Wilson's interval (1927) of 95 %.
fn wilson(share: f64, looks: f64) -> f64 {
    let z2 = 1.96 * 1.96;
    let centre = share + z2 / (2.0 * looks);
    let off = 1.96 * libm::sqrt(share * (1.0 - share) / looks + z2 / (4.0 * looks * looks));
    ((centre - off) / (1.0 + z2 / looks)).max(0.0)
}

/// Saturation above which, and utilisation from which on, a resource limits.
const fn thresholds(resource: Resource) -> (f64, f64) {
    match resource {
        Resource::Memory => (0.1, 0.95),
        Resource::Cpu => (0.2, 0.9),
        Resource::Disk => (2.0, 0.9),
        Resource::Network => (0.0, 0.9),
        Resource::Gpu => (0.95, 0.9),
        Resource::Queue | Resource::Worker => (1.0, 0.9),
        Resource::TaskType => (f64::INFINITY, 0.6),
    }
}

const FEWEST_SECONDS: usize = 30;
