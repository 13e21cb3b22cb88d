//! What is told, in people's words.

use std::collections::BTreeMap;

use quillwork_core::alert::notify::{NotificationId, NotifiedStatus};

use crate::calendar::rfc3339;

/// A notification in people's words.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// To report what became of it.
    pub id: NotificationId,
    /// The channel's name.
    pub receiver: String,
    /// When it was decided.
    pub at_unix_millis: u64,
    /// The same for the same content: who has it has heard this before.
    pub key: String,
    /// This machine's name.
    pub host: String,
    /// How often a standby has taken over: of two hosts that tell, the one of the larger epoch is right.
    pub epoch: u64,
    /// What it tells.
    pub kind: LetterKind,
}

/// What a letter tells.
#[derive(Clone, Debug, PartialEq)]
pub enum LetterKind {
    /// Alerts.
    Alerts {
        /// What they have in common.
        group: BTreeMap<String, String>,
        /// The worst first.
        alerts: Vec<LetterAlert>,
        /// Further ones that are not listed.
        omitted: usize,
        /// Whether it was told before.
        is_repeat: bool,
    },
    /// A sign of life.
    Heartbeat {
        /// Alerts that fire.
        firing: usize,
    },
}

/// An alert in a letter. Names in it are chosen by strangers.
#[derive(Clone, Debug, PartialEq)]
pub struct LetterAlert {
    /// How it stands.
    pub status: NotifiedStatus,
    /// The rule's name.
    pub rule: String,
    /// Labels of what it is about.
    pub labels: BTreeMap<String, String>,
    /// One sentence.
    pub summary: String,
    /// Who is to blame.
    pub culprit: Option<String>,
    /// The first thing to look at.
    pub look_first: String,
    /// When it began.
    pub started_unix_millis: u64,
    /// When it ended.
    pub ended_unix_millis: Option<u64>,
    /// Of rule and labels.
    pub fingerprint: String,
    /// Of fingerprint, beginning and status.
    pub key: String,
}

impl LetterAlert {
    fn fires(&self) -> bool {
        matches!(self.status, NotifiedStatus::Firing(_))
    }
}

impl Letter {
    /// One line.
    pub(super) fn subject(&self) -> String {
        let host = &self.host;
        match &self.kind {
            LetterKind::Heartbeat { firing } => format!("[{host}] alive, {firing} alerts fire"),
            LetterKind::Alerts { alerts, omitted, .. } => {
                let firing = alerts.iter().filter(|alert| alert.fires()).count();
                match (alerts.first(), alerts.len() + omitted) {
                    (Some(alert), 1) => format!("[{host}] {}: {}", alert.status.as_str(), alert.rule),
                    (Some(alert), all) => {
                        format!(
                            "[{host}] {}: {} and {} more ({firing} fire)",
                            alert.status.as_str(),
                            alert.rule,
                            all - 1
                        )
                    }
                    (None, _) => format!("[{host}] nothing fires"),
                }
            }
        }
    }

    /// Plain text, one paragraph for each alert.
    pub(super) fn text(&self) -> String {
        let LetterKind::Alerts { alerts, omitted, is_repeat, .. } = &self.kind else {
            return format!("{}\n", self.subject());
        };
        let mut text = String::new();
        if *is_repeat {
            text.push_str("Still so:\n\n");
        }
        for alert in alerts {
            text.push_str(&format!("{}: {}\n", alert.status.as_str().to_uppercase(), alert.summary));
            if let Some(culprit) = alert.culprit.as_ref().filter(|_| alert.fires()) {
                text.push_str(&format!("  Most likely: {culprit}\n"));
            }
            if alert.fires() && !alert.look_first.is_empty() {
                text.push_str(&format!("  Look first at {}.\n", alert.look_first));
            }
            text.push_str(&format!("  Since {}", rfc3339(alert.started_unix_millis)));
            if let Some(ended) = alert.ended_unix_millis {
                text.push_str(&format!(" until {}", rfc3339(ended)));
            }
            text.push_str(&format!(" ({}, {})\n\n", alert.rule, alert.fingerprint));
        }
        if *omitted > 0 {
            text.push_str(&format!("And {omitted} more.\n"));
        }
        text
    }

    /// As the Alertmanager's webhooks look (version 4), with a key that tells repeats apart.
    pub(super) fn json(&self) -> serde_json::Value {
        let (group, alerts, omitted) = match &self.kind {
            LetterKind::Alerts { group, alerts, omitted, .. } => (group.clone(), alerts.as_slice(), *omitted),
            LetterKind::Heartbeat { .. } => (BTreeMap::new(), &[][..], 0),
        };
        let fires = alerts.iter().any(LetterAlert::fires);
        let status = match (&self.kind, fires) {
            (LetterKind::Heartbeat { .. }, _) => "heartbeat",
            (LetterKind::Alerts { .. }, true) => "firing",
            (LetterKind::Alerts { .. }, false) => "resolved",
        };
        let listed: Vec<serde_json::Value> = alerts
            .iter()
            .map(|alert| {
                let mut labels = alert.labels.clone();
                labels.insert("alertname".to_owned(), alert.rule.clone());
                if let NotifiedStatus::Firing(severity) = alert.status {
                    labels.insert("severity".to_owned(), severity.to_string());
                }
                serde_json::json!({
                    "status": if alert.fires() { "firing" } else { "resolved" },
                    "labels": labels,
                    "annotations": {
                        "summary": alert.summary,
                        "culprit": alert.culprit,
                        "lookFirst": alert.look_first,
                        "state": alert.status.as_str(),
                    },
                    "startsAt": rfc3339(alert.started_unix_millis),
                    "endsAt": alert.ended_unix_millis.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), rfc3339),
                    "generatorURL": "",
                    "fingerprint": alert.fingerprint,
                    "key": alert.key,
                })
            })
            .collect();
        serde_json::json!({
            "version": "4",
            "groupKey": self.key,
            "truncatedAlerts": omitted,
            "status": status,
            "receiver": self.receiver,
            "groupLabels": group,
            "commonLabels": group,
            "commonAnnotations": {},
            "externalURL": "",
            "host": self.host,
            "epoch": self.epoch,
            "sentAt": rfc3339(self.at_unix_millis),
            "alerts": listed,
        })
    }
}
