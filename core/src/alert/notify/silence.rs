//! Silences: somebody knows, and says until when.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::super::labels::{Labels, Matcher};
use crate::time::{Duration, Instant};

/// Names a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SilenceId(pub(super) u64);

impl SilenceId {
    /// From its number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A silence that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceRequest {
    /// All must match an alert's labels, of which `alertname` and `severity` are two. At least one.
    pub matchers: Vec<Matcher>,
    /// When it begins; an instant that is over begins now.
    pub starts_at: Instant,
    /// When it ends.
    pub ends_at: Instant,
    /// Who asks.
    pub author: String,
    /// Why.
    pub comment: String,
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its name.
    pub id: SilenceId,
    /// What was asked for. `ends_at` is now where it was expired by hand.
    pub request: SilenceRequest,
}

/// Silences that are kept, the recently expired ones included.
pub(super) const MOST: usize = 500;
/// Bytes of an author or a comment, and of a label or a pattern.
const LONGEST: usize = 1_000;
/// Matchers of one.
const MOST_MATCHERS: usize = 16;
/// An expired silence is shown for as long.
pub(super) const REMEMBERED: Duration = Duration::from_secs(86_400);

impl Silence {
    pub(super) fn mutes(&self, now: Instant, labels: &Labels) -> bool {
        self.is_active(now) && self.request.matchers.iter().all(|matcher| matcher.matches(labels))
    }

    /// Whether it mutes now.
    #[must_use]
    pub fn is_active(&self, now: Instant) -> bool {
        (self.request.starts_at..self.request.ends_at).contains(&now)
    }
}

impl SilenceRequest {
    pub(super) fn check(&self, now: Instant) -> Result<(), SilenceError> {
        if self.matchers.is_empty() {
            return Err(SilenceError::NoMatcher);
        }
        if self.ends_at <= now || self.ends_at <= self.starts_at {
            return Err(SilenceError::Over);
        }
        if self.author.trim().is_empty() {
            return Err(SilenceError::NoAuthor);
        }
        let texts = self.matchers.iter().flat_map(|matcher| [&matcher.label, &matcher.value]);
        let is_long = texts.chain([&self.author, &self.comment]).any(|text| text.len() > LONGEST);
        if is_long || self.matchers.len() > MOST_MATCHERS {
            return Err(SilenceError::TooLong);
        }
        Ok(())
    }
}

/// A silence that can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SilenceError {
    /// It would mute everything.
    NoMatcher,
    /// It ends before it begins, or has ended.
    Over,
    /// Nobody says who asks.
    NoAuthor,
    /// A text or the list of matchers is too long.
    TooLong,
    /// There are as many as may be.
    TooMany,
}

impl fmt::Display for SilenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMatcher => {
                f.write_str("name at least one matcher: a silence for everything is `alertname` like `*`")
            }
            Self::Over => f.write_str("a silence must end later than now and than it begins"),
            Self::NoAuthor => f.write_str("say who asks for the silence"),
            Self::TooLong => write!(
                f,
                "a silence has at most {MOST_MATCHERS} matchers, and texts of at most {LONGEST} bytes"
            ),
            Self::TooMany => write!(f, "there are {MOST} silences: expire some"),
        }
    }
}

impl core::error::Error for SilenceError {}
