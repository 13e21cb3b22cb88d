//! The recommendation in sentences, the same in every format.

use quillwork_sim::fleet::Measured;
use quillwork_sim::study::Estimate;

use super::Findings;

/// What to do, then why, one sentence each.
pub(super) fn recommendation(findings: &Findings) -> Vec<String> {
    let recommended = &findings.recommendation;
    let best = &findings.rows[recommended.best];
    let goal = format!(
        "a p99 below {} ms and errors below {}",
        number(findings.goal.p99.as_millis_f64()),
        percent(findings.goal.error_ratio)
    );
    let mut sentences = Vec::new();
    if recommended.meets_goal {
        sentences.push(format!("Take {}: it meets {goal}.", named(best)));
    } else {
        sentences.push(format!(
            "Nothing here meets {goal}; {} comes closest. Try more workers, faster ones, or less traffic.",
            named(best)
        ));
    }
    sentences.push(format!(
        "Its p99 is {} ms, errors {}; it works at {} of what its workers can do.",
        estimate(best.p99),
        percent(best.error_ratio.mean),
        percent(best.load)
    ));
    if !recommended.as_good.is_empty() {
        let names: Vec<&str> =
            recommended.as_good.iter().map(|&place| findings.rows[place].policy.as_str()).collect();
        sentences.push(format!("As far as these seeds can tell, as good: {}.", names.join(", ")));
    }
    if let Some(place) = recommended.faster_with_errors {
        let row = &findings.rows[place];
        sentences.push(format!(
            "{} has a shorter p99, {} ms, but fails more tasks: {}.",
            capital(&row.policy),
            number(row.p99.mean),
            percent(row.error_ratio.mean)
        ));
    }
    if let Some((place, excess)) = recommended.runner_up {
        sentences.push(format!(
            "The next, {}, has a p99 that is {} longer (95 % interval {} to {}).",
            findings.rows[place].policy,
            percent(excess.mean),
            percent(excess.mean - excess.half_width),
            percent(excess.mean + excess.half_width)
        ));
    }
    if let Some(place) = recommended.with_fewer {
        let row = &findings.rows[place];
        sentences.push(format!(
            "With {} the best, {}, has a p99 of {} ms and errors of {}.",
            workers(row.workers),
            row.policy,
            estimate(row.p99),
            percent(row.error_ratio.mean)
        ));
    } else if let Some((count, load)) = findings.overloaded.last().filter(|(count, _)| *count < best.workers)
    {
        sentences.push(format!(
            "{} would get {load:.2} times the work that they can do.",
            capital(&workers(*count))
        ));
    } else if findings.rows.iter().any(|row| row.workers > best.workers) {
        sentences.push(format!("Fewer than {} were not tried.", workers(best.workers)));
    }
    if let Some(bound) = findings.rows.iter().find(|row| row.is_bound && row.workers == best.workers) {
        let gain = 1.0 - bound.p99.mean / best.p99.mean;
        let lower = if gain < 0.0005 { "no lower".to_owned() } else { format!("{} lower", percent(gain)) };
        sentences.push(format!(
            "The bound, which knows every fault and never guesses, has a p99 of {} ms: {lower}.",
            estimate(bound.p99)
        ));
    }
    if findings.is_recorded {
        sentences.push(
            "Every run plays the same recorded tasks: the intervals show what chance adds in strategies and faults, not how \
             other days' traffic would differ."
                .to_owned(),
        );
    }
    sentences
}

pub(super) fn named(row: &Measured) -> String {
    format!("{} with {}", row.policy, workers(row.workers))
}

pub(super) fn workers(count: usize) -> String {
    if count == 1 { "1 worker".to_owned() } else { format!("{count} workers") }
}

/// `12.3 ± 0.4`.
pub(super) fn estimate(estimate: Estimate) -> String {
    if estimate.half_width.is_finite() {
        format!("{} ± {}", number(estimate.mean), number(estimate.half_width))
    } else {
        number(estimate.mean)
    }
}

/// Three digits that count.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        magnitude if magnitude >= 99.95 => format!("{value:.0}"),
        magnitude if magnitude >= 9.995 => format!("{value:.1}"),
        magnitude if magnitude >= 0.0005 || magnitude <= 0.0 => format!("{value:.2}"),
        _ => "0.00".to_owned(),
    }
}

pub(super) fn percent(ratio: f64) -> String {
    let percent = 100.0 * ratio;
    if percent.abs() >= 0.0005 && percent.abs() < 1.0 {
        format!("{percent:.2} %")
    } else {
        format!("{percent:.1} %")
    }
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
