//! Buffers of one device: reused, within a byte budget, and destroyed explicitly.
//!
//! In a browser a dropped buffer lives on until the garbage collector comes by, and the collector doesn't feel the weight of
//! GPU memory. So nothing here relies on drop alone.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;

/// Bytes that a buffer takes in the pool: at most a quarter more than asked for, so that similar sizes share buffers.
pub(crate) fn size_class(bytes: u64) -> u64 {
    let step = (bytes.next_power_of_two() / 8).max(SMALLEST_BYTES);
    bytes.max(1).next_multiple_of(step)
}

/// A pool with a byte budget.
#[derive(Debug, Clone)]
pub(crate) struct BufferPool(Arc<Mutex<State>>);

impl BufferPool {
    #[cfg_attr(
        target_arch = "wasm32",
        expect(
            clippy::arc_with_non_send_sync,
            reason = "in a browser a device stays in its worker; natively it is shared"
        )
    )]
    pub(crate) fn new(budget_bytes: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            budget_bytes,
            reserved_bytes: 0,
            idle_bytes: 0,
            idle: VecDeque::new(),
            waiting: VecDeque::new(),
        })))
    }

    /// Waits until `bytes` are free of other calls. First come, first served, so that a large call isn't starved by small ones.
    ///
    /// The caller sees to it that `bytes` is within the budget; its plan does.
    pub(crate) async fn reserve(&self, bytes: u64) -> Reservation {
        let turn = {
            let mut state = self.lock();
            assert!(bytes <= state.budget_bytes, "a plan stays within the budget");
            if state.waiting.is_empty() && state.reserved_bytes + bytes <= state.budget_bytes {
                state.reserved_bytes += bytes;
                return Reservation { pool: self.clone(), bytes };
            }
            let (grant, turn) = oneshot::channel();
            state.waiting.push_back(Waiting { bytes, grant });
            turn
        };
        turn.await.expect("the pool grants every reservation before it goes: the caller holds the pool")
    }

    /// Bytes held, in use or idle.
    pub(crate) fn held_bytes(&self) -> u64 {
        let state = self.lock();
        state.reserved_bytes + state.idle_bytes
    }

    /// Destroys what is idle.
    pub(crate) fn clear(&self) {
        let mut state = self.lock();
        state.idle_bytes = 0;
        for idle in state.idle.drain(..) {
            idle.destroy();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the counts as they were: each change is a single assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to hold buffers of some size. Dropping it lets the next caller in.
#[derive(Debug)]
pub(crate) struct Reservation {
    pool: BufferPool,
    bytes: u64,
}

impl Reservation {
    /// A buffer with room for `bytes`, reused if one of its size and usage is idle.
    ///
    /// Its contents are whatever they were.
    pub(crate) fn buffer(&self, device: &wgpu::Device, usage: wgpu::BufferUsages, bytes: u64) -> Lease {
        let size = size_class(bytes);
        let mut state = self.pool.lock();
        if let Some(position) =
            state.idle.iter().position(|idle| idle.size() == size && idle.usage() == usage)
        {
            state.idle_bytes -= size;
            let buffer = state.idle.remove(position).expect("the position was just found");
            return Lease { buffer, pool: self.pool.clone(), reusable: false };
        }
        state.make_room();
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("matmul"),
            size,
            usage,
            mapped_at_creation: false,
        });
        Lease { buffer, pool: self.pool.clone(), reusable: false }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.reserved_bytes -= self.bytes;
        let granted = state.grant();
        state.make_room();
        drop(state);
        for Waiting { bytes, grant } in granted {
            // A caller that went away meanwhile gives its reservation back by dropping it.
            drop(grant.send(Self { pool: self.pool.clone(), bytes }));
        }
    }
}

/// A buffer in use. It goes back to the pool if it was declared reusable, and is destroyed otherwise.
#[derive(Debug)]
pub(crate) struct Lease {
    buffer: wgpu::Buffer,
    pool: BufferPool,
    reusable: bool,
}

impl Lease {
    pub(crate) fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }

    /// Declares that no command and no mapping uses the buffer any more, and gives it back.
    pub(crate) fn give_back(mut self) {
        self.reusable = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.reusable {
            self.buffer.destroy();
            return;
        }
        let mut state = self.pool.lock();
        state.idle_bytes += self.buffer.size();
        state.idle.push_back(self.buffer.clone());
    }
}

#[derive(Debug)]
struct State {
    budget_bytes: u64,
    /// Promised to calls under way, whether or not their buffers exist yet.
    reserved_bytes: u64,
    idle_bytes: u64,
    /// Least recently used first.
    idle: VecDeque<wgpu::Buffer>,
    waiting: VecDeque<Waiting>,
}

impl State {
    /// Destroys idle buffers, the least recently used first, until all fit the budget.
    fn make_room(&mut self) {
        while self.reserved_bytes + self.idle_bytes > self.budget_bytes {
            let Some(idle) = self.idle.pop_front() else { break };
            self.idle_bytes -= idle.size();
            idle.destroy();
        }
    }

    fn grant(&mut self) -> Vec<Waiting> {
        let mut granted = Vec::new();
        while let Some(next) = self.waiting.front() {
            if !next.grant.is_canceled() {
                if self.reserved_bytes + next.bytes > self.budget_bytes {
                    break;
                }
                self.reserved_bytes += next.bytes;
                granted.extend(self.waiting.pop_front());
            } else {
                self.waiting.pop_front();
            }
        }
        granted
    }
}

#[derive(Debug)]
struct Waiting {
    bytes: u64,
    grant: oneshot::Sender<Reservation>,
}

/// Drivers hand out memory in pages or in blocks of this size anyway.
const SMALLEST_BYTES: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    fn poll(future: Pin<&mut impl Future<Output = Reservation>>) -> Option<Reservation> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(reservation) => Some(reservation),
            Poll::Pending => None,
        }
    }

    #[test]
    fn reservations_wait_their_turn_and_a_large_one_is_not_starved() {
        let pool = BufferPool::new(100);
        let first = poll(pin!(pool.reserve(60))).expect("the pool is empty");
        let mut large = pin!(pool.reserve(90));
        assert!(poll(large.as_mut()).is_none());
        // It would fit now, but the large one came first.
        let mut small = pin!(pool.reserve(10));
        assert!(poll(small.as_mut()).is_none());
        drop(first);
        let large = poll(large.as_mut()).expect("its turn has come");
        let small = poll(small.as_mut()).expect("there is room beside it");
        assert_eq!(pool.held_bytes(), 100);
        drop((large, small));
        assert_eq!(pool.held_bytes(), 0);
    }

    #[test]
    fn a_caller_that_goes_away_gives_its_place_back() {
        let pool = BufferPool::new(100);
        let first = poll(pin!(pool.reserve(100))).expect("the pool is empty");
        {
            let mut left = pin!(pool.reserve(50));
            assert!(poll(left.as_mut()).is_none());
            let mut granted = pin!(pool.reserve(50));
            assert!(poll(granted.as_mut()).is_none());
            drop(first);
            assert_eq!(pool.held_bytes(), 100);
        }
        assert_eq!(pool.held_bytes(), 0);
    }

    proptest! {
        #[test]
        fn size_classes_waste_at_most_a_quarter(bytes in 1_u64..1 << 40) {
            let class = size_class(bytes);
            prop_assert!(class >= bytes && class.is_multiple_of(SMALLEST_BYTES));
            prop_assert!(class <= bytes + bytes / 4 + SMALLEST_BYTES);
            prop_assert_eq!(size_class(class), class);
        }
    }
}
