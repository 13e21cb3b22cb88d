//! Time and chance.

use leptos::prelude::window;
use wasm_bindgen::JsValue;

/// Milliseconds of a clock that never goes back.
pub(crate) fn monotonic_millis() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// A random number of `[0, 1)`.
pub(crate) fn chance() -> f64 {
    js_sys::Math::random()
}

/// `14:05`, or with the day where that is not today: `Mon 23 Nov, 14:05`; in the reader's time zone and language.
pub(crate) fn moment(unix_millis: u64) -> String {
    let date = date(unix_millis);
    let time = time(&date);
    let today = js_sys::Date::new_0();
    if date.to_date_string() == today.to_date_string() {
        return time;
    }
    // `Mon Nov 23 2026`
    let words = String::from(date.to_date_string());
    let mut words = words.split(' ');
    match (words.next(), words.next(), words.next()) {
        (Some(weekday), Some(month), Some(day)) => format!("{weekday} {day} {month}, {time}"),
        _ => time,
    }
}

/// `14:05 to 14:20`, `Mon 23 Nov, 14:05 to 14:20`, `Mon 23 Nov, 14:05 to today, 14:05` or `Mon 23 Nov, 14:05 to Tue 24 Nov, 14:05`.
pub(crate) fn range(from_unix_millis: u64, to_unix_millis: u64) -> String {
    let (from, to) = (date(from_unix_millis), date(to_unix_millis));
    let [first_day, last_day, today] = [&from, &to, &js_sys::Date::new_0()].map(js_sys::Date::to_date_string);
    let end = if first_day == last_day {
        time(&to)
    } else if last_day == today {
        format!("today, {}", time(&to))
    } else {
        moment(to_unix_millis)
    };
    format!("{} to {end}", moment(from_unix_millis))
}

/// `Mon 23 Nov, 14:05:12`, or `14:05:12` today.
pub(crate) fn moment_to_the_second(unix_seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an instant after 1970")]
    let millis = (unix_seconds * 1e3) as u64;
    moment_of(millis)
}

/// As [`moment_to_the_second`], of milliseconds.
pub(crate) fn moment_of(unix_millis: u64) -> String {
    format!("{}:{:02}", moment(unix_millis), unix_millis / 1_000 % 60)
}

/// As an input of date and time has it: `2026-11-23T14:05:12`, in the reader's time zone.
pub(crate) fn to_input(unix_millis: u64) -> String {
    let date = date(unix_millis);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        date.get_full_year(),
        date.get_month() + 1,
        date.get_date(),
        date.get_hours(),
        date.get_minutes(),
        date.get_seconds()
    )
}

/// The instant that somebody put into an input of date and time.
pub(crate) fn from_input(text: &str) -> Option<u64> {
    let millis = js_sys::Date::new(&JsValue::from_str(text)).get_time();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an instant after 1970")]
    (millis.is_finite() && millis >= 0.0).then_some(millis as u64)
}

/// `14:05:12` in the reader's time zone.
pub(crate) fn time_of_day(unix_millis: u64) -> String {
    let date = date(unix_millis);
    format!("{:02}:{:02}:{:02}", date.get_hours(), date.get_minutes(), date.get_seconds())
}

/// In the reader's time zone.
fn date(unix_millis: u64) -> js_sys::Date {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit into 53 bits")]
    js_sys::Date::new(&JsValue::from_f64(unix_millis as f64))
}

fn time(date: &js_sys::Date) -> String {
    format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
}
