//! What follows when the clock moves.

use super::block::{BlockId, Table, build};
use super::log::History;
use crate::series::SeriesId;
use crate::volume::{Volume, VolumeError};

impl<V: Volume> History<V> {
    pub(super) fn set_clock(&mut self, now_unix_millis: u64) {
        // Beyond this no instant is counted exactly, and sums of instants stay far from the end of 64 bits.
        let now = now_unix_millis.min(LATEST_MILLIS);
        let before = std::mem::replace(&mut self.now_millis, now);
        if now >= before {
            if now - before > LEAP_MILLIS {
                self.expires_from = now + STEADY_MILLIS;
            }
            self.may_have_work |= now / self.options.head_millis() > before / self.options.head_millis();
            return;
        }
        // What was dropped when it was later than now is no reason to refuse what is measured from now on.
        for (floor, tier) in self.floors.iter_mut().zip(&self.options.tiers) {
            *floor = (*floor).min(now / tier.window_millis());
        }
        if before - now <= BELIEVED_MILLIS && self.options.step_of(now) < self.options.step_of(before) {
            self.forget_from = Some(self.forget_from.map_or(now, |from| from.min(now)));
            let head_steps = u64::from(self.options.head_steps);
            let step = self.options.step_of(now);
            self.heads.retain(|&window, _| window <= step / head_steps);
            if let Some(head) = self.heads.get_mut(&(step / head_steps)) {
                let place = u32::try_from(step % head_steps + 1).unwrap_or(u32::MAX);
                if place < self.options.head_steps {
                    head.series.values_mut().for_each(|points| points.cut_from(place));
                }
            }
            // Where the medium fails the next commit tries again, before it writes anything newer.
            let _again = self.forget_what_lies_ahead();
        }
    }

    /// The instant after all that is stored, as far as files tell.
    pub(super) fn newest_stored(&self) -> u64 {
        let end = |id: &BlockId| match id.table {
            Table::Head => id.window.saturating_mul(self.options.head_millis()),
            Table::Tier(tier) => self
                .options
                .tiers
                .get(usize::from(tier))
                .map_or(0, |tier| id.window.saturating_mul(tier.window_millis())),
            Table::Stale(_) => 0,
        };
        self.files.keys().map(end).max().unwrap_or(0)
    }

    /// Forgets what was written for later than now: the clock that said so was wrong. Coarse windows that reach beyond now
    /// are made again from what is left.
    pub(super) fn forget_what_lies_ahead(&mut self) -> Result<(), VolumeError> {
        let Some(now) = self.forget_from else { return Ok(()) };
        self.job = None;
        let ids: Vec<BlockId> = self.files.keys().copied().collect();
        for id in ids {
            let (step, window) = match id.table {
                Table::Head => (self.options.tiers[0].step_millis, self.options.head_millis()),
                Table::Tier(tier) | Table::Stale(tier) => match self.options.tiers.get(usize::from(tier)) {
                    Some(tier) => (tier.step_millis, tier.window_millis()),
                    None => continue,
                },
            };
            let start = id.window.saturating_mul(window);
            if start > now {
                // What lies so far ahead that the clock can't have been there was stored by one that was right.
                if start - now <= BELIEVED_MILLIS {
                    self.remove(id)?;
                }
            } else if start.saturating_add(window) > now && !matches!(id.table, Table::Stale(_)) {
                // A coarse step that reaches beyond now has what is forgotten in it: it goes whole, and is made again.
                let is_raw = matches!(id.table, Table::Head | Table::Tier(0));
                let place = (now - start) / step + u64::from(is_raw);
                self.cut(id, u32::try_from(place).unwrap_or(u32::MAX))?;
                if let Table::Tier(tier @ 1..) = id.table {
                    self.put(BlockId::new(Table::Stale(tier), id.window), &[])?;
                }
            }
        }
        self.forget_from = None;
        Ok(())
    }

    /// Takes all places from this one on out of a file.
    fn cut(&mut self, id: BlockId, place: u32) -> Result<(), VolumeError> {
        let mut is_changed = false;
        let encoded = self.read_changed(id, |_, _, points| is_changed |= points.cut_from(place))?;
        if !is_changed {
            return Ok(());
        }
        let encoded: Vec<(SeriesId, Vec<u8>)> = encoded.into_iter().collect();
        self.put(id, &build(id, &encoded))
    }
}

/// A clock that is set back by more than this may itself be wrong (a machine without a battery starts in 1970): what was stored
/// stays, and is not shown until its time.
const BELIEVED_MILLIS: u64 = 25 * 3_600_000;
/// A clock that goes on by more than this in one step may be wrong, or the machine slept.
const LEAP_MILLIS: u64 = 3_600_000;
/// So long it must go on steadily before what is old is dropped for its age.
const STEADY_MILLIS: u64 = 600_000;
/// The largest whole number that a float holds.
const LATEST_MILLIS: u64 = 1 << 53;
