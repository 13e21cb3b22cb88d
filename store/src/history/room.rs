//! The files, their room, and what is dropped for age and for want of it.

use std::sync::Arc;

use super::block::{BlockId, Table};
use super::log::History;
use crate::volume::{Volume, VolumeError};

impl<V: Volume> History<V> {
    /// Bytes that all files take, each rounded up to whole blocks of 4 KiB.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        used_bytes(self.files.values().copied(), self.catalogue_bytes)
    }

    /// Puts a file in place, for which older ones make room.
    pub(super) fn put(&mut self, id: BlockId, content: &[u8]) -> Result<(), VolumeError> {
        self.make_room(content.len() as u64)?;
        self.volume.put(&id.to_string(), content)?;
        Arc::make_mut(&mut self.files).insert(id, content.len() as u64);
        self.edition += 1;
        self.may_have_work = true;
        Ok(())
    }

    pub(super) fn remove(&mut self, id: BlockId) -> Result<(), VolumeError> {
        self.volume.remove(&id.to_string())?;
        Arc::make_mut(&mut self.files).remove(&id);
        self.edition += 1;
        self.may_have_work = true;
        Ok(())
    }

    /// Drops what is nearest to the end of its retention until there is room for a file. A file that replaces another needs its
    /// room beside it.
    pub(super) fn make_room(&mut self, bytes: u64) -> Result<(), VolumeError> {
        while self.used_bytes() + blocks(bytes) > self.options.max_bytes {
            let Some(id) = self.most_dispensable() else { return Err(VolumeError::NoSpace) };
            self.drop_file(id)?;
        }
        Ok(())
    }

    /// Removes a file for good: it is not made again, and nothing is added to it.
    fn drop_file(&mut self, id: BlockId) -> Result<(), VolumeError> {
        if let Table::Tier(tier) = id.table {
            let floor = &mut self.floors[usize::from(tier)];
            *floor = (*floor).max(id.window + 1);
        }
        self.remove(id)
    }

    /// The file whose age is the largest share of its tier's retention, so that all tiers shrink alike. First those whose values the next
    /// coarser tier has too; heads last.
    fn most_dispensable(&self) -> Option<BlockId> {
        let oldest = |table| {
            let ids = BlockId::new(table, 0)..=BlockId::new(table, u64::MAX);
            self.files.range(ids).next().map(|(&id, _)| id)
        };
        let tiers = (0_u8..).zip(&self.options.tiers);
        let by_age = tiers.filter_map(|(tier, options)| {
            let id = oldest(Table::Tier(tier))?;
            let age = self.now_millis.saturating_sub(id.window * options.window_millis());
            let share = u128::from(age) * u128::from(u32::MAX) / u128::from(options.retention_millis);
            Some((self.is_rolled_up(id), share, id))
        });
        by_age.max().map(|(_, _, id)| id).or_else(|| oldest(Table::Head))
    }

    fn is_rolled_up(&self, id: BlockId) -> bool {
        let Table::Tier(tier) = id.table else { return false };
        let length = self.options.tiers[usize::from(tier)].window_millis();
        let heads = id.window * length / self.options.head_millis()
            ..(id.window + 1) * length / self.options.head_millis();
        let has_late_ones =
            tier == 0 && (self.heads.range(heads).next().is_some() || !self.heads_of(id.window).is_empty());
        if has_late_ones || self.files.contains_key(&BlockId::new(Table::Stale(tier), id.window)) {
            return false;
        }
        let Some(coarse) = self.options.tiers.get(usize::from(tier) + 1) else { return true };
        let window = id.window * length / coarse.window_millis();
        let exists = |table| self.files.contains_key(&BlockId::new(table, window));
        exists(Table::Tier(tier + 1)) && !exists(Table::Stale(tier + 1))
    }

    /// Drops what is older than its tier keeps, once the coarser tiers have it.
    pub(super) fn expire(&mut self) -> Result<(), VolumeError> {
        if self.now_millis < self.expires_from {
            return Ok(());
        }
        let is_idle = self.is_idle();
        let too_old = |id: &BlockId| {
            let (window_millis, tier) = match id.table {
                Table::Head => (self.options.head_millis(), 0),
                Table::Tier(tier) | Table::Stale(tier) => {
                    let tier = usize::from(tier);
                    (self.options.tiers.get(tier).map_or(0, super::options::TierOptions::window_millis), tier)
                }
            };
            let retention = self.options.tiers.get(tier).map_or(0, |tier| tier.retention_millis);
            (id.window + 1).saturating_mul(window_millis).saturating_add(retention) <= self.now_millis
        };
        let expired: Vec<BlockId> = self
            .files
            .keys()
            .copied()
            .filter(too_old)
            .filter(|id| is_idle || self.is_rolled_up(*id))
            .collect();
        expired.into_iter().try_for_each(|id| self.drop_file(id))
    }
}

/// What files of so many bytes take of a disk, with both copies of the catalogue.
pub(super) fn used_bytes(files: impl Iterator<Item = u64>, catalogue_bytes: u64) -> u64 {
    files.map(blocks).sum::<u64>() + 2 * blocks(catalogue_bytes)
}

/// What a file of so many bytes takes of a disk.
pub(super) const fn blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK) * BLOCK
}

const BLOCK: u64 = 4 << 10;
