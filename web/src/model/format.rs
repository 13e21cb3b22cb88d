//! Values as people read them. Units are set off by a no-break space; digits stay few and of even number, so that
//! columns don't jump.

/// Shown for a value nobody observed.
pub const NO_DATA: &str = "no data";

const NO_BREAK_SPACE: char = '\u{a0}';

/// What is said in thousands and more, the largest first.
const BYTES: [(f64, &str); 5] = [
    (1_125_899_906_842_624.0, "PiB"),
    (1_099_511_627_776.0, "TiB"),
    (1_073_741_824.0, "GiB"),
    (1_048_576.0, "MiB"),
    (1_024.0, "KiB"),
];
const HERTZ: [(f64, &str); 3] = [(1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz")];

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share, 0 to 1; shown as per cent.
    Ratio,
    /// A share that matters in tenths of a per cent, such as errors.
    FineRatio,
    /// Bytes.
    Bytes,
    /// Bytes a second.
    BytesPerSecond,
    /// Milliseconds.
    Millis,
    /// Frames a second.
    FramesPerSecond,
    /// Degrees.
    Celsius,
    /// Times a second.
    PerSecond,
    /// Power.
    Watts,
    /// Voltage.
    Volts,
    /// Frequency.
    Hertz,
    /// Turns a minute.
    Rpm,
    /// Things.
    Count,
}

impl Unit {
    /// From the wire's word. One that is not known is shown as a bare number.
    pub fn of(wire: &str) -> Self {
        match wire {
            "ratio" => Self::Ratio,
            "bytes" => Self::Bytes,
            "bytesPerSecond" => Self::BytesPerSecond,
            "perSecond" => Self::PerSecond,
            "millis" => Self::Millis,
            "celsius" => Self::Celsius,
            "watts" => Self::Watts,
            "volts" => Self::Volts,
            "hertz" => Self::Hertz,
            "rpm" => Self::Rpm,
            _ => Self::Count,
        }
    }

    /// The value with its unit.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Ratio => percent(value, 0),
            Self::FineRatio => percent(value, 2),
            Self::Bytes => bytes(value),
            Self::BytesPerSecond => format!("{}/s", bytes(value)),
            Self::Millis => millis(value),
            Self::FramesPerSecond => frames(value),
            Self::Celsius => with_unit(format!("{value:.0}"), "°C"),
            Self::PerSecond => format!("{}/s", count(value)),
            Self::Watts => with_unit(few_digits(value), "W"),
            Self::Volts => with_unit(few_digits(value), "V"),
            Self::Hertz => hertz(value),
            Self::Rpm => with_unit(format!("{value:.0}"), "rpm"),
            Self::Count => count(value),
        }
    }

    /// A round value on an axis: exactly, for 7.5 % between 5 % and 10 % is not 8 %.
    pub fn show_tick(self, value: f64) -> String {
        let size = value.abs();
        let (scaled, unit) = match self {
            Self::Ratio | Self::FineRatio => (value * 100.0, "%"),
            Self::Bytes | Self::BytesPerSecond => {
                let (size, name) = BYTES.into_iter().find(|(least, _)| size >= *least).unwrap_or((1.0, "B"));
                (value / size, name)
            }
            Self::Millis if size < 1e3 => (value, "ms"),
            Self::Millis if size < 12e4 => (value / 1e3, "s"),
            Self::Millis => return self.show(value),
            Self::FramesPerSecond => (value, "FPS"),
            Self::Celsius => (value, "°C"),
            Self::Watts => (value, "W"),
            Self::Volts => (value, "V"),
            Self::Rpm => (value, "rpm"),
            Self::Hertz => {
                let (size, name) = HERTZ.into_iter().find(|(least, _)| size >= *least).unwrap_or((1.0, "Hz"));
                (value / size, name)
            }
            Self::Count | Self::PerSecond => match size {
                ..1e4 => (value, ""),
                ..1e6 => (value / 1e3, "k"),
                _ => (value / 1e6, "M"),
            },
        };
        let number = exact(scaled);
        let shown = if unit.is_empty() { number } else { with_unit(number, unit) };
        if matches!(self, Self::BytesPerSecond | Self::PerSecond) { format!("{shown}/s") } else { shown }
    }

    /// The value with its unit, or [`NO_DATA`].
    pub fn show_or_no_data(self, value: Option<f64>) -> String {
        value.filter(|value| value.is_finite()).map_or_else(|| NO_DATA.to_owned(), |value| self.show(value))
    }
}

/// A share as per cent. What is not nothing is not shown as nothing: `<1 %` rather than `0 %`.
fn percent(ratio: f64, decimals: usize) -> String {
    let smallest = 10_f64.powi(-i32::try_from(decimals).expect("a handful of decimals"));
    let value = ratio * 100.0;
    if value <= 0.0 {
        return with_unit("0".to_owned(), "%");
    }
    if value < smallest / 2.0 {
        return with_unit(format!("<{smallest:.decimals$}"), "%");
    }
    with_unit(format!("{value:.decimals$}"), "%")
}

/// With a decimal where there is one: 54.6 is below a limit of 55 and must not read as 55.
fn frames(value: f64) -> String {
    let decimals = if (value - value.round()).abs() < 0.05 { 0 } else { 1 };
    with_unit(format!("{value:.decimals$}"), "FPS")
}

/// Bytes in powers of 1024, three digits.
fn bytes(value: f64) -> String {
    let value = value.max(0.0);
    // What would be shown as 1024 of a unit is one of the next.
    let is_reached = |(least, _): &(f64, &str)| value >= least / 1_024.0 * 1_023.5;
    let (size, name) = BYTES.into_iter().find(is_reached).unwrap_or((1.0, "B"));
    let value = value / size;
    let decimals = if size <= 1.0 || value >= 99.95 { 0 } else { 1 };
    with_unit(format!("{value:.decimals$}"), name)
}

fn millis(value: f64) -> String {
    match value {
        value if value <= 0.0 => with_unit("0".to_owned(), "ms"),
        value if value < 9.95 => with_unit(format!("{value:.1}"), "ms"),
        value if value < 999.5 => with_unit(format!("{value:.0}"), "ms"),
        value if value < 119_950.0 => with_unit(format!("{:.1}", value / 1e3), "s"),
        // A forecast is a time as well.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length of time")]
        value => span(value as u64),
    }
}

fn count(value: f64) -> String {
    match value.abs() {
        size if size < 9_999.5 => few_digits(value),
        size if size < 999_950.0 => with_unit(format!("{:.1}", value / 1e3), "k"),
        _ => with_unit(format!("{:.1}", value / 1e6), "M"),
    }
}

fn hertz(value: f64) -> String {
    let (size, name) = HERTZ.into_iter().find(|(least, _)| value >= *least).unwrap_or((1.0, "Hz"));
    with_unit(few_digits(value / size), name)
}

/// With as many decimals as it has, nine at most.
fn exact(value: f64) -> String {
    let number = format!("{value:.9}");
    let number = number.trim_end_matches('0').trim_end_matches('.');
    if number == "-0" { "0".to_owned() } else { number.to_owned() }
}

/// Without decimals where it is large or whole; a load of 0.35 is not nothing.
fn few_digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 || (size - size.round()).abs() < 0.005 => 0,
        size if size >= 9.95 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// A length of time in its two largest units: `12 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`.
pub fn span(millis: u64) -> String {
    let seconds = millis / 1_000;
    let parts = match seconds {
        0..60 => [(seconds, "s"), (0, "")],
        60..3_600 => [(seconds / 60, "min"), (seconds % 60, "s")],
        3_600..86_400 => [(seconds / 3_600, "h"), (seconds / 60 % 60, "min")],
        _ => [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h")],
    };
    let shown = parts.into_iter().enumerate().filter(|(index, (amount, _))| *index == 0 || *amount > 0);
    shown.map(|(_, (amount, unit))| with_unit(amount.to_string(), unit)).collect::<Vec<_>>().join(" ")
}

/// `1 page`, `2 pages`.
pub fn counted(number: usize, one: &str, many: &str) -> String {
    with_unit(number.to_string(), if number == 1 { one } else { many })
}

fn with_unit(mut number: String, unit: &str) -> String {
    number.push(NO_BREAK_SPACE);
    number.push_str(unit);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        text.replace(NO_BREAK_SPACE, " ")
    }

    #[test]
    fn shows_values_as_people_read_them() {
        let cases = [
            (Unit::Ratio, 0.4349, "43 %"),
            (Unit::Ratio, 0.0, "0 %"),
            (Unit::Ratio, 0.001, "<1 %"),
            (Unit::Ratio, 1.0, "100 %"),
            (Unit::FineRatio, 0.0, "0 %"),
            (Unit::FineRatio, 0.001, "0.10 %"),
            (Unit::FineRatio, 0.000_01, "<0.01 %"),
            (Unit::Bytes, 0.0, "0 B"),
            (Unit::Bytes, 1_000.0, "1000 B"),
            (Unit::Bytes, 1_023.9, "1.0 KiB"),
            (Unit::Bytes, 1_536.0, "1.5 KiB"),
            (Unit::Bytes, 104_857_600.0, "100 MiB"),
            (Unit::Bytes, 24.0 * 1_073_741_824.0, "24.0 GiB"),
            (Unit::BytesPerSecond, 2_048.0, "2.0 KiB/s"),
            (Unit::Millis, 0.0, "0 ms"),
            (Unit::Millis, 0.42, "0.4 ms"),
            (Unit::Millis, 12.3, "12 ms"),
            (Unit::Millis, 1_234.0, "1.2 s"),
            (Unit::FramesPerSecond, 59.98, "60 FPS"),
            (Unit::FramesPerSecond, 54.6, "54.6 FPS"),
            (Unit::Celsius, 48.6, "49 °C"),
            (Unit::Count, 12.0, "12"),
            (Unit::Count, 12_345.0, "12.3 k"),
            (Unit::Count, 0.354, "0.35"),
            (Unit::Count, -2.0, "-2"),
            (Unit::PerSecond, 1_234.6, "1235/s"),
            (Unit::Hertz, 2_800_000_000.0, "2.80 GHz"),
            (Unit::Watts, 12.34, "12.3 W"),
            (Unit::Millis, 86_400_000.0, "1 d"),
        ];
        for (unit, value, text) in cases {
            assert_eq!(plain(&unit.show(value)), text, "{unit:?} {value}");
        }
    }

    #[test]
    fn ticks_carry_no_idle_decimals() {
        assert_eq!(plain(&Unit::BytesPerSecond.show_tick(4_194_304.0)), "4 MiB/s");
        assert_eq!(plain(&Unit::Millis.show_tick(2.5)), "2.5 ms");
        assert_eq!(plain(&Unit::Ratio.show_tick(0.25)), "25 %");
    }

    #[test]
    fn says_so_where_there_is_no_data() {
        assert_eq!(Unit::Ratio.show_or_no_data(None), NO_DATA);
        assert_eq!(Unit::Ratio.show_or_no_data(Some(f64::NAN)), NO_DATA);
        assert_eq!(plain(&Unit::Ratio.show_or_no_data(Some(0.0))), "0 %");
    }

    #[test]
    fn a_tick_is_said_exactly() {
        let cases = [
            (Unit::Ratio, 0.075, "7.5 %"),
            (Unit::Ratio, 0.25, "25 %"),
            (Unit::Ratio, 0.000_5, "0.05 %"),
            (Unit::FineRatio, 0.01, "1 %"),
            (Unit::Ratio, 0.0, "0 %"),
            (Unit::Millis, 12.5, "12.5 ms"),
            (Unit::Millis, 1_250.0, "1.25 s"),
            (Unit::Millis, 3_600_000.0, "1 h"),
            (Unit::Bytes, 0.0, "0 B"),
            (Unit::Bytes, 1_048_576.0, "1 MiB"),
            (Unit::BytesPerSecond, 512.0, "512 B/s"),
            (Unit::Celsius, -2.5, "-2.5 °C"),
            (Unit::Count, -0.0, "0"),
            (Unit::Count, 12_500.0, "12.5 k"),
            (Unit::PerSecond, 1_250_000.0, "1.25 M/s"),
            (Unit::Hertz, 2_500_000_000.0, "2.5 GHz"),
            (Unit::FramesPerSecond, 30.0, "30 FPS"),
            (Unit::Watts, 0.125, "0.125 W"),
            (Unit::Volts, 12.0, "12 V"),
            (Unit::Rpm, 1_200.0, "1200 rpm"),
        ];
        for (unit, value, text) in cases {
            assert_eq!(plain(&unit.show_tick(value)), text, "{unit:?}");
        }
    }

    #[test]
    fn shows_spans_in_two_units() {
        let cases = [
            (400, "0 s"),
            (12_900, "12 s"),
            (184_000, "3 min 4 s"),
            (180_000, "3 min"),
            (7_500_000, "2 h 5 min"),
            (273_600_000, "3 d 4 h"),
        ];
        for (millis, text) in cases {
            assert_eq!(plain(&span(millis)), text);
        }
    }
}
