//! For programs.

use quillwork_sim::fleet::CURVE;
use quillwork_sim::study::Estimate;
use serde_json::{Value, json};

use super::words::recommendation;
use super::{Findings, Measured};

pub(super) fn render(findings: &Findings) -> String {
    let recommended = &findings.recommendation;
    let policy = |place: usize| {
        let row = &findings.rows[place];
        json!({ "strategy": row.policy, "workers": row.workers })
    };
    let value = json!({
        "version": 1,
        "title": findings.title,
        "goal": { "p99Millis": findings.goal.p99.as_millis_f64(), "errorRatio": findings.goal.error_ratio },
        "runs": findings.seeds,
        "tasksPerRun": findings.tasks,
        "quantiles": CURVE,
        "results": findings.rows.iter().map(row).collect::<Vec<_>>(),
        "overloaded": findings.overloaded.iter()
            .map(|(workers, load)| json!({ "workers": workers, "load": load })).collect::<Vec<_>>(),
        "recommendation": {
            "strategy": findings.rows[recommended.best].policy,
            "workers": findings.rows[recommended.best].workers,
            "meetsGoal": recommended.meets_goal,
            "asGood": recommended.as_good.iter().map(|&place| policy(place)).collect::<Vec<_>>(),
            "runnerUp": recommended.runner_up.map(|(place, excess)| {
                json!({ "strategy": findings.rows[place].policy, "p99Excess": estimate(excess) })
            }),
            "fasterWithErrors": recommended.faster_with_errors.map(policy),
            "withFewerWorkers": recommended.with_fewer.map(policy),
            "sentences": recommendation(findings),
        },
    });
    format!("{value:#}\n")
}

fn row(row: &Measured) -> Value {
    json!({
        "workers": row.workers,
        "strategy": row.policy,
        "isBound": row.is_bound,
        "load": row.load,
        "responseMillis": {
            "mean": estimate(row.mean),
            "p50": estimate(row.p50),
            "p90": estimate(row.p90),
            "p99": estimate(row.p99),
            "p99.9": estimate(row.p999),
            "curve": row.curve,
            "p99ByRun": row.p99_by_seed,
        },
        "slowdownP99": estimate(row.slowdown_p99),
        "goodputPerSecond": estimate(row.goodput_per_sec),
        "errorRatio": estimate(row.error_ratio),
        "attemptsPerTask": estimate(row.attempts),
        "shareOfEachWorker": row.shares,
    })
}

/// The half width is null where a single run leaves it open.
fn estimate(estimate: Estimate) -> Value {
    json!({ "mean": estimate.mean, "halfWidth95": estimate.half_width.is_finite().then_some(estimate.half_width) })
}
