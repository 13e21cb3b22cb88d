//! `quillwork annotate`: notes on a host's time line what happened, for instance at the end of a deployment's script.

use std::time::Duration;

use axum::http::Method;
use clap::Args;
use quillwork_protocol::annotation::{Annotation, NewAnnotation};

use crate::clock::unix_millis;
use crate::config::{Given, Value as _};
use crate::remote::Remote;

/// What to note, and where.
#[derive(Args, Clone, Debug)]
pub struct AnnotateArgs {
    /// What happened, in a sentence
    pub text: String,

    /// A word to find it by; may repeat
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,

    /// What it is about: the id of a source as /api/v1/sources lists it, or any name
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,

    /// How long it went on until now, as 90s, 5m or 2h; without it, it is an instant
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub lasted: Option<Duration>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would show it as help")]
    pub remote: Remote,
}

/// Examples for the help.
pub const EXAMPLES: &str = "\
Examples:
  quillwork annotate \"shop 4.2.0 is out\" --tag deploy --tag shop
  quillwork annotate \"load test with 500 users\" --lasted 10m
  quillwork annotate \"new certificate\" --url https://metrics.example.org --token-file token";

/// Notes it and prints its id.
///
/// # Errors
///
/// If the host isn't reached or refuses; the message says what to do.
pub fn annotate(args: &AnnotateArgs) -> Result<(), String> {
    let now = unix_millis();
    let lasted = args.lasted.map(|lasted| u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX));
    let new = NewAnnotation {
        at: lasted.map(|lasted| now.saturating_sub(lasted)),
        until: lasted.map(|_| now),
        text: args.text.clone(),
        tags: args.tag.clone(),
        source: args.source.clone(),
    };
    let answer = args.remote.send(Method::POST, "/api/v1/annotations", &new)?;
    let noted: Annotation = serde_json::from_slice(&answer.body).map_err(|error| {
        format!("the host's answer can't be understood: {error}; is it of another version?")
    })?;
    println!("{}", noted.id);
    Ok(())
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = Duration::read(Given::text(text))?;
    if duration.is_zero() { Err("leave it out where it was an instant".to_owned()) } else { Ok(duration) }
}
