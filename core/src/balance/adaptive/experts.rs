//! What is mixed by default, and how much each is believed before anything was seen.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Adaptive, AdaptiveConfig, Expert};
use crate::balance::Strategy;
use crate::balance::strategies::{
    CapabilityBased, LeastLoaded, PeakEwma, PerformanceBased, ShortestExpectedDelay,
};

impl Expert {
    /// The strategies of this crate that look at every worker, with priors that queueing theory gives: with exact loads
    /// the shortest expected delay is hard to beat, and least loaded is as good where all workers are alike.
    ///
    /// | strategy | prior |
    /// |---|---|
    /// | shortest expected delay | 0.5 |
    /// | least loaded | 0.2 |
    /// | Peak-EWMA | 0.2 |
    /// | performance based | 0.05 |
    /// | capability based | 0.05 |
    ///
    /// Left out are those that choose by chance or by turns: they have no opinion that could be mixed.
    #[must_use]
    pub fn standard() -> Vec<Self> {
        let expert = |strategy: Box<dyn Strategy>, prior| Self { strategy, prior };
        alloc::vec![
            expert(Box::<ShortestExpectedDelay>::default(), 0.5),
            expert(Box::new(LeastLoaded), 0.2),
            expert(Box::new(PeakEwma), 0.2),
            expert(Box::<PerformanceBased>::default(), 0.05),
            expert(Box::new(CapabilityBased), 0.05),
        ]
    }
}

impl Default for Adaptive {
    /// The standard experts and settings.
    fn default() -> Self {
        Self::new(AdaptiveConfig::default(), Expert::standard()).expect("the defaults are sound")
    }
}
