use std::collections::BTreeMap;

use quillwork_protocol::alert::AlertState;
use quillwork_protocol::snapshot::PageLink;

use super::*;
use crate::model::alerts::tests::alert;
use crate::model::pages::tests::page_snapshot;

fn info(series: &str, labels: &[(&str, &str)], kind: SeriesKind) -> SeriesInfo {
    let labels: BTreeMap<String, String> =
        labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    SeriesInfo {
        series: series.to_owned(),
        name: series.split('{').next().unwrap_or_default().to_owned(),
        labels,
        kind,
        unit: "ratio".into(),
        step_millis: 1_000,
        resolution: 0.001,
    }
}

fn answer(info: &SeriesInfo, step_millis: u64, points: &[(u64, f64)]) -> QueryAnswer {
    QueryAnswer {
        server_unix_millis: 0,
        step_millis,
        start_unix_millis: 0,
        lines: vec![QueryLine {
            name: info.name.clone(),
            labels: info.labels.clone(),
            unit: info.unit.clone(),
            values: None,
            points: Some(points.to_vec()),
        }],
        damaged: Vec::new(),
    }
}

fn shown(values: &[f32]) -> Vec<String> {
    values.iter().map(|value| if value.is_nan() { "-".to_owned() } else { value.to_string() }).collect()
}

#[test]
fn a_spike_stays_and_a_gap_is_a_gap() {
    let cpu = info("host.cpu.total", &[], SeriesKind::Gauge);
    let points = [(0, 0.25), (9_000, 1.0), (12_000, 0.5), (41_000, 0.75)];
    let answers = [(cpu.clone(), Some(answer(&cpu, 10_000, &points)))];
    let picture = Picture::new(0, 50_000, &answers, &[]);
    assert_eq!(picture.seconds[..4], [2.5, 7.5, 12.5, 17.5]);
    let values = shown(&picture.traces[0].values);
    assert_eq!(values, ["0.25", "1", "0.5", "0.5", "-", "-", "-", "-", "0.75", "0.75"]);
    assert_eq!(picture.resolution().replace('\u{a0}', " "), "lowest and highest of every 10 s");
}

#[test]
fn the_newest_place_is_one_with_a_value() {
    let (cpu, load) =
        (info("host.cpu.total", &[], SeriesKind::Gauge), info("host.load.1m", &[], SeriesKind::Gauge));
    let answers = [
        (cpu.clone(), Some(answer(&cpu, 10_000, &[(0, 0.25), (12_000, 0.5)]))),
        (load.clone(), Some(answer(&load, 10_000, &[(0, 0.25), (41_000, 0.5)]))),
    ];
    let picture = Picture::new(0, 60_000, &answers, &[]);
    let newest = [&[0][..], &[1], &[0, 1]].map(|lines| picture.newest(lines));
    assert_eq!(newest, [Some(3), Some(9), Some(9)], "the first line has ended");
    assert_eq!(picture.newest(&[]), Some(11), "the end, where nothing has a value");
    assert_eq!(Picture::default().newest(&[]), None);
}

#[test]
fn the_newest_place_is_one_where_every_line_that_goes_on_has_a_value() {
    let (cpu, load) = (info("a", &[], SeriesKind::Gauge), info("b", &[], SeriesKind::Gauge));
    let slow = SeriesInfo { step_millis: 5_000, ..info("c", &[], SeriesKind::Gauge) };
    let every =
        |step: usize, last: u64| -> Vec<_> { (0..=last).step_by(1_000 * step).map(|at| (at, 0.5)).collect() };
    // The host measured a second between the questions for the first two.
    let answers = [
        (cpu.clone(), Some(answer(&cpu, 1_000, &every(1, 8_000)))),
        (load.clone(), Some(answer(&load, 1_000, &every(1, 9_000)))),
        (slow.clone(), Some(answer(&slow, 1_000, &every(5, 5_000)))),
    ];
    let picture = Picture::new(0, 11_000, &answers, &[]);
    let newest = [&[0][..], &[1], &[0, 1], &[0, 1, 2]].map(|lines| picture.newest(lines));
    assert_eq!(newest, [Some(17), Some(19), Some(17), Some(11)]);
    let all = |place: usize| picture.traces.iter().all(|trace| !trace.values[place].is_nan());
    assert!(all(11) && !all(17));
}

#[test]
fn the_cursor_stays_on_its_instant_as_the_range_moves() {
    let cpu = info("a", &[], SeriesKind::Gauge);
    let of = |from, to, step| {
        Picture::new(from, to, &[(cpu.clone(), Some(answer(&cpu, step, &[(from, 1.0)])))], &[])
    };
    let before = of(0, 60_000, 1_000);
    let place = before.place(31.3).expect("inside");
    let instant = before.seconds[place];
    let moved = of(5_000, 65_000, 1_000);
    assert_eq!(moved.carried(&before, place).map(|place| moved.seconds[place]), Some(instant));
    let wider = of(0, 120_000, 2_000);
    let there = wider.carried(&before, place).expect("inside as well");
    assert!((wider.seconds[there] - instant).abs() <= 0.5, "the nearest place");
    assert_eq!(of(60_000, 120_000, 1_000).carried(&before, place), None, "before the range");
    assert_eq!(of(0, 30_000, 1_000).carried(&before, place), None, "after it");
    assert_eq!(moved.carried(&Picture::default(), 3), None);
}

#[test]
fn a_reading_that_falls_beside_its_second_is_no_gap_and_a_lost_one_is() {
    let cpu = info("host.cpu.total", &[], SeriesKind::Gauge);
    let points = [(0, 0.5), (2_000, 0.25), (6_000, 0.75)];
    let answers = [(cpu.clone(), Some(answer(&cpu, 1_000, &points)))];
    let picture = Picture::new(0, 7_000, &answers, &[]);
    let seconds: Vec<String> = shown(&picture.traces[0].values).into_iter().step_by(2).collect();
    assert_eq!(seconds, ["0.5", "0.5", "0.25", "-", "-", "-", "0.75"]);
}

#[test]
fn answers_of_different_steps_share_one_time_line() {
    let (cpu, slow) = (info("a", &[], SeriesKind::Gauge), info("b", &[], SeriesKind::Gauge));
    let answers = [
        (cpu.clone(), Some(answer(&cpu, 1_000, &[(0, 0.1), (1_000, 0.9), (9_000, 0.2)]))),
        (slow.clone(), Some(answer(&slow, 10_000, &[(3_000, 0.5)]))),
    ];
    let picture = Picture::new(0, 10_000, &answers, &[]);
    assert_eq!(picture.step_millis, 10_000);
    assert_eq!(shown(&picture.traces[0].values), ["0.1", "0.9"]);
    assert_eq!(shown(&picture.traces[1].values), ["0.5", "0.5"]);
}

#[test]
fn a_long_range_of_which_little_is_kept_stays_one_picture() {
    let cpu = info("host.cpu.total", &[], SeriesKind::Gauge);
    let day = 86_400_000;
    let answers = [(cpu.clone(), Some(answer(&cpu, 4_000, &[(day - 8_000, 0.25), (day - 4_000, 0.75)])))];
    let picture = Picture::new(0, day, &answers, &[]);
    assert!(picture.seconds.len() <= 4_002, "{} places", picture.seconds.len());
    assert_eq!(shown(&picture.traces[0].values).last().map(String::as_str), Some("0.75"));
}

#[test]
fn what_the_host_has_nothing_of_is_named() {
    let disk = info("host.disk.used", &[], SeriesKind::Gauge);
    let root = info("host.disk.used{mount=\"/\"}", &[("mount", "/")], SeriesKind::Gauge);
    // A selector without labels means those with labels as well; they are not this series.
    let answers =
        [(disk, Some(answer(&root, 1_000, &[(0, 0.5)]))), (info("x", &[], SeriesKind::Gauge), None)];
    let picture = Picture::new(0, 1_000, &answers, &[]);
    assert_eq!(picture.missing, ["host.disk.used", "x"]);
    assert!(picture.charts().is_empty());
}

#[test]
fn counters_are_asked_for_by_the_second_and_sketches_for_a_quantile() {
    let path = |kind| question(&info("a{b=\"c\"}", &[], kind), 1, 2);
    assert!(path(SeriesKind::Gauge).starts_with("api/v1/query?select=a%7Bb%3D%22c%22%7D&from=1&to=2&"));
    assert!(path(SeriesKind::Counter).ends_with("&shape=spikes&function=rate"));
    assert!(path(SeriesKind::Sketch).ends_with("&shape=spikes&function=p95"));
}

#[test]
fn of_each_unit_there_is_a_chart() {
    let mut all: Vec<SeriesInfo> = (0..8).map(|n| info(&format!("r{n}"), &[], SeriesKind::Gauge)).collect();
    all[1].unit = "bytes".into();
    let answers: Vec<_> =
        all.iter().map(|info| (info.clone(), Some(answer(info, 1_000, &[(0, 0.5)])))).collect();
    let charts = Picture::new(0, 1_000, &answers, &[]).charts();
    assert_eq!(charts, [vec![0, 2, 3, 4, 5, 6], vec![1], vec![7]]);
}

#[test]
fn a_page_is_found_by_its_name() {
    let pages = [page_snapshot("a1b2", PageLink::Live, 1)];
    let catalogue = [
        info("page.fps{source=\"a1b2\"}", &[(SOURCE, "a1b2")], SeriesKind::Gauge),
        info("host.cpu.total", &[], SeriesKind::Gauge),
    ];
    let names =
        |search| -> Vec<String> { found(&catalogue, search, &pages).into_iter().map(|(_, l)| l).collect() };
    assert_eq!(names("studio FPS"), ["page.fps Story studio"]);
    assert_eq!(names("host"), ["host.cpu.total"]);
    assert_eq!(names(" ").len(), 2);
}

#[test]
fn an_alert_leads_to_what_it_watches() {
    let mut alert = alert("host-disk-space", AlertState::Warning, 1);
    alert.labels.insert("mount".into(), "/srv".into());
    let rule = RuleInfo {
        name: alert.rule.clone(),
        condition: "value".into(),
        series: vec!["host.disk.used".into()],
        unit: "ratio".into(),
        direction: "above".into(),
        warning: None,
        critical: None,
        keep_firing_millis: 0,
        stale_after_millis: 0,
        notify: true,
        look_first: String::new(),
    };
    let disk = |mount: &str| {
        info(&format!("host.disk.used{{mount=\"{mount}\"}}"), &[("mount", mount)], SeriesKind::Gauge)
    };
    let catalogue = [disk("/"), disk("/srv"), info("host.cpu.total", &[], SeriesKind::Gauge)];
    assert_eq!(watched(&alert, &[rule], &catalogue), ["host.disk.used{mount=\"/srv\"}"]);
    assert!(watched(&alert, &[], &catalogue).is_empty());
}

#[test]
fn of_a_page_what_is_kept_is_shown() {
    let fps = info(&page("a1", FRAMES), &[(SOURCE, "a1")], SeriesKind::Gauge);
    let other = info(&page("b2", FRAMES), &[(SOURCE, "b2")], SeriesKind::Gauge);
    let catalogue = [fps.clone(), other, info(CPU, &[], SeriesKind::Gauge)];
    assert_eq!(of_page("a1", &catalogue), [fps.series.as_str(), CPU], "nothing responded yet");
    let answers = [(fps.clone(), Some(answer(&fps, 1_000, &[(0, 60.2)])))];
    let picture = Picture::new(0, 1_000, &answers, &[]);
    assert_eq!(picture.traces[0].unit, Unit::FramesPerSecond);
}

#[test]
fn the_cursor_finds_the_nearest_place() {
    let cpu = info("a", &[], SeriesKind::Gauge);
    let picture = Picture::new(0, 3_000, &[(cpu.clone(), Some(answer(&cpu, 1_000, &[(0, 1.0)])))], &[]);
    assert_eq!(picture.place(0.0), None, "before the first");
    assert_eq!(picture.place(0.3), Some(0));
    assert_eq!(picture.place(0.7), Some(1));
    assert_eq!(picture.place(99.0), Some(5));
}
