//! One event as one line.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value as Json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::writer::Sender;
use crate::printable;

/// Makes lines of events and hands them on.
pub(super) struct Lines {
    is_json: bool,
    colours: bool,
    sender: Sender,
}

/// Bytes of a line; what clients sent may be in it.
const LONGEST: usize = 16 << 10;

/// Fields of a span or an event, the message apart.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Json)>,
}

impl Lines {
    pub(super) fn new(is_json: bool, colours: bool, sender: Sender) -> Self {
        Self { is_json, colours, sender }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.others.push((field.name(), value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.others.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.others.push((field.name(), value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.others.push((field.name(), value.into()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.others.push((field.name(), value.into()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.others.push((field.name(), text.into()));
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        // The spans around it first, the outermost before all.
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.others.extend(outer.others.iter().cloned());
            }
        }
        event.record(&mut fields);
        let metadata = event.metadata();
        let line = if self.is_json {
            json(*metadata.level(), metadata.target(), &fields)
        } else {
            text(*metadata.level(), self.colours, &fields)
        };
        self.sender.send(line);
    }
}

fn time() -> String {
    let mut text = String::new();
    // A clock before 1970 gives no time; the line is worth more than that.
    SystemTime.format_time(&mut Writer::new(&mut text)).ok();
    text
}

/// `2026-01-31T12:00:00.000000Z  WARN message field=value`
fn text(level: Level, colours: bool, fields: &Fields) -> String {
    let mut line = time();
    let colour = match level {
        Level::ERROR => "31",
        Level::WARN => "33",
        Level::INFO => "32",
        _ => "34",
    };
    match colours {
        true => write!(line, " \x1b[{colour}m{level:>5}\x1b[0m "),
        false => write!(line, " {level:>5} "),
    }
    .expect("a string takes everything");
    line.push_str(&printable::escaped(&fields.message));
    for (name, value) in &fields.others {
        write!(line, " {name}=").expect("a string takes everything");
        match value.as_str() {
            Some(text) if text.contains([' ', '"', '=']) || text.is_empty() => {
                line.push_str(&printable::escaped(&format!("{text:?}")))
            }
            Some(text) => line.push_str(&printable::escaped(text)),
            None => write!(line, "{value}").expect("a string takes everything"),
        }
    }
    ended(line)
}

fn json(level: Level, target: &str, fields: &Fields) -> String {
    let mut object = Map::new();
    object.insert("time".to_owned(), time().into());
    object.insert("level".to_owned(), level.as_str().to_ascii_lowercase().into());
    object.insert("target".to_owned(), target.into());
    // Cut before it is put into quotes, so that the line stays JSON.
    object.insert("message".to_owned(), cut(&fields.message).into());
    for (name, value) in &fields.others {
        let value = value.as_str().map_or_else(|| value.clone(), |text| cut(text).into());
        object.entry(*name).or_insert(value);
    }
    let mut line = printable::json(&Json::Object(object).to_string());
    line.push('\n');
    line
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

fn ended(mut line: String) -> String {
    if line.len() > LONGEST {
        line.truncate(line.floor_char_boundary(LONGEST));
        line.push('…');
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(message: &str, others: &[(&'static str, Json)]) -> Fields {
        Fields { message: message.to_owned(), others: others.to_vec() }
    }

    #[test]
    fn no_text_begins_a_line_or_moves_the_cursor() {
        let hostile = "a\n2026 INFO all is well\r\x1b[2J\u{9b}1A\u{202e}\u{2028}\u{7f}";
        for line in [
            text(Level::INFO, false, &fields(hostile, &[("page", hostile.into())])),
            json(Level::INFO, "t", &fields(hostile, &[("page", hostile.into())])),
        ] {
            assert_eq!(line.matches('\n').count(), 1, "{line:?}");
            assert!(!line.trim_end_matches('\n').chars().any(printable::is_active), "{line:?}");
        }
    }

    #[test]
    fn json_lines_are_json_with_everything_in_them() {
        let line = json(
            Level::WARN,
            "quillwork",
            &fields("a\u{9b}b", &[("count", 3.into()), ("message", "x".into())]),
        );
        let value: Json = serde_json::from_str(&line).unwrap();
        assert_eq!(value["message"], "a\u{9b}b");
        assert_eq!((&value["level"], &value["count"]), (&"warn".into(), &3.into()));
        let long = json(Level::WARN, "quillwork", &fields(&"ä\"".repeat(LONGEST), &[]));
        assert!(serde_json::from_str::<Json>(&long).is_ok() && long.len() < 4 * LONGEST);
    }

    #[test]
    fn text_lines_name_their_fields() {
        let line = text(Level::WARN, false, &fields("slow", &[("page", "a b".into()), ("count", 3.into())]));
        assert!(line.ends_with("Z  WARN slow page=\"a b\" count=3\n"), "{line}");
        assert!(text(Level::INFO, false, &fields(&"x".repeat(1 << 20), &[])).len() < LONGEST + 10);
    }
}
