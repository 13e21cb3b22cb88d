//! The budget that a story app is kept inside of, and where it stands.

use quillwork_protocol::snapshot::{PageLink, Snapshot};

use super::format::Unit;

/// One line of the budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Stable key: `memory`, `cpu`, `response`, `frames`, `errors`.
    pub key: &'static str,
    /// What is limited.
    pub title: &'static str,
    /// The limit in words.
    pub limit_text: String,
    /// The value now; `None` where nobody observed one.
    pub value: Option<f64>,
    /// The value in words.
    pub value_text: String,
    /// What the value is of.
    pub of: &'static str,
    /// Where the value stands.
    pub state: State,
    /// Share of the scale that the value takes, 0 to 1.
    pub fill: f64,
    /// Where the limit lies on the scale, 0 to 1.
    pub mark: f64,
}

/// Where a value stands towards its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Inside the budget.
    Within,
    /// Inside, but by less than a tenth of the limit.
    Close,
    /// Outside.
    Over,
    /// Nobody observed it. Not the same as inside.
    Unknown,
}

impl State {
    /// In a word.
    pub fn text(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Close => "close",
            Self::Over => "over",
            Self::Unknown => "unknown",
        }
    }
}

struct Limit {
    key: &'static str,
    title: &'static str,
    of: &'static str,
    unit: Unit,
    limit: f64,
    /// The end of the scale that is drawn.
    scale: f64,
    /// Whether the value must stay above the limit rather than below.
    floor: bool,
}

/// Limits of the budget, in the order in which they are shown.
const LIMITS: [Limit; 5] = [
    Limit {
        key: "memory",
        title: "Memory",
        of: "of the host",
        unit: Unit::Ratio,
        limit: 0.8,
        scale: 1.0,
        floor: false,
    },
    Limit {
        key: "cpu",
        title: "CPU",
        of: "of the host",
        unit: Unit::Ratio,
        limit: 0.7,
        scale: 1.0,
        floor: false,
    },
    Limit {
        key: "response",
        title: "Response",
        of: "p95, slowest page",
        unit: Unit::Millis,
        limit: 100.0,
        scale: 200.0,
        floor: false,
    },
    Limit {
        key: "frames",
        title: "Frame rate",
        of: "slowest page",
        unit: Unit::FramesPerSecond,
        limit: 55.0,
        scale: 60.0,
        floor: true,
    },
    Limit {
        key: "errors",
        title: "Errors",
        of: "worst page, 1 min",
        unit: Unit::FineRatio,
        limit: 0.001,
        scale: 0.002,
        floor: false,
    },
];

/// The budget at a tick; without one, or with one that is out of date, every line is unknown.
pub fn lines(snapshot: Option<&Snapshot>) -> Vec<Line> {
    let values = snapshot.map_or([None; 5], values);
    LIMITS.iter().zip(values).map(|(limit, value)| line(limit, value)).collect()
}

fn values(snapshot: &Snapshot) -> [Option<f64>; 5] {
    let host = snapshot.host.as_ref();
    let live = || snapshot.pages.iter().filter(|page| page.link == PageLink::Live);
    [
        host.and_then(|host| host.memory.used_ratio),
        host.and_then(|host| host.cpu.total_ratio),
        live().filter_map(|page| page.response_p95_millis).reduce(f64::max),
        live().filter_map(|page| page.sample.as_ref()?.frames_per_second).reduce(f64::min),
        live().filter_map(|page| page.error_ratio).reduce(f64::max),
    ]
}

fn line(limit: &Limit, value: Option<f64>) -> Line {
    let value = value.filter(|value| value.is_finite());
    let sign = if limit.floor { "above" } else { "below" };
    let limit_text = match limit.unit {
        Unit::FineRatio => format!("{sign} {}\u{a0}%", limit.limit * 100.0),
        unit => format!("{sign} {}", unit.show(limit.limit)),
    };
    Line {
        key: limit.key,
        title: limit.title,
        limit_text,
        value,
        value_text: limit.unit.show_or_no_data(value),
        of: limit.of,
        state: value.map_or(State::Unknown, |value| state(limit, value)),
        fill: value.map_or(0.0, |value| (value / limit.scale).clamp(0.0, 1.0)),
        mark: limit.limit / limit.scale,
    }
}

fn state(limit: &Limit, value: f64) -> State {
    // How far outside, as a share of the limit: negative is inside. On the limit is not inside.
    let over =
        if limit.floor { (limit.limit - value) / limit.limit } else { (value - limit.limit) / limit.limit };
    // A frame rate is capped by the display, so the room above its floor says nothing about being close to it.
    let near = if limit.floor { 0.0 } else { -0.1 };
    match over {
        over if over >= 0.0 => State::Over,
        over if over >= near => State::Close,
        _ => State::Within,
    }
}

#[cfg(test)]
mod tests {
    use quillwork_protocol::host::HostSnapshot;

    use super::*;
    use crate::model::pages::tests::page_snapshot;

    fn snapshot(memory: Option<f64>, cpu: Option<f64>) -> Snapshot {
        let mut host = HostSnapshot::default();
        host.memory.used_ratio = memory;
        host.cpu.total_ratio = cpu;
        Snapshot {
            version: 1,
            instance: "one".into(),
            sequence: 1,
            host: Some(host),
            pages: Vec::new(),
            alerts: Vec::new(),
        }
    }

    fn states(snapshot: &Snapshot) -> Vec<State> {
        lines(Some(snapshot)).into_iter().map(|line| line.state).collect()
    }

    #[test]
    fn what_nobody_observed_is_unknown_and_not_inside() {
        assert!(lines(None).iter().all(|line| line.state == State::Unknown && line.value_text == "no data"));
        assert_eq!(
            states(&snapshot(None, Some(0.1))),
            [State::Unknown, State::Within, State::Unknown, State::Unknown, State::Unknown]
        );
    }

    #[test]
    fn the_limit_itself_is_over() {
        assert_eq!(states(&snapshot(Some(0.8), Some(0.69)))[..2], [State::Over, State::Close]);
        assert_eq!(states(&snapshot(Some(0.71), Some(0.62)))[..2], [State::Within, State::Within]);
    }

    #[test]
    fn the_worst_live_page_counts() {
        let mut snapshot = snapshot(Some(0.1), Some(0.1));
        let mut slow = page_snapshot("slow", PageLink::Live, 0);
        slow.response_p95_millis = Some(250.0);
        slow.sample.as_mut().expect("a sample").frames_per_second = Some(31.0);
        let mut gone = page_snapshot("gone", PageLink::Lost, 0);
        gone.error_ratio = Some(1.0);
        snapshot.pages = vec![page_snapshot("good", PageLink::Live, 0), slow, gone];
        assert_eq!(states(&snapshot)[2..], [State::Over, State::Over, State::Within]);
    }

    #[test]
    fn a_full_frame_rate_is_within() {
        let mut snapshot = snapshot(None, None);
        snapshot.pages = vec![page_snapshot("good", PageLink::Live, 0)];
        let frames = &lines(Some(&snapshot))[3];
        assert_eq!(frames.state, State::Within);
        assert_eq!(frames.limit_text, "above 55\u{a0}FPS");
    }

    #[test]
    fn the_error_limit_reads_as_people_say_it() {
        assert_eq!(lines(None)[4].limit_text, "below 0.1\u{a0}%");
    }
}
