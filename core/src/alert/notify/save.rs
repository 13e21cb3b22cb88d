//! The router's state as bytes, so that nobody is told twice, and no silence ends, because the process did.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::bytes::{Reader, Writer};
use super::super::instance::Severity;
use super::super::labels::{Comparison, Fingerprint, Matcher};
use super::super::save::Unreadable;
use super::group::{Group, GroupKey, Told};
use super::notification::NotifiedStatus;
use super::router::Router;
use super::silence::{Silence, SilenceId, SilenceRequest};
use super::tracked::{Acknowledgement, Tracked};
use crate::time::{Duration, Instant};

const VERSION: u8 = 1;

impl Router {
    /// Alerts with their acknowledgements, what was told of them, and silences. What is on its way counts as not told.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.0.push(VERSION);
        to.number(self.next_id);
        to.number(self.alerts.len() as u64);
        for (fingerprint, alert) in &self.alerts {
            to.number(fingerprint.as_u64());
            write_alert(&mut to, alert);
        }
        to.number(self.groups.len() as u64);
        for (key, group) in &self.groups {
            to.text(&key.receiver);
            to.number(key.after.as_nanos());
            to.labels(&key.labels);
            to.option(group.due, Writer::instant);
            to.number(group.members.len() as u64);
            for (fingerprint, told) in &group.members {
                to.number(fingerprint.as_u64());
                to.option(*told, |to, told| {
                    write_status(to, told.status);
                    to.instant(told.started_at);
                    to.instant(told.at);
                });
            }
        }
        to.number(self.silences.len() as u64);
        for silence in &self.silences {
            write_silence(&mut to, silence);
        }
        to.0
    }

    /// Takes up what was saved, with the settings that it has now. To be called before anything else.
    ///
    /// # Errors
    ///
    /// Where the bytes can't be read; then nothing is restored.
    pub fn restore(&mut self, now: Instant, saved: &[u8]) -> Result<(), Unreadable> {
        let mut from = Reader(saved);
        let read = read_all(&mut from).ok_or(Unreadable)?;
        let settings = self.settings.clone();
        self.next_id = self.next_id.max(read.next_id);
        self.alerts = read.alerts.into_iter().collect();
        self.groups = read.groups.into_iter().collect();
        self.silences = read.silences;
        // Leaves out the groups that nobody wants any more.
        self.reload(now, settings);
        Ok(())
    }
}

struct Saved {
    next_id: u64,
    alerts: Vec<(Fingerprint, Tracked)>,
    groups: Vec<(GroupKey, Group)>,
    silences: Vec<Silence>,
}

fn read_all(from: &mut Reader<'_>) -> Option<Saved> {
    if from.byte()? != VERSION {
        return None;
    }
    let saved = Saved {
        next_id: from.number()?,
        alerts: from.list(|from| Some((fingerprint(from)?, read_alert(from)?)))?,
        groups: from.list(read_group)?,
        silences: from.list(read_silence)?,
    };
    from.0.is_empty().then_some(saved)
}

fn fingerprint(from: &mut Reader<'_>) -> Option<Fingerprint> {
    from.number().map(Fingerprint::from_u64)
}

fn write_alert(to: &mut Writer, alert: &Tracked) {
    to.text(&alert.rule);
    to.labels(&alert.labels);
    to.labels(&alert.seen);
    write_status(to, alert.status);
    to.instant(alert.started_at);
    to.option(alert.ended_at, Writer::instant);
    to.option(alert.value, Writer::float);
    to.option(alert.acknowledged.as_ref(), |to, by| {
        to.text(&by.author);
        to.text(&by.comment);
        to.instant(by.at);
    });
    to.number(alert.begins.len() as u64);
    alert.begins.iter().for_each(|begin| to.instant(*begin));
    to.option(alert.flaps_until, Writer::instant);
}

fn read_alert(from: &mut Reader<'_>) -> Option<Tracked> {
    Some(Tracked {
        rule: from.text()?.into(),
        labels: Arc::new(from.labels()?),
        seen: from.labels()?,
        status: read_status(from)?,
        started_at: from.instant()?,
        ended_at: from.option(Reader::instant)?,
        value: from.option(Reader::float)?,
        acknowledged: from.option(|from| {
            Some(Acknowledgement {
                author: from.text()?.into(),
                comment: from.text()?.into(),
                at: from.instant()?,
            })
        })?,
        begins: from.list(Reader::instant)?.into(),
        flaps_until: from.option(Reader::instant)?,
    })
}

fn read_group(from: &mut Reader<'_>) -> Option<(GroupKey, Group)> {
    let key = GroupKey {
        receiver: from.text()?.into(),
        after: Duration::from_nanos(from.number()?),
        labels: from.labels()?,
    };
    let due = from.option(Reader::instant)?;
    let members = from.list(|from| {
        let told = |from: &mut Reader<'_>| {
            Some(Told { status: read_status(from)?, started_at: from.instant()?, at: from.instant()? })
        };
        Some((fingerprint(from)?, from.option(told)?))
    })?;
    Some((key, Group { members: members.into_iter().collect(), due, in_flight: None }))
}

fn write_silence(to: &mut Writer, silence: &Silence) {
    let SilenceRequest { matchers, starts_at, ends_at, author, comment } = &silence.request;
    to.number(silence.id.get());
    to.number(matchers.len() as u64);
    for matcher in matchers {
        to.text(&matcher.label);
        to.0.push(match matcher.comparison {
            Comparison::Is => 0,
            Comparison::IsNot => 1,
            Comparison::Like => 2,
            Comparison::NotLike => 3,
        });
        to.text(&matcher.value);
    }
    to.instant(*starts_at);
    to.instant(*ends_at);
    to.text(author);
    to.text(comment);
}

fn read_silence(from: &mut Reader<'_>) -> Option<Silence> {
    let id = SilenceId::new(from.number()?);
    let matchers = from.list(|from| {
        let label = from.text()?.into();
        let comparison = match from.byte()? {
            0 => Comparison::Is,
            1 => Comparison::IsNot,
            2 => Comparison::Like,
            3 => Comparison::NotLike,
            _ => return None,
        };
        Some(Matcher { label, comparison, value: from.text()?.into() })
    })?;
    let (starts_at, ends_at) = (from.instant()?, from.instant()?);
    let (author, comment) = (from.text()?.into(), from.text()?.into());
    Some(Silence { id, request: SilenceRequest { matchers, starts_at, ends_at, author, comment } })
}

fn write_status(to: &mut Writer, status: NotifiedStatus) {
    to.0.push(match status {
        NotifiedStatus::Firing(Severity::Warning) => 0,
        NotifiedStatus::Firing(Severity::Critical) => 1,
        NotifiedStatus::Resolved => 2,
        NotifiedStatus::Ended => 3,
    });
}

fn read_status(from: &mut Reader<'_>) -> Option<NotifiedStatus> {
    match from.byte()? {
        0 => Some(NotifiedStatus::Firing(Severity::Warning)),
        1 => Some(NotifiedStatus::Firing(Severity::Critical)),
        2 => Some(NotifiedStatus::Resolved),
        3 => Some(NotifiedStatus::Ended),
        _ => None,
    }
}
