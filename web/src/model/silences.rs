//! Silences: for how long, for what, and how one reads them.

use quillwork_protocol::alert::{AlertStatus, MatcherInfo, MatcherKind, NewSilence, SilenceInfo};
use quillwork_protocol::snapshot::PageSnapshot;

use super::pages;
use super::series::SOURCE;

/// The label by which a silence knows a rule.
const RULE: &str = "alertname";

/// How long a silence may last, as it is offered: milliseconds and words.
pub const DURATIONS: [(u64, &str); 6] = [
    (30 * MINUTE, "30 minutes"),
    (60 * MINUTE, "1 hour"),
    (4 * 60 * MINUTE, "4 hours"),
    (8 * 60 * MINUTE, "8 hours"),
    (24 * 60 * MINUTE, "1 day"),
    (7 * 24 * 60 * MINUTE, "7 days"),
];

const MINUTE: u64 = 60_000;

/// What a silence is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One alert: its rule and every label of it.
    Alert,
    /// All alerts of its rule.
    Rule,
}

/// The silence to ask for.
pub fn silence(
    alert: &AlertStatus,
    scope: Scope,
    now_unix_millis: u64,
    for_millis: u64,
    author: &str,
    comment: &str,
) -> NewSilence {
    let is = |label: &str, value: &str| MatcherInfo {
        label: label.to_owned(),
        kind: MatcherKind::Is,
        value: value.to_owned(),
    };
    let mut matchers = vec![is(RULE, &alert.rule)];
    if scope == Scope::Alert {
        matchers.extend(alert.labels.iter().map(|(label, value)| is(label, value)));
    }
    NewSilence {
        matchers,
        starts_unix_millis: None,
        ends_unix_millis: now_unix_millis + for_millis,
        author: author.to_owned(),
        comment: comment.to_owned(),
    }
}

/// What a silence is for: `host-cpu`, or `host-disk-space, mount = /srv`; a page goes by its name.
pub fn what(silence: &SilenceInfo, pages: &[PageSnapshot]) -> String {
    let part = |matcher: &MatcherInfo| match (matcher.label.as_str(), matcher.kind) {
        (RULE, MatcherKind::Is) => matcher.value.clone(),
        (label, kind) => {
            let sign = match kind {
                MatcherKind::Is => "=",
                MatcherKind::IsNot => "≠",
                MatcherKind::Like => "like",
                MatcherKind::NotLike => "not like",
            };
            let page = pages.iter().find(|page| label == SOURCE && page.source.id == matcher.value);
            let value = page.map_or_else(|| matcher.value.clone(), |page| pages::name(&page.source, pages));
            let label = match label {
                RULE => "rule",
                SOURCE => "page",
                label => label,
            };
            format!("{label} {sign} {value}")
        }
    };
    silence.matchers.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// Those that mute now or will, the one that ends first at the top.
pub fn current(silences: &[SilenceInfo], now_unix_millis: u64) -> Vec<SilenceInfo> {
    let mut current: Vec<SilenceInfo> =
        silences.iter().filter(|silence| silence.ends_unix_millis > now_unix_millis).cloned().collect();
    current.sort_by_key(|silence| (silence.ends_unix_millis, silence.id));
    current
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alerts::tests::alert;
    use crate::model::pages::tests::page_snapshot;
    use quillwork_protocol::alert::AlertState;
    use quillwork_protocol::snapshot::PageLink;

    fn info(id: u64, new: NewSilence) -> SilenceInfo {
        SilenceInfo {
            id,
            matchers: new.matchers,
            starts_unix_millis: 0,
            ends_unix_millis: new.ends_unix_millis,
            author: new.author,
            comment: new.comment,
            active: true,
        }
    }

    #[test]
    fn a_silence_for_one_alert_names_all_its_labels() {
        let mut alert = alert("host-disk-space", AlertState::Warning, 1);
        alert.labels.insert("mount".into(), "/srv".into());
        let one = silence(&alert, Scope::Alert, 1_000, 60_000, "Ann", "moving it");
        assert_eq!((one.matchers.len(), one.ends_unix_millis), (2, 61_000));
        assert_eq!(what(&info(1, one), &[]), "host-disk-space, mount = /srv");
        let all = silence(&alert, Scope::Rule, 1_000, 60_000, "Ann", "");
        assert_eq!(what(&info(2, all), &[]), "host-disk-space");
    }

    #[test]
    fn a_page_goes_by_its_name() {
        let mut alert = alert("page-fps", AlertState::Warning, 1);
        alert.labels.insert(SOURCE.into(), "a1b2".into());
        let silence = info(1, silence(&alert, Scope::Alert, 0, 1, "Ann", ""));
        let pages = [page_snapshot("a1b2", PageLink::Live, 1)];
        assert_eq!(what(&silence, &pages), "page-fps, page = Story studio");
        assert_eq!(what(&silence, &[]), "page-fps, page = a1b2");
    }

    #[test]
    fn patterns_read_as_such() {
        let matchers = vec![
            MatcherInfo { label: RULE.into(), kind: MatcherKind::Like, value: "host-*".into() },
            MatcherInfo { label: "mount".into(), kind: MatcherKind::IsNot, value: "/".into() },
        ];
        let new = NewSilence {
            matchers,
            starts_unix_millis: None,
            ends_unix_millis: 1,
            author: "Ann".into(),
            comment: String::new(),
        };
        assert_eq!(what(&info(1, new), &[]), "rule like host-*, mount ≠ /");
    }

    #[test]
    fn what_has_ended_is_not_listed() {
        let alert = alert("a", AlertState::Warning, 1);
        let ends = |id, at| info(id, silence(&alert, Scope::Rule, at, 0, "Ann", ""));
        let current = current(&[ends(1, 900), ends(2, 3_000), ends(3, 2_000)], 1_000);
        assert_eq!(current.iter().map(|silence| silence.id).collect::<Vec<_>>(), [3, 2]);
    }
}
