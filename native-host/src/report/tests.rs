//! A report on a planted history, in its three forms.

use quillwork_core::telemetry::{RelativeAccuracy, Sketch};
use quillwork_protocol::alert::{AlertEvent, AlertState};
use quillwork_protocol::annotation::Annotation;
use quillwork_protocol::report::{BudgetState, Report, Urgency};
use quillwork_store::history::{History, HistoryOptions};
use quillwork_store::series::{SeriesKey, SeriesKind, SeriesSpec};
use quillwork_store::volume::Memory;

use super::known::Known;
use super::{Ask, Compare, Format, build, is_of_interest};
use crate::insights::Context;

const START: u64 = 1_800_000_000_000;
const HOUR: u64 = 3_600;

/// Markup, a table's edge, a link, and letters that turn the direction of text.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>|[a](javascript:b)`\u{202e}\n\"'";

type Value<'a> = &'a dyn Fn(u64) -> Option<f64>;
/// Name, labels, unit.
type Gauge<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, Value<'a>);

struct Planted(History<Memory>);

impl Planted {
    fn new() -> Self {
        Self(History::open(Memory::new(), HistoryOptions::default(), START).unwrap())
    }

    fn add(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        kind: SeriesKind,
        unit: &str,
    ) -> quillwork_store::series::SeriesId {
        let key = SeriesKey::new(name, labels.iter().copied()).unwrap();
        self.0.add_series(SeriesSpec { key, kind, unit: unit.into(), resolution: 0.001 }).unwrap()
    }

    fn gauges(&mut self, seconds: std::ops::Range<u64>, series: &[Gauge<'_>]) {
        let ids: Vec<_> = series
            .iter()
            .map(|(name, labels, unit, _)| self.add(name, labels, SeriesKind::Gauge, unit))
            .collect();
        for second in seconds {
            let at = START + second * 1_000;
            let values: Vec<_> =
                ids.iter().zip(series).filter_map(|(id, (.., value))| Some((*id, value(second)?))).collect();
            self.0.append(at, at, &values);
            if second % 60 == 0 {
                self.0.commit().unwrap();
            }
        }
    }

    fn sketches(
        &mut self,
        seconds: std::ops::Range<u64>,
        name: &str,
        labels: &[(&str, &str)],
        of: &dyn Fn(u64) -> Vec<f64>,
    ) {
        let id = self.add(name, labels, SeriesKind::Sketch, "millis");
        let end = START + seconds.end * 1_000;
        for second in seconds {
            let mut sketch = Sketch::new(RelativeAccuracy::new(0.01).unwrap());
            of(second).into_iter().for_each(|millis| sketch.record(millis).unwrap());
            self.0.append_sketch(end, START + second * 1_000, id, &sketch);
        }
    }

    fn report(&self, known: &Known, (from, to): (u64, u64), compare: Option<Compare>) -> Report {
        let meant = self.0.catalogue().filter(|(_, spec)| is_of_interest(&spec.key)).map(|(id, _)| id);
        let reader = self.0.reader(meant);
        let ask = Ask { from: START + from * 1_000, to: START + to * 1_000, compare };
        build(&reader, known, ask).unwrap()
    }
}

fn known() -> Known {
    let names = [("p1".to_owned(), HOSTILE.to_owned())].into();
    let event = |second: u64, to, severity: Option<&str>, fired: Option<u64>| AlertEvent {
        at_unix_millis: START + second * 1_000,
        rule: "page-response".to_owned(),
        subject: HOSTILE.to_owned(),
        labels: [].into(),
        fingerprint: "0".repeat(16),
        from: if fired.is_some() { AlertState::Warning } else { AlertState::Pending },
        to: Some(to),
        severity: severity.map(str::to_owned),
        value: Some(140.0),
        culprit: Some(HOSTILE.to_owned()),
        fired_for_millis: fired,
    };
    Known {
        context: Context { names, ..Context::default() },
        host: HOSTILE.to_owned(),
        made_unix_millis: START + 4 * HOUR * 1_000,
        events: vec![
            event(2 * HOUR + 60, AlertState::Warning, Some("warning"), None),
            event(2 * HOUR + 360, AlertState::Ok, None, Some(300_000)),
        ],
        annotations: vec![Annotation {
            id: 1,
            at: START + 2 * HOUR * 1_000 + 500_000,
            until: None,
            text: HOSTILE.to_owned(),
            tags: vec![HOSTILE.to_owned()],
            source: None,
        }],
        ..Known::default()
    }
}

/// Two hours that go well, and then two of which the second has slow responses, little memory and ten minutes of nothing.
fn planted() -> Planted {
    let mut planted = Planted::new();
    let gone = |at: u64| (3 * HOUR + 600..3 * HOUR + 1_200).contains(&at);
    let late = |at: u64| at >= 3 * HOUR;
    let memory = |at: u64| (!gone(at)).then_some(if late(at) { 0.91 } else { 0.5 });
    let cpu = |at: u64| (!gone(at)).then_some(if at >= 2 * HOUR { 0.4 } else { 0.2 });
    let page: &[(&str, &str)] = &[("source", "p1")];
    planted.gauges(
        0..4 * HOUR,
        &[
            ("host.memory.used", &[], "ratio", &memory),
            ("host.cpu.total", &[], "ratio", &cpu),
            ("host.disk.used", &[("mount", HOSTILE)], "ratio", &|_| Some(0.3)),
            ("page.fps", page, "perSecond", &|at| (at >= 2 * HOUR).then_some(60.0)),
            ("page.tasks_ended", page, "perSecond", &|at| (at >= 2 * HOUR).then_some(10.0)),
            ("page.tasks_failed", page, "perSecond", &|at| {
                (at >= 2 * HOUR).then_some(if late(at) { 0.1 } else { 0.0 })
            }),
            ("page.cache_hit_ratio", page, "ratio", &|at| (at >= 2 * HOUR).then_some(0.6)),
        ],
    );
    let response = |at: u64| vec![if late(at) { 180.0 } else { 20.0 }; 10];
    planted.sketches(2 * HOUR..4 * HOUR, "page.response", page, &response);
    let run = [("source", "p1"), ("task_type", HOSTILE)];
    planted.sketches(2 * HOUR..4 * HOUR, "page.task.duration", &run, &|_| vec![15.0; 9]);
    planted.sketches(
        2 * HOUR..4 * HOUR,
        "page.task.duration",
        &[("source", "p1"), ("task_type", "save")],
        &|_| vec![5.0],
    );
    planted
}

fn of_day() -> Report {
    planted().report(&known(), (2 * HOUR, 4 * HOUR), Some(Compare::Previous))
}

#[test]
fn budgets_are_kept_missed_or_not_observed_and_compared() {
    let report = of_day();
    let budget = |name: &str| report.budgets.iter().find(|budget| budget.name == name).unwrap();
    assert_eq!((budget("memory").state, budget("memory").value), (BudgetState::Missed, Some(0.91)));
    let cpu = budget("cpu");
    assert_eq!(
        (cpu.state, cpu.value, cpu.earlier, cpu.outside_ratio),
        (BudgetState::Kept, Some(0.4), Some(0.2), Some(0.0))
    );
    let response = budget("response");
    assert!(
        (response.value.unwrap() - 180.0).abs() < 2.0 && (response.outside_ratio.unwrap() - 0.5).abs() < 0.01
    );
    assert_eq!((response.state, response.earlier), (BudgetState::Missed, None), "no page reported before");
    assert_eq!((budget("frames").state, budget("frames").value), (BudgetState::Kept, Some(60.0)));
    let errors = budget("errors");
    assert!((errors.value.unwrap() - 0.005).abs() < 1e-4, "0.1 of 10 in half of the time: {errors:?}");
    // 600 of 7,200 seconds.
    let up = budget("up");
    assert!((up.value.unwrap() - 11.0 / 12.0).abs() < 1e-3 && up.state == BudgetState::Missed, "{up:?}");
    assert_eq!(report.gaps.len(), 1);
    assert_eq!(report.gaps[0].from_unix_millis, START + (3 * HOUR + 600) * 1_000);
    assert_eq!(report.gaps[0].to_unix_millis - report.gaps[0].from_unix_millis, 600_000);
}

#[test]
fn pages_types_caches_and_alerts_are_summed_up() {
    let report = of_day();
    let page = &report.pages[0];
    assert_eq!((page.source.as_str(), page.responses), ("p1", 72_000));
    assert!(page.name.contains('?') && !page.name.contains('\u{202e}'), "{:?}", page.name);
    assert!((page.cache_hit_ratio.unwrap() - 0.6).abs() < 1e-9 && page.frames_per_second_p5 == Some(60.0));
    let types: Vec<_> = report.task_types.iter().map(|of| (of.task_type.as_str(), of.count)).collect();
    assert_eq!(types, [(HOSTILE, 64_800), ("save", 7_200)], "the one that took most comes first");
    assert!((report.cache.as_ref().unwrap().hit_ratio - 0.6).abs() < 1e-9);
    let rule = &report.alerts.rules[0];
    assert_eq!((rule.begun, rule.fired_millis, rule.critical), (1, 300_000, false));
    assert_eq!(report.alerts.event_count, 2);
    assert_eq!(report.annotations.len(), 1);
    let advice: Vec<_> = report.recommendations.iter().map(|of| of.advice.as_str()).collect();
    for word in ["memory", "tasks wait", "did not measure", "tasks fail", "cache"] {
        assert!(advice.iter().any(|advice| advice.contains(word)), "{word}: {advice:?}");
    }
    assert!(report.recommendations.iter().all(|of| !of.evidence.is_empty()));
    assert!(report.recommendations.is_sorted_by_key(|of| of.urgency));
}

#[test]
fn a_disk_that_is_full_tomorrow_comes_first() {
    let mut planted = Planted::new();
    let memory: Value<'_> = &|_| Some(0.95);
    planted.gauges(
        0..6 * HOUR,
        &[
            ("host.memory.used", &[], "ratio", memory),
            ("host.disk.used", &[("mount", "/srv")], "ratio", &|at| Some(0.7 + at as f64 / 3_600.0 * 0.015)),
        ],
    );
    let report = planted.report(&Known::default(), (0, 6 * HOUR), None);
    let first = &report.recommendations[0];
    assert_eq!(first.urgency, Urgency::Now, "{:?}", report.recommendations);
    assert!(first.advice.contains("Make room on /srv before 20"), "{first:?}");
    assert!(report.recommendations[1].advice.contains("memory"), "{:?}", report.recommendations);
}

#[test]
fn where_nothing_was_observed_all_forms_say_so() {
    let report = Planted::new().report(&Known::default(), (0, HOUR), Some(Compare::Day));
    assert!(
        report
            .budgets
            .iter()
            .all(|budget| budget.state == BudgetState::NotObserved && budget.value.is_none())
    );
    assert!(report.charts.is_empty() && report.machine.is_empty() && report.cache.is_none());
    for format in [Format::Html, Format::Md] {
        let text = format.write(&report);
        for sentence in [
            "Nothing was observed in this time.",
            "not observed",
            "It was not measured.",
            "No page told of any.",
        ] {
            assert!(text.contains(sentence), "{format:?}: {sentence}");
        }
        assert!(!text.contains("NaN") && !text.contains("inf"), "{format:?}");
    }
}

#[test]
fn json_is_read_back_as_it_was() {
    let report = of_day();
    let back: Report = serde_json::from_str(&Format::Json.write(&report)).unwrap();
    let states =
        |report: &Report| report.budgets.iter().map(|of| (of.name.clone(), of.state)).collect::<Vec<_>>();
    assert_eq!(states(&back), states(&report));
    assert_eq!((back.alerts, back.annotations), (report.alerts, report.annotations));
    assert_eq!(back.task_types[0].task_type, HOSTILE, "data stays as it is");
    assert_eq!(back.charts[0].lines[0].values.len(), report.charts[0].lines[0].values.len());
}

#[test]
fn hostile_names_are_text_in_every_form() {
    let report = of_day();
    let html = Format::Html.write(&report);
    assert!(html.contains("&lt;img src=x onerror=alert(1)&gt;"), "it is shown");
    for wrong in ["<img", "onerror=alert(1)>", "\u{202e}"] {
        assert!(!html.contains(wrong), "{wrong}");
    }
    assert_eq!(html.matches("<script>").count(), 1, "the page's own");
    assert_eq!(html.matches("</script>").count(), 1);
    // An attribute doesn't end where a name has a quote.
    assert!(!html.contains("javascript:b)`?\"") && html.contains("&quot;&#39;"));

    let markdown = Format::Md.write(&report);
    assert!(!markdown.contains("<img") && !markdown.contains("[a](") && !markdown.contains('\u{202e}'));
    for row in markdown.lines().filter(|line| line.starts_with("| ")) {
        let cells = row.replace("\\|", "").matches('|').count();
        assert!(cells >= 4, "a name can't break a table: {row}");
    }
    let widths = |heading: &str| {
        let section = markdown.split(heading).nth(1).unwrap().split("\n## ").next().unwrap();
        let rows = section.lines().filter(|line| line.starts_with('|'));
        rows.map(|row| row.replace("\\|", "").matches('|').count()).collect::<Vec<_>>()
    };
    for heading in ["## Types of task", "## Alerts", "## Machine"] {
        let widths = widths(heading);
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{heading}: {widths:?}");
    }
}

#[test]
fn the_page_needs_nothing_else() {
    let html = Format::Html.write(&of_day());
    for wrong in ["http://", "https://", "src=\"", "@import", "url(", "<link"] {
        assert!(!html.contains(wrong), "{wrong}");
    }
    assert!(html.starts_with("<!doctype html>") && html.contains("prefers-color-scheme:dark"));
    assert!(html.contains("<svg") && html.contains("@media print"));
    // Curves break where nothing was measured.
    let memory = html.split("aria-label=\"Memory in use;").nth(1).unwrap();
    let curve = memory.split("class=\"line c0\" d=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(curve.matches('M').count(), 2, "{curve}");
    let policy = super::policy();
    let policy = policy.to_str().unwrap();
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe-inline"), "{policy}");
}
