//! The strategies that come with the balancer, one in each file.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use super::Strategy;

mod least_loaded;
mod random;
mod round_robin;

pub use least_loaded::LeastLoaded;
pub use random::Random;
pub use round_robin::RoundRobin;

/// One of each.
pub(super) fn built_in() -> Vec<Box<dyn Strategy>> {
    vec![Box::new(LeastLoaded), Box::new(RoundRobin::new()), Box::new(Random)]
}
