use alloc::vec::Vec;

use super::{Chance, Forecast, NoTrend, Point, trend};
use crate::rng::Rng;
use crate::time::{Duration, Instant};

const MINUTES: u32 = 720;
const SEEDS: u64 = 2_000;

/// Noise of mean 0 and variance 1: twelve draws of variance one twelfth.
fn noise(rng: &mut Rng) -> f64 {
    (0..12).map(|_| rng.unit_f64()).sum::<f64>() - 6.0
}

fn each_minute(mut value: impl FnMut(f64) -> f64) -> Vec<Point> {
    let at = |minute: u32| Instant::from_secs(u64::from(minute) * 60);
    (0..MINUTES).map(|minute| Point { at: at(minute), value: value(f64::from(minute)) }).collect()
}

/// How many of all seeds yield a trend.
fn found(series: impl Fn(&mut Rng) -> Vec<Point>) -> usize {
    (0..SEEDS).filter(|&seed| trend(&series(&mut Rng::from_seed(seed)), Chance::default()).is_ok()).count()
}

/// One in a hundred, as is stated.
const MOST_FALSE: usize = 20;

#[test]
fn noise_has_no_trend() {
    let false_ones = found(|rng| each_minute(|_| noise(rng)));
    assert!(false_ones <= MOST_FALSE, "{false_ones} of {SEEDS}");
}

#[test]
fn noise_that_remembers_has_no_trend() {
    // Each value keeps most of the one before: it takes an hour to forget.
    let false_ones = found(|rng| {
        let mut state = 0.0;
        each_minute(|_| {
            state = 0.98 * state + noise(rng);
            state
        })
    });
    assert!(false_ones <= MOST_FALSE, "{false_ones} of {SEEDS}");
}

#[test]
fn a_walk_without_aim_has_no_trend() {
    let false_ones = found(|rng| {
        let mut state = 0.0;
        each_minute(|_| {
            state += noise(rng);
            state
        })
    });
    assert!(false_ones <= MOST_FALSE, "{false_ones} of {SEEDS}");
}

#[test]
fn a_disk_that_fills_is_found_in_noise_and_its_end_lies_within_the_bounds() {
    let (mut found, mut within) = (0, 0);
    for seed in 0..SEEDS {
        let mut rng = Rng::from_seed(seed);
        // It rises by five standard deviations of its noise, and is full after as long again.
        let points = each_minute(|minute| 5.0 * minute / f64::from(MINUTES) + noise(&mut rng));
        let Ok(trend) = trend(&points, Chance::default()) else { continue };
        found += 1;
        if let Forecast::In { earliest, likely, latest } = trend.reaches(10.0) {
            let truth = Duration::from_secs(u64::from(MINUTES) * 60);
            assert!(earliest <= likely && latest.is_none_or(|latest| likely <= latest));
            within += u32::from(earliest <= truth && latest.is_none_or(|latest| truth <= latest));
        }
    }
    assert!(found >= 1_950, "{found} of {SEEDS}");
    assert!(f64::from(within) >= 0.99 * f64::from(found), "{within} of {found}");
}

#[test]
fn memory_that_leaks_while_it_walks_is_found() {
    let leaking = found(|rng| {
        let mut state = 0.0;
        each_minute(|_| {
            state += 0.2 + noise(rng);
            state
        })
    });
    assert!(leaking >= 1_800, "{leaking} of {SEEDS}");
}

#[test]
fn wild_points_do_not_move_it() {
    let line = each_minute(|minute| 100.0 - minute * 0.05);
    let wild: Vec<Point> = line
        .iter()
        .enumerate()
        .map(|(index, point)| Point { value: if index % 10 == 3 { 1e9 } else { point.value }, ..*point })
        .collect();
    let (plain, wild) = (trend(&line, Chance::default()).unwrap(), trend(&wild, Chance::default()).unwrap());
    assert!((plain.slope_per_second - -0.05 / 60.0).abs() < 1e-12);
    assert!((wild.slope_per_second / plain.slope_per_second - 1.0).abs() < 0.02);
    assert!(wild.highest_per_second < 0.0);
}

#[test]
fn what_has_stopped_is_not_forecast() {
    let stopped = each_minute(|minute| minute.min(470.0));
    assert_eq!(trend(&stopped, Chance::default()), Err(NoTrend::Ended));
    let long_ago = each_minute(|minute| minute.min(200.0));
    assert_eq!(trend(&long_ago, Chance::default()), Err(NoTrend::Chance));
}

#[test]
fn a_jump_is_no_trend() {
    let mut rng = Rng::from_seed(1);
    let jumped = each_minute(|minute| if minute < 300.0 { 0.0 } else { 50.0 } + noise(&mut rng));
    assert_eq!(trend(&jumped, Chance::default()), Err(NoTrend::Chance));
}

#[test]
fn too_little_says_so() {
    assert_eq!(trend(&[], Chance::default()), Err(NoTrend::TooFew { parts: 0, needed: 12 }));
    let at_once = [Point { at: Instant::from_secs(1), value: 1.0 }; 100];
    assert_eq!(trend(&at_once, Chance::default()), Err(NoTrend::TooFew { parts: 0, needed: 12 }));
    // Points for a third of the time only, at both ends of it.
    let ends: Vec<Point> = each_minute(|minute| minute)
        .into_iter()
        .enumerate()
        .filter_map(|(index, point)| (!(120..600).contains(&index)).then_some(point))
        .collect();
    assert_eq!(trend(&ends, Chance::default()), Err(NoTrend::TooFew { parts: 8, needed: 12 }));
    let absent = each_minute(|_| f64::NAN);
    assert!(matches!(trend(&absent, Chance::default()), Err(NoTrend::TooFew { .. })));
}

#[test]
fn limits_that_are_passed_behind_or_too_far() {
    let rising = trend(&each_minute(|minute| minute), Chance::default()).unwrap();
    assert_eq!(rising.reaches(700.0), Forecast::Reached);
    assert_eq!(rising.reaches(f64::NAN), Forecast::NotInSight);
    // Four times the time that was looked at, and a little more.
    assert!(matches!(rising.reaches(719.0 * 5.0 - 1.0), Forecast::In { .. }));
    assert_eq!(rising.reaches(719.0 * 5.0 + 1.0), Forecast::NotInSight);
    let falling = trend(&each_minute(|minute| -minute), Chance::default()).unwrap();
    let Forecast::In { earliest, likely, latest } = falling.reaches(-779.0) else { panic!("in an hour") };
    for time in [earliest, likely, latest.unwrap()] {
        assert!((time.as_secs_f64() - 3_600.0).abs() < 1e-3, "{time:?}");
    }
    assert_eq!(falling.reaches(0.0), Forecast::Reached);
}

#[test]
fn order_does_not_matter() {
    let mut rng = Rng::from_seed(9);
    let mut points = each_minute(|minute| minute + 20.0 * noise(&mut rng));
    let in_order = trend(&points, Chance::default()).unwrap();
    rng.shuffle(&mut points);
    let shuffled = trend(&points, Chance::default()).unwrap();
    assert!((in_order.slope_per_second - shuffled.slope_per_second).abs() < 1e-9);
}
