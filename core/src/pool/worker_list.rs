//! A few workers, kept with a task.

use core::error::Error;
use core::fmt;

use crate::ids::WorkerId;

use super::PoolConfig;

/// Up to [`WorkerList::MOST`] places of a pool, in the order given and none twice, in 18 bytes and without an allocation.
///
/// ```
/// use quillwork_core::ids::WorkerId;
/// use quillwork_core::pool::WorkerList;
///
/// let warm = WorkerList::new(&[WorkerId::new(2), WorkerId::new(5)])?;
/// assert!(warm.contains(WorkerId::new(5)) && !warm.contains(WorkerId::new(0)));
/// # Ok::<(), quillwork_core::pool::WorkerListError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct WorkerList {
    /// Zero from `len` on, so that equal lists are equal.
    places: [u16; Self::MOST],
    len: u8,
}

impl WorkerList {
    /// The longest list.
    pub const MOST: usize = 8;
    /// Nobody.
    pub const NONE: Self = Self { places: [0; Self::MOST], len: 0 };

    /// From ids; what stands there twice counts once. A place that the pool doesn't have is allowed, and never meets
    /// anybody.
    ///
    /// # Errors
    ///
    /// Where there are more than [`WorkerList::MOST`], or one that no pool has.
    pub fn new(workers: &[WorkerId]) -> Result<Self, WorkerListError> {
        let mut list = Self::NONE;
        for &worker in workers.iter() {
            if worker.get() >= PoolConfig::MAX_WORKERS {
                return Err(WorkerListError::NoSuchPlace { worker });
            }
            if list.contains(worker) {
                continue;
            }
            if list.len() == Self::MOST {
                return Err(WorkerListError::TooMany);
            }
            list.push(worker);
        }
        Ok(list)
    }

    /// Whether the worker is on it.
    #[must_use]
    pub fn contains(&self, worker: WorkerId) -> bool {
        self.iter().any(|listed| listed == worker)
    }

    /// The workers on it, in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = WorkerId> + use<> {
        self.places.into_iter().take(self.len()).map(|place| WorkerId::new(place.into()))
    }

    /// How many they are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether nobody is on it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a worker as the last. Where the list is full, the first makes room for it.
    pub(super) fn push_last(&mut self, worker: WorkerId) {
        let mut others = Self::NONE;
        let kept = usize::from(self.len() == Self::MOST && !self.contains(worker));
        self.iter().skip(kept).filter(|&listed| listed != worker).for_each(|listed| others.push(listed));
        others.push(worker);
        *self = others;
    }

    /// The last one alone.
    pub(super) fn last_only(&self) -> Self {
        let mut last = Self::NONE;
        if let Some(worker) = self.iter().last() {
            last.push(worker);
        }
        last
    }

    fn push(&mut self, worker: WorkerId) {
        self.places[self.len()] = u16::try_from(worker.get()).expect("a pool has at most 1,024 places");
        self.len += 1;
    }
}

impl fmt::Debug for WorkerList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Why a list of workers can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkerListError {
    /// More than [`WorkerList::MOST`].
    TooMany,
    /// An id beyond [`PoolConfig::MAX_WORKERS`].
    NoSuchPlace {
        /// The id.
        worker: WorkerId,
    },
}

impl fmt::Display for WorkerListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => {
                let most = WorkerList::MOST;
                write!(
                    f,
                    "a task names at most {most} workers: give the workers a capability or a region instead"
                )
            }
            Self::NoSuchPlace { worker } => {
                write!(f, "no pool has a worker {worker}: ids are below {}", PoolConfig::MAX_WORKERS)
            }
        }
    }
}

impl Error for WorkerListError {}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn list(ids: &[u32]) -> Result<WorkerList, WorkerListError> {
        WorkerList::new(&ids.iter().map(|&id| WorkerId::new(id)).collect::<Vec<_>>())
    }

    #[test]
    fn a_list_holds_each_worker_once() {
        assert_eq!(list(&[3, 1, 3]), list(&[3, 1]));
        assert_eq!(list(&[0; 100]).map(|list| list.len()), Ok(1));
        assert_eq!(list(&[0, 1, 2, 3, 4, 5, 6, 7, 8]), Err(WorkerListError::TooMany));
        assert_eq!(list(&[1_024]), Err(WorkerListError::NoSuchPlace { worker: WorkerId::new(1_024) }));
    }

    #[test]
    fn the_newest_stay() {
        let mut newest = list(&[0, 1, 2, 3, 4, 5, 6, 7]).unwrap();
        newest.push_last(WorkerId::new(2));
        assert_eq!(Ok(newest), list(&[0, 1, 3, 4, 5, 6, 7, 2]));
        newest.push_last(WorkerId::new(9));
        assert_eq!(Ok(newest), list(&[1, 3, 4, 5, 6, 7, 2, 9]));
        assert_eq!(Ok(newest.last_only()), list(&[9]));
    }
}
