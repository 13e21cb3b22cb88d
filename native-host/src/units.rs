//! Numbers for people.

/// Bytes with three digits and a binary unit.
pub(crate) fn bytes(bytes: f64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes.max(0.0);
    let mut unit = 0;
    // What would be shown as 1000 is shown in the next unit.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    let decimals = match value {
        _ if unit == 0 => 0,
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {}", UNITS[unit])
}

/// A ratio in per cent.
pub(crate) fn per_cent(ratio: f64) -> String {
    let value = ratio * 100.0;
    let decimals = usize::from(value < 9.95);
    format!("{value:.decimals$} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_enough() {
        let shown = [0.0, 999.0, 1_000.0, 1_536.0, 104_857_600.0, 1e15].map(bytes);
        assert_eq!(shown, ["0 B", "999 B", "0.98 KiB", "1.50 KiB", "100 MiB", "909 TiB"]);
        assert_eq!([0.0, 0.034, 0.5, 1.75].map(per_cent), ["0.0 %", "3.4 %", "50 %", "175 %"]);
    }
}
