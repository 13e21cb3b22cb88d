//! What people and scripts did, on the time line of what was measured. Kept in one sealed file beside history.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use quillwork_protocol::annotation::{Annotation, NewAnnotation};
use quillwork_protocol::topic::MOST_ANNOTATIONS;
use quillwork_store::volume::Volume;
use quillwork_store::{frame, unframe};
use serde::{Deserialize, Serialize};

use crate::clock::Now;
use crate::printable::printable;

/// All annotations, in bounds. One more than these makes room by the oldest.
#[derive(Debug)]
pub(crate) struct Annotations {
    by_id: BTreeMap<u64, Annotation>,
    /// In the order of time.
    by_time: BTreeSet<(u64, u64)>,
    next_id: u64,
    /// Of all texts, tags and sources.
    bytes: usize,
    /// What subscribers hear.
    newest: Arc<[Annotation]>,
    /// Whether there is something new to write.
    is_changed: bool,
    /// Whether the log knows that nothing can be written.
    is_unwritable: bool,
}

/// Which annotations are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AnnotationQuery {
    /// First instant; those that were going on then are among them.
    pub(crate) from: Option<u64>,
    /// Instant after the last.
    pub(crate) to: Option<u64>,
    /// Tags that they have, all of them.
    pub(crate) tags: Vec<String>,
    /// What they are about.
    pub(crate) source: Option<String>,
}

/// An annotation that can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AnnotationError {
    #[error("`text` must have 1 to {LONGEST_TEXT} characters, not only white space; say what happened")]
    Text,
    #[error("there may be {MOST_TAGS} tags")]
    Tags,
    #[error("a tag must have 1 to {LONGEST_WORD} characters, not only white space")]
    Tag,
    #[error(
        "`source` must have 1 to {LONGEST_WORD} characters, not only white space; leave it out where it is about everything"
    )]
    Source,
    #[error("`until` must lie after `at`; leave it out where it was an instant")]
    Until,
    #[error("`at` and `until` are milliseconds since 1970, at most {LATEST} (the year 9999)")]
    Time,
}

/// The file's name. Its content is sealed under the same.
pub(super) const NAME: &str = "annotations";

/// The largest file that is read.
const LARGEST: usize = 64 << 20;

/// Annotations, and bytes of their words: five deployments a day for two years, and little to write each time.
const MOST: usize = 4_096;
const MOST_BYTES: usize = 1 << 20;

const LONGEST_TEXT: usize = 1_000;
const LONGEST_WORD: usize = 64;
const MOST_TAGS: usize = 16;

/// The last millisecond of the year 9999.
const LATEST: u64 = 253_402_300_799_999;

#[derive(Serialize, Deserialize)]
struct Kept {
    next_id: u64,
    annotations: Vec<Annotation>,
}

/// Annotations that a host has left beside its history, the newest first.
pub(crate) fn annotations_of(volume: &impl Volume) -> Vec<Annotation> {
    Annotations::open(volume).select(&AnnotationQuery::default())
}

impl Annotations {
    /// Takes up what was kept. What can't be read begins anew: a host that doesn't start would be worse.
    pub(super) fn open(volume: &impl Volume) -> Self {
        let mut annotations = Self {
            by_id: BTreeMap::new(),
            by_time: BTreeSet::new(),
            next_id: 1,
            bytes: 0,
            newest: Arc::default(),
            is_changed: false,
            is_unwritable: false,
        };
        match read(volume) {
            Ok(None) => {}
            Ok(Some(kept)) => {
                annotations.next_id = kept.next_id;
                kept.annotations.into_iter().for_each(|annotation| annotations.insert(annotation));
                annotations.renew();
            }
            Err(reason) => tracing::warn!("the annotations can't be read and begin anew: {reason}"),
        }
        annotations
    }

    /// Notes one. What would steer a terminal, a log or the direction of text is replaced, so that it is harmless wherever
    /// it is shown as text.
    pub(crate) fn add(&mut self, now: Now, new: NewAnnotation) -> Result<Annotation, AnnotationError> {
        let at = new.at.unwrap_or(now.unix_millis);
        if at.max(new.until.unwrap_or(0)) > LATEST {
            return Err(AnnotationError::Time);
        }
        if new.until.is_some_and(|until| until <= at) {
            return Err(AnnotationError::Until);
        }
        let text = lines(&new.text);
        if !has_length(&text, LONGEST_TEXT) {
            return Err(AnnotationError::Text);
        }
        if new.tags.len() > MOST_TAGS {
            return Err(AnnotationError::Tags);
        }
        let mut tags: Vec<String> = Vec::with_capacity(new.tags.len());
        for tag in new.tags {
            let tag = printable(tag.trim());
            if !has_length(&tag, LONGEST_WORD) {
                return Err(AnnotationError::Tag);
            }
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        let source = new.source.map(|source| printable(source.trim()));
        if source.as_ref().is_some_and(|source| !has_length(source, LONGEST_WORD)) {
            return Err(AnnotationError::Source);
        }
        let annotation = Annotation { id: self.next_id, at, until: new.until, text, tags, source };
        self.next_id += 1;
        self.insert(annotation.clone());
        while self.by_id.len() > MOST || self.bytes > MOST_BYTES {
            let Some(&(_, oldest)) = self.by_time.first() else { break };
            self.take(oldest);
        }
        self.changed();
        Ok(annotation)
    }

    /// Removes one. Whether it was there.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let was = self.take(id);
        if was {
            self.changed();
        }
        was
    }

    /// Those asked for, the newest first.
    pub(crate) fn select(&self, query: &AnnotationQuery) -> Vec<Annotation> {
        let before = (query.to.unwrap_or(u64::MAX), 0);
        let of_range = self.by_time.range(..before).rev().map(|(_, id)| &self.by_id[id]);
        of_range
            .filter(|annotation| {
                query.from.is_none_or(|from| annotation.until.unwrap_or(annotation.at) >= from)
            })
            .filter(|annotation| query.tags.iter().all(|tag| annotation.tags.contains(tag)))
            .filter(|annotation| query.source.is_none() || query.source == annotation.source)
            .cloned()
            .collect()
    }

    /// What subscribers hear.
    pub(super) fn newest(&self) -> Arc<[Annotation]> {
        Arc::clone(&self.newest)
    }

    /// Writes what changed.
    pub(super) fn maintain(&mut self, volume: &mut impl Volume) {
        if !self.is_changed {
            return;
        }
        let kept = Kept { next_id: self.next_id, annotations: self.by_id.values().cloned().collect() };
        let content = serde_json::to_vec(&kept).expect("annotations have string keys only");
        match volume.put(NAME, &frame(NAME.as_bytes(), &content)) {
            Ok(()) => (self.is_changed, self.is_unwritable) = (false, false),
            // It is tried again and again: once is enough for the log.
            Err(error) => {
                if !std::mem::replace(&mut self.is_unwritable, true) {
                    tracing::warn!("the annotations can't be written and are tried again: {error}");
                }
            }
        }
    }

    fn insert(&mut self, annotation: Annotation) {
        self.bytes += size(&annotation);
        self.by_time.insert((annotation.at, annotation.id));
        self.by_id.insert(annotation.id, annotation);
    }

    fn take(&mut self, id: u64) -> bool {
        let Some(annotation) = self.by_id.remove(&id) else { return false };
        self.bytes -= size(&annotation);
        self.by_time.remove(&(annotation.at, id));
        true
    }

    fn changed(&mut self) {
        self.is_changed = true;
        self.renew();
    }

    fn renew(&mut self) {
        let newest = self.by_time.iter().rev().take(MOST_ANNOTATIONS);
        self.newest = newest.map(|(_, id)| self.by_id[id].clone()).collect();
    }
}

fn read(volume: &impl Volume) -> Result<Option<Kept>, String> {
    let sealed = volume.read(NAME, 0, LARGEST).map_err(|error| error.to_string())?;
    let Some(sealed) = sealed else { return Ok(None) };
    let content = unframe(NAME.as_bytes(), &sealed).map_err(|error| error.to_string())?;
    serde_json::from_slice(content).map(Some).map_err(|error| error.to_string())
}

fn size(annotation: &Annotation) -> usize {
    let words = annotation.tags.iter().chain(&annotation.source).map(String::len).sum::<usize>();
    annotation.text.len() + words
}

fn lines(text: &str) -> String {
    let text = text.trim().replace("\r\n", "\n").replace('\t', " ");
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

fn has_length(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most
}

#[cfg(test)]
mod tests {
    use quillwork_core::time::Instant;
    use quillwork_store::volume::Memory;

    use super::*;

    const NOW: Now = Now { monotonic: Instant::from_secs(1), unix_millis: 1_000_000 };

    fn at(at: u64, text: &str) -> NewAnnotation {
        NewAnnotation { at: Some(at), text: text.to_owned(), ..NewAnnotation::default() }
    }

    fn texts(annotations: &Annotations, query: &AnnotationQuery) -> Vec<String> {
        annotations.select(query).into_iter().map(|annotation| annotation.text).collect()
    }

    #[test]
    fn a_range_has_what_went_on_in_it() {
        let mut annotations = Annotations::open(&Memory::new());
        annotations.add(NOW, at(100, "instant")).unwrap();
        annotations.add(NOW, NewAnnotation { until: Some(300), ..at(50, "long") }).unwrap();
        let tagged = NewAnnotation {
            tags: vec!["deploy".into(), "shop".into(), "deploy".into()],
            source: Some("shop-1".into()),
            ..at(400, "tagged")
        };
        assert_eq!(annotations.add(NOW, tagged).unwrap().tags, ["deploy", "shop"]);
        let range =
            |from, to| AnnotationQuery { from: Some(from), to: Some(to), ..AnnotationQuery::default() };
        assert_eq!(texts(&annotations, &range(0, 1_000)), ["tagged", "instant", "long"]);
        assert_eq!(texts(&annotations, &range(300, 401)), ["tagged", "long"]);
        assert_eq!(texts(&annotations, &range(301, 400)), [""; 0]);
        assert_eq!(texts(&annotations, &range(0, 100)), ["long"]);
        let of = |tag: &str, source: Option<&str>| AnnotationQuery {
            tags: vec!["deploy".into(), tag.into()],
            source: source.map(Into::into),
            ..AnnotationQuery::default()
        };
        assert_eq!(texts(&annotations, &of("shop", Some("shop-1"))), ["tagged"]);
        assert_eq!(texts(&annotations, &of("shop", Some("shop-2"))), [""; 0]);
        assert_eq!(texts(&annotations, &of("other", None)), [""; 0]);
    }

    #[test]
    fn they_outlive_the_host_and_an_id_is_never_given_twice() {
        let mut volume = Memory::new();
        let mut annotations = Annotations::open(&volume);
        let first = annotations.add(NOW, at(1, "first")).unwrap();
        let second = annotations.add(NOW, at(2, "second")).unwrap();
        assert!(annotations.remove(second.id) && !annotations.remove(second.id));
        annotations.maintain(&mut volume);

        let mut annotations = Annotations::open(&volume);
        assert_eq!(annotations.select(&AnnotationQuery::default()), std::slice::from_ref(&first));
        assert_eq!(*annotations.newest(), [first]);
        assert!(annotations.add(NOW, at(3, "third")).unwrap().id > second.id);

        let mut sealed = volume.read(NAME, 0, LARGEST).unwrap().unwrap();
        sealed[20] ^= 1;
        volume.put(NAME, &sealed).unwrap();
        assert_eq!(
            texts(&Annotations::open(&volume), &AnnotationQuery::default()),
            [""; 0],
            "never wrong ones"
        );
    }

    #[test]
    fn the_oldest_make_room() {
        let mut annotations = Annotations::open(&Memory::new());
        for millis in 0..=MOST as u64 {
            annotations.add(NOW, at(millis + 1, "short")).unwrap();
        }
        let all = annotations.select(&AnnotationQuery::default());
        assert_eq!((all.len(), all[MOST - 1].at, annotations.newest().len()), (MOST, 2, MOST_ANNOTATIONS));
        let long = "ä".repeat(LONGEST_TEXT);
        for millis in 0..600 {
            annotations.add(NOW, at(10_000 + millis, &long)).unwrap();
        }
        let all = annotations.select(&AnnotationQuery::default());
        let bytes: usize = all.iter().map(|annotation| annotation.text.len()).sum();
        assert!(bytes <= MOST_BYTES && bytes > MOST_BYTES - 2 * LONGEST_TEXT && all[0].at == 10_599);
    }

    #[test]
    fn what_can_not_be_is_refused_and_what_would_steer_is_replaced() {
        let mut annotations = Annotations::open(&Memory::new());
        let new = |change: fn(&mut NewAnnotation)| {
            let mut new = at(100, "text");
            change(&mut new);
            new
        };
        for (wrong, error) in [
            (new(|new| new.text = " \n ".into()), AnnotationError::Text),
            (new(|new| new.text = "x".repeat(1_001)), AnnotationError::Text),
            (new(|new| new.tags = vec!["t".into(); 17]), AnnotationError::Tags),
            (new(|new| new.tags = vec![" ".into()]), AnnotationError::Tag),
            (new(|new| new.source = Some("x".repeat(65))), AnnotationError::Source),
            (new(|new| new.until = Some(100)), AnnotationError::Until),
            (new(|new| new.at = Some(u64::MAX)), AnnotationError::Time),
        ] {
            assert_eq!(annotations.add(NOW, wrong), Err(error));
        }
        let hostile = NewAnnotation {
            tags: vec!["a\u{1b}[31m".into()],
            source: Some("\u{202e}b".into()),
            ..at(100, "one\r\ntwo\u{7}\u{202e}")
        };
        let noted = annotations.add(NOW, hostile).unwrap();
        assert_eq!((noted.text.as_str(), noted.tags[0].as_str()), ("one\ntwo??", "a?[31m"));
        assert_eq!(noted.source.as_deref(), Some("?b"));
        assert_eq!(annotations.add(NOW, NewAnnotation { at: None, ..at(0, "now") }).unwrap().at, 1_000_000);
    }
}
