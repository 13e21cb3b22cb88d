//! The task of a standby: asks the primary what has changed, fetches it, and has the state take it.
//!
//! A round that is cut off is taken up where it was: files that are here stay, and the piece of one that was under way is kept as long as the primary
//! still has that file.

use std::time::Duration as Pause;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use quillwork_core::time::Instant;
use quillwork_protocol::replication::{FileVersion as Told, ReplicationState, Role};
use quillwork_store::history::{FileVersion, FollowError, is_derived, is_values, version_of, versions};
use quillwork_store::volume::{Volume as _, VolumeError};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::peer::{Peer, PeerError};
use super::plan::{Files, Plan};
use super::record;
use crate::driver::{Driver, Stopped};
use crate::state::{FollowRefusal, Medium};
use crate::stopping::Stopping;

/// Bytes that are fetched before the primary is asked again what there is.
const ROUND: u64 = 8 << 20;
/// Bytes of one piece.
const PIECE: u64 = 1 << 20;
/// Bytes of what says what has changed: names of files, and a minute or two of every series.
const MOST_STATE: usize = 64 << 20;
/// Bytes of a file.
const MOST_FILE: u64 = 512 << 20;
/// While there is more to fetch.
const BREATH: Pause = Pause::from_millis(20);
/// After a failure, at least.
const AFTER_FAILURE: Pause = Pause::from_secs(2);

/// What a standby is told.
#[derive(Debug)]
struct Following {
    driver: Driver,
    primary: Peer,
    /// Between two rounds.
    interval: Pause,
    /// Where this host can be reached.
    url: Option<String>,
}

/// What the task knows between rounds.
#[derive(Debug, Default)]
struct Known {
    /// Files of values here; `None` where they are to be listed first.
    here: Option<Files>,
    others: Files,
    there: Files,
    edition: Option<String>,
    /// Files that are damaged there: what is sound here stays, and they are not asked for again.
    damaged: Files,
    /// The piece of a file that has come.
    begun: Option<(FileVersion, Vec<u8>)>,
}

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error(transparent)]
    Refused(#[from] FollowRefusal),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("{0}")]
    Here(String),
}

/// Follows whenever this host is a standby, until it stops: from the start, or from when it joins the host that took over from it. `peer` gives the one at an
/// address.
pub(crate) async fn follow(
    driver: Driver,
    (interval, url): (Pause, Option<String>),
    peer: impl Fn(&str) -> Option<Peer>,
    stopping: Stopping,
) {
    let (mut views, mut stopped) = (driver.views(), stopping.clone());
    loop {
        let view = tokio::select! {
            view = views.wait_for(|view| view.role == Role::Standby) => view.map(|view| view.primary.clone()),
            () = stopped.wait() => return,
        };
        // A driver that has ended shows nothing more.
        let Ok(primary) = view else { return };
        let Some(primary) = primary.as_deref().and_then(&peer) else { return };
        Following { driver: driver.clone(), primary, interval, url: url.clone() }.run(stopping.clone()).await;
        // It was promoted, or all ends.
        if driver.with(|_, _| ()).await.is_err() {
            return;
        }
    }
}

impl Following {
    /// Follows until the host stops, or is promoted.
    async fn run(self, mut stopping: Stopping) {
        let mut known = Known::default();
        loop {
            let pause = tokio::select! {
                next = self.round_and_report(&mut known) => match next {
                    Some(pause) => pause,
                    None => return,
                },
                () = stopping.wait() => return,
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = stopping.wait() => return,
            }
        }
    }

    /// How long to wait for the next round; `None` where there is none.
    async fn round_and_report(&self, known: &mut Known) -> Option<Pause> {
        let failure = match self.round(known).await {
            Ok(is_complete) => return Some(if is_complete { self.interval } else { BREATH }),
            Err(Failure::Stopped(_) | Failure::Refused(FollowRefusal::FollowsNoMore)) => return None,
            Err(failure) => failure,
        };
        // What is here is looked at anew: a file may be half of what it was thought to be.
        (known.here, known.edition) = (None, None);
        let is_away = matches!(failure, Failure::Peer(PeerError::Unreachable { .. }));
        let reason = failure.to_string();
        self.driver.with(move |state, now| state.follow_failed(now, is_away, reason)).await.ok()?;
        Some(self.interval.max(AFTER_FAILURE))
    }

    /// One round. Whether everything is here now.
    async fn round(&self, known: &mut Known) -> Result<bool, Failure> {
        let asked = self.driver.with(|state, now| {
            let behind = state.standing(now).behind_millis;
            (state.follows_from(), now.monotonic, state.claim().node, behind)
        });
        let (from, asked_at, node, behind) = asked.await?;
        let from = from.ok_or(FollowRefusal::FollowsNoMore)?;
        let state: ReplicationState =
            self.primary.get_json(&self.question(known, from, &node, behind), MOST_STATE).await?;
        let claim = state.claim;
        let is_anew = self.driver.with(move |state, now| state.follow_contact(now, &claim)).await??;
        if is_anew || known.here.is_none() {
            let looked = self.look().await?;
            *known = Known { begun: known.begun.take(), ..looked };
        }
        if let Some(files) = state.files {
            known.there = files.into_iter().map(|file| (file.name.clone(), read(file))).collect();
            known.edition = Some(state.edition);
        } else if known.edition.is_none() {
            return Ok(false);
        }
        self.take_others(known, state.others).await?;
        let is_complete = self.take_files(known).await?;
        let tail = BASE64
            .decode(&state.tail)
            .map_err(|_| Failure::Here("the newest values arrived damaged".into()))?;
        let complete: Option<Instant> = is_complete.then_some(asked_at);
        let missing = Plan::new(known.here.as_ref().unwrap_or(&Files::new()), &known.there);
        let missing = missing.without(&known.damaged).bytes();
        self.driver.with(move |state, _| state.follow_tail(&tail, complete, missing)).await??;
        Ok(is_complete)
    }

    fn question(&self, known: &Known, from: u64, node: &str, behind: Option<u64>) -> String {
        let mut path = format!("/api/v1/replication/state?from={from}&node={node}");
        if let Some(edition) = &known.edition {
            path.push_str(&format!("&edition={edition}"));
        }
        if let Some(behind) = behind {
            path.push_str(&format!("&behind={behind}"));
        }
        if let Some(url) = &self.url {
            path.push_str(&format!("&url={url}"));
        }
        path
    }

    /// What lies here.
    async fn look(&self) -> Result<Known, Failure> {
        let medium = self.driver.with(|state, _| state.medium()).await?;
        let failed = |error: String| Failure::Here(error);
        let looked =
            spawn_blocking(move || list(&medium)).await.map_err(|error| failed(error.to_string()))?;
        let (here, others) = looked.map_err(|error| failed(error.to_string()))?;
        Ok(Known { here: Some(here), others, ..Known::default() })
    }

    async fn take_others(&self, known: &mut Known, others: Vec<Told>) -> Result<(), Failure> {
        let mut others: Vec<FileVersion> = others.into_iter().map(read).collect();
        // The catalogue goes before everything that speaks of its series.
        others.sort_by_key(|file| file.name != "catalogue");
        for file in others {
            if known.others.get(&file.name) == Some(&file) {
                continue;
            }
            // One that has changed meanwhile comes with the next round.
            let Some(content) = self.fetch(known, &file).await? else { continue };
            let name = file.name.clone();
            self.driver.with(move |state, now| state.follow_other(now, &name, &content)).await??;
            known.others.insert(file.name.clone(), file);
        }
        Ok(())
    }

    /// Fetches what is new, up to a bound, and then removes what is gone. Whether all is done.
    async fn take_files(&self, known: &mut Known) -> Result<bool, Failure> {
        let here = known.here.take().unwrap_or_default();
        let plan = Plan::new(&here, &known.there).without(&known.damaged);
        known.here = Some(here);
        let mut fetched = 0;
        let mut removals = plan.remove.into_iter();
        for file in plan.fetch {
            if fetched >= ROUND {
                return Ok(false);
            }
            fetched += file.bytes;
            let Some(content) = self.fetch(known, &file).await? else {
                // It is another by now, or gone: what there is is to be asked anew.
                known.edition = None;
                return Ok(false);
            };
            let (name, content) = (file.name.clone(), std::sync::Arc::new(content));
            loop {
                let (name, content) = (name.clone(), std::sync::Arc::clone(&content));
                match self.driver.with(move |state, _| state.follow_file(&name, &content)).await? {
                    Ok(()) => break,
                    Err(FollowRefusal::Taking(error @ FollowError::Damaged { .. })) => {
                        tracing::warn!(
                            "{error} and is left out until it changes; run `quillwork history verify` on the primary"
                        );
                        known.damaged.insert(file.name.clone(), file.clone());
                        break;
                    }
                    // What is gone there makes room here.
                    Err(FollowRefusal::Taking(room @ FollowError::Room { .. })) => {
                        let Some(gone) = removals.next() else {
                            return Err(FollowRefusal::from(room).into());
                        };
                        self.remove(known, gone).await?;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            if known.damaged.get(&file.name) != Some(&file) {
                known.insert(file);
            }
        }
        for gone in removals {
            self.remove(known, gone).await?;
        }
        Ok(true)
    }

    async fn remove(&self, known: &mut Known, name: String) -> Result<(), Failure> {
        if let Some(here) = &mut known.here {
            here.remove(&name);
        }
        Ok(self.driver.with(move |state, _| state.follow_removal(&name)).await??)
    }

    /// The content of a file, checked; `None` where the primary has another or none by now.
    async fn fetch(&self, known: &mut Known, file: &FileVersion) -> Result<Option<Vec<u8>>, Failure> {
        if file.bytes > MOST_FILE {
            return Err(Failure::Here(format!(
                "{} has {} bytes, which no file of a history has",
                file.name, file.bytes
            )));
        }
        let begun = known.begun.take_if(|(begun, _)| begun == file);
        let mut content = begun.map_or_else(Vec::new, |(_, content)| content);
        while (content.len() as u64) < file.bytes {
            let (from, left) = (content.len(), file.bytes - content.len() as u64);
            let length = left.min(PIECE);
            let path = format!("/api/v1/replication/files/{}?from={from}&length={length}", file.name);
            let piece = match self.primary.get(&path, usize::try_from(length).unwrap_or(usize::MAX)).await {
                Ok(piece) => piece,
                Err(PeerError::Answered { is_gone: true, .. }) => return Ok(None),
                Err(error) => {
                    known.begun = Some((file.clone(), content));
                    return Err(error.into());
                }
            };
            if piece.is_empty() {
                return Ok(None);
            }
            content.extend_from_slice(&piece);
        }
        Ok((version_of(&file.name, &content) == *file).then_some(content))
    }
}

impl Known {
    fn insert(&mut self, file: FileVersion) {
        self.here.get_or_insert_default().insert(file.name.clone(), file);
    }
}

/// Files of values, and what lies beside them.
fn list(medium: &Medium) -> Result<(Files, Files), VolumeError> {
    let values = versions(medium)?.into_iter().map(|file| (file.name.clone(), file)).collect();
    Ok((values, others(medium)?))
}

/// What lies beside the files of values and is copied.
pub(crate) fn others(medium: &Medium) -> Result<Files, VolumeError> {
    let mut others = Files::new();
    for name in medium.list()?.into_keys() {
        let is_copied = !is_values(&name) && is_other(&name);
        if let (true, Some(content)) = (is_copied, medium.read(&name, 0, MOST_OTHER)?) {
            others.insert(name.clone(), version_of(&name, &content));
        }
    }
    Ok(others)
}

/// Whether a file beside those of values belongs to the history rather than to the one host.
pub(crate) fn is_other(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(plain) && !record::is_own(name) && !is_derived(name)
}

/// Bytes of what lies beside the files of values.
const MOST_OTHER: usize = 256 << 20;

fn read(file: Told) -> FileVersion {
    FileVersion { name: file.name, bytes: file.bytes, checksum: file.checksum }
}
