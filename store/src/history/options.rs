//! What a history keeps, for how long, and in how much room.

use super::errors::OpenError;

/// What a history is made with. Steps and windows belong to the stored format: a volume is opened with those it was made with. The rest may differ each time: what
/// is too old or too much by then goes when there is something to write.
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
        let whole = tiers.iter().all(|tier| tier.step_millis > 0 && tier.window_steps > 0);
        let nested = whole
            && tiers.windows(2).all(|pair| {
                let [fine, coarse] = pair else { return false };
                coarse.step_millis > fine.step_millis
                    && coarse.step_millis % fine.step_millis == 0
                    && fine.window_millis() % coarse.step_millis == 0
                    && coarse.window_millis() % fine.window_millis() == 0
            });
        let alike = tiers.get(1).is_none_or(|second| second.window_millis() == tiers[0].window_millis());
        let head = (1..=64).contains(&self.head_steps)
            && tiers.first().is_some_and(|tier| tier.window_steps % self.head_steps == 0);
        let sound = nested && alike && head && tiers.len() <= MAX_TIERS && self.kept_too_short().is_none();
        if sound { Ok(()) } else { Err(OpenError::Options) }
    }

    /// The number of the finest tier that is kept too short, and how long it must be kept at least: longer than the finer one, and so long that what it has is there
    /// until the coarser ones are made of it, again where late values came.
    #[must_use]
    pub fn kept_too_short(&self) -> Option<(usize, u64)> {
        let least = |number: usize| {
            let tier = self.tiers[number];
            let finest = self.tiers[0].retention_millis;
            let finer = number.checked_sub(1).map(|finer| self.tiers[finer].retention_millis);
            let coarser = self.tiers.get(number + 1).map(TierOptions::window_millis);
            let longer = finer.map_or(0, |finer| finer.saturating_add(tier.step_millis));
            let reach =
                coarser.map_or(0, |window| if number > 0 { finest.saturating_add(window) } else { window });
            tier.window_millis().max(longer).max(reach)
        };
        (0..self.tiers.len())
            .map(|number| (number, least(number)))
            .find(|(number, least)| self.tiers[*number].retention_millis < *least)
    }

    /// The same, and nothing is dropped: for who looks after a history whose bounds another knows.
    #[must_use]
    pub fn without_bounds(mut self) -> Self {
        /// Beyond every instant, and far from the end of 64 bits.
        const FOR_EVER: u64 = 1 << 56;
        for (tier, place) in self.tiers.iter_mut().zip(0..) {
            tier.retention_millis = FOR_EVER + (place << 48);
        }
        self.max_bytes = u64::MAX;
        self
    }

    /// About how many bytes so many series take once the history is as old as it gets, if they have a value in each step. Measured of gauges of a busy machine: a
    /// quiet one takes less, sketches of busy pages more.
    #[must_use]
    pub fn expected_bytes(&self, series: u64) -> u64 {
        let tiers = self.tiers.iter().zip([RAW_BYTES].into_iter().chain(std::iter::repeat(ROLLED_BYTES)));
        let of_tier = |(tier, hundredths): (&TierOptions, u64)| {
            let steps = tier.retention_millis.saturating_add(tier.window_millis()) / tier.step_millis;
            steps.saturating_mul(series).saturating_mul(hundredths) / 100
        };
        tiers.map(of_tier).fold(0, u64::saturating_add)
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
/// Hundredths of a byte that a value, and a step of several, took of 51 series of a busy Linux machine in 40 minutes (`cargo run -p quillwork-store --example
/// density -- recorded.csv`).
const RAW_BYTES: u64 = 55;
const ROLLED_BYTES: u64 = 365;
