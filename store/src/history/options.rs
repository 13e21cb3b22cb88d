//! What a history keeps, for how long, and in how much room.

use super::errors::OpenError;

/// What a history is made with. Steps and windows belong to the stored format: a volume is opened with those it was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryOptions {
    /// Steps of the finest tier that are written together: what a killed process loses is as long as these and the settling. At most 64.
    pub head_steps: u32,
    /// How long a head waits for late values before it is written.
    pub settle_millis: u64,
    /// From fine to coarse.
    pub tiers: Vec<TierOptions>,
    /// Bytes that all files together never exceed, each rounded up to whole blocks of 4 KiB.
    pub max_bytes: u64,
    /// How many series there may be: their labels come from outside.
    pub max_series: usize,
}

/// One tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierOptions {
    /// Distance of two values.
    pub step_millis: u64,
    /// Steps in one file.
    pub window_steps: u32,
    /// How long they are kept.
    pub retention_millis: u64,
}

impl TierOptions {
    pub(super) const fn window_millis(&self) -> u64 {
        self.step_millis * self.window_steps as u64
    }
}

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Default for HistoryOptions {
    /// A second for a day, ten seconds for a week, a minute for 30 days, an hour for two years, of up to 4,096 series in half a GiB.
    fn default() -> Self {
        let tier = |step_millis, window_steps, retention_millis| TierOptions {
            step_millis,
            window_steps,
            retention_millis,
        };
        Self {
            head_steps: 60,
            settle_millis: 5 * SECOND,
            tiers: vec![
                tier(SECOND, 3_600, DAY),
                tier(10 * SECOND, 360, 7 * DAY),
                tier(MINUTE, 360, 30 * DAY),
                tier(HOUR, 96, 730 * DAY),
            ],
            max_bytes: 512 << 20,
            max_series: 4_096,
        }
    }
}

impl HistoryOptions {
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let tiers = &self.tiers;
        let whole = tiers.iter().all(|tier| {
            tier.step_millis > 0 && tier.window_steps > 0 && tier.retention_millis >= tier.window_millis()
        });
        let nested = whole
            && tiers.windows(2).all(|pair| {
                let [fine, coarse] = pair else { return false };
                coarse.step_millis > fine.step_millis
                    && coarse.step_millis % fine.step_millis == 0
                    && fine.window_millis() % coarse.step_millis == 0
                    && coarse.window_millis() % fine.window_millis() == 0
                    && coarse.retention_millis > fine.retention_millis
                    && fine.retention_millis >= coarse.window_millis()
            });
        // A late value sends readers to the finer tier until the coarser ones are made again: it must reach far enough.
        let reach = tiers.get(1).is_none_or(|second| second.window_millis() == tiers[0].window_millis())
            && tiers
                .windows(2)
                .skip(1)
                .all(|pair| pair[0].retention_millis >= tiers[0].retention_millis + pair[1].window_millis());
        let head = (1..=64).contains(&self.head_steps)
            && tiers.first().is_some_and(|tier| tier.window_steps % self.head_steps == 0);
        if nested && reach && head && tiers.len() <= MAX_TIERS { Ok(()) } else { Err(OpenError::Options) }
    }

    pub(super) fn step_of(&self, unix_millis: u64) -> u64 {
        unix_millis / self.tiers[0].step_millis
    }

    pub(super) fn head_millis(&self) -> u64 {
        self.tiers[0].step_millis * u64::from(self.head_steps)
    }

    /// What a volume must have been made with.
    pub(super) fn format(&self) -> Vec<u8> {
        let mut bytes = self.head_steps.to_le_bytes().to_vec();
        for tier in &self.tiers {
            bytes.extend_from_slice(&tier.step_millis.to_le_bytes());
            bytes.extend_from_slice(&tier.window_steps.to_le_bytes());
        }
        bytes
    }
}

const MAX_TIERS: usize = 8;
