//! The vertical axis: round tops, few ticks, and no jump every second.

use super::format::Unit;

/// Updates in a row that must fit under half of the axis before it shrinks.
const CALM_UPDATES: u32 = 15;
/// Ticks above zero, at most.
const MOST_TICKS: u32 = 4;

/// The top of a chart's axis. It grows at once and shrinks late, so that a live chart stays readable.
#[derive(Clone, Debug)]
pub struct Top {
    unit: Unit,
    fixed: Option<f64>,
    least: f64,
    top: f64,
    calm: u32,
}

impl Top {
    /// An axis that always ends at `top`.
    pub fn fixed(unit: Unit, top: f64) -> Self {
        Self { unit, fixed: Some(top), least: top, top, calm: 0 }
    }

    /// An axis that follows the values and never ends below `least`.
    pub fn following(unit: Unit, least: f64) -> Self {
        let top = round_up(unit, least);
        Self { unit, fixed: None, least: top, top, calm: 0 }
    }

    /// Takes the greatest value in view and gives the top of the axis.
    pub fn update(&mut self, greatest: Option<f64>) -> f64 {
        let room = room(self.unit);
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        let wanted = greatest.map_or(self.least, |value| round_up(self.unit, value * room).max(self.least));
        if wanted >= self.top {
            self.top = wanted;
            self.calm = 0;
        } else if wanted <= self.top / 2.0 {
            self.calm += 1;
            if self.calm >= CALM_UPDATES {
                self.top = wanted;
                self.calm = 0;
            }
        } else {
            self.calm = 0;
        }
        self.top
    }
}

/// Ticks from zero to `top`, at round values.
pub fn ticks(unit: Unit, top: f64) -> Vec<f64> {
    let step = steps(unit, top).find(|step| top / step <= 4.000_001).unwrap_or(top);
    (0..=MOST_TICKS).map(|index| step * f64::from(index)).filter(|tick| *tick <= top * 1.000_001).collect()
}

/// Both ends of an axis for values from `least` to `greatest`, and its ticks. It begins at zero unless something lies below.
pub fn ends(unit: Unit, least: Option<f64>, greatest: Option<f64>) -> ((f64, f64), Vec<f64>) {
    // Shares are shown as shares of the whole where they are not tiny.
    let greatest = greatest.unwrap_or(0.0).max(0.0);
    let below = -least.unwrap_or(0.0).min(0.0);
    let whole = unit == Unit::Ratio && greatest > 0.25 && greatest <= 1.0;
    let largest = greatest.max(below);
    let top = if whole {
        1.0
    } else {
        round_up(unit, if largest > 0.0 { largest * room(unit) } else { least_top(unit) })
    };
    let up = ticks(unit, top);
    if below <= 0.0 {
        return ((0.0, top), up);
    }
    let both = up.iter().skip(1).rev().map(|tick| -tick).chain(up.iter().copied()).collect();
    ((-top, top), both)
}

/// The smallest round value that is not below `value`.
fn round_up(unit: Unit, value: f64) -> f64 {
    steps(unit, value).find(|step| *step >= value).unwrap_or(value)
}

/// What a value takes of the axis. A display's rate is a natural top; it is measured to a per cent or so.
fn room(unit: Unit) -> f64 {
    if unit == Unit::FramesPerSecond { 0.98 } else { 1.05 }
}

/// The top of an axis where all is zero, or nothing is known.
fn least_top(unit: Unit) -> f64 {
    if matches!(unit, Unit::Bytes | Unit::BytesPerSecond) { 1_024.0 } else { 1.0 }
}

/// Round values from well below `near` upwards: 1, 2, 2.5, 5, 10, powers of two where bytes are counted, multiples of
/// 30 for frames, as displays have them.
fn steps(unit: Unit, near: f64) -> Box<dyn Iterator<Item = f64>> {
    if unit == Unit::FramesPerSecond {
        return Box::new((1_u32..=64).map(|multiple| 30.0 * f64::from(multiple)));
    }
    let binary = matches!(unit, Unit::Bytes | Unit::BytesPerSecond);
    let near = if near.is_finite() && near > 0.0 { near } else { 1.0 };
    let (base, multiples): (f64, &[f64]) = if binary { (2.0, &[1.0]) } else { (10.0, &[1.0, 2.0, 2.5, 5.0]) };
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a finite f64 fits")]
    let magnitude = near.log(base).floor() as i32;
    Box::new(
        (magnitude - 4..=magnitude + 2)
            .flat_map(move |exponent| multiples.iter().map(move |multiple| multiple * base.powi(exponent))),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(Unit::Ratio, 1.0), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(ticks(Unit::FramesPerSecond, 60.0), [0.0, 30.0, 60.0]);
        assert_eq!(ticks(Unit::FramesPerSecond, 120.0), [0.0, 30.0, 60.0, 90.0, 120.0]);
        assert_eq!(ticks(Unit::BytesPerSecond, 4_096.0), [0.0, 1_024.0, 2_048.0, 3_072.0, 4_096.0]);
    }

    #[test]
    fn grows_at_once_and_shrinks_late() {
        let mut top = Top::following(Unit::Millis, 10.0);
        assert_eq!(top.update(None).to_string(), "10");
        assert_eq!(top.update(Some(180.0)).to_string(), "200");
        assert_eq!(top.update(Some(20.0)).to_string(), "200");
        let after: Vec<f64> = (0..CALM_UPDATES).map(|_| top.update(Some(20.0))).collect();
        assert_eq!(after.last(), Some(&25.0));
    }

    #[test]
    fn a_frame_rate_ends_at_the_display() {
        let mut top = Top::following(Unit::FramesPerSecond, 60.0);
        assert_eq!(top.update(Some(60.3)).to_string(), "60");
        assert_eq!(top.update(Some(119.8)).to_string(), "120");
    }

    #[test]
    fn what_lies_below_zero_is_in_the_picture() {
        let ((bottom, top), ticks) = ends(Unit::Celsius, Some(-12.0), Some(8.0));
        assert!(bottom <= -12.0 && top >= 8.0, "{bottom} to {top}");
        assert!(ticks.contains(&0.0) && ticks.len() <= 9, "{ticks:?}");
        assert_eq!(ends(Unit::Ratio, Some(0.3), Some(0.4)).0, (0.0, 1.0));
        assert_eq!(ends(Unit::Ratio, Some(0.0), Some(0.004)).0, (0.0, 0.005));
        assert_eq!(ends(Unit::Count, None, None).0, (0.0, 1.0));
    }

    #[test]
    fn a_share_keeps_its_whole_axis() {
        let mut top = Top::fixed(Unit::Ratio, 1.0);
        assert_eq!(top.update(Some(0.01)).to_string(), "1");
    }

    const UNITS: [Unit; 13] = [
        Unit::Ratio,
        Unit::FineRatio,
        Unit::Bytes,
        Unit::BytesPerSecond,
        Unit::Millis,
        Unit::FramesPerSecond,
        Unit::Celsius,
        Unit::PerSecond,
        Unit::Watts,
        Unit::Volts,
        Unit::Hertz,
        Unit::Rpm,
        Unit::Count,
    ];

    proptest! {
        #[test]
        fn no_two_ticks_are_named_alike(unit in proptest::sample::select(&UNITS[..]), value in 1e-4_f64..1e12) {
            let (_, ticks) = ends(unit, Some(0.0), Some(value));
            let mut names: Vec<String> = ticks.iter().map(|tick| unit.show_tick(*tick)).collect();
            names.dedup();
            prop_assert_eq!(names.len(), ticks.len(), "{:?}", names);
        }

        #[test]
        fn every_value_fits_and_ticks_stay_few(value in 1e-3_f64..1e12, bytes in any::<bool>()) {
            let unit = if bytes { Unit::BytesPerSecond } else { Unit::Millis };
            let mut top = Top::following(unit, 1e-3);
            let top = top.update(Some(value));
            prop_assert!(top >= value);
            let ticks = ticks(unit, top);
            prop_assert!((2..=5).contains(&ticks.len()), "{:?} for {}", ticks, top);
            prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
