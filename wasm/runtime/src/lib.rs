//! The core for the page: `runtime.wasm`.
//!
//! The page keeps payloads, promises and workers by id; this module keeps the decisions. Raw exports and plain numbers
//! instead of generated bindings, because a call on the hot path costs a few nanoseconds this way.
//!
//! # Conventions
//!
//! * The module imports nothing. Time is the argument `now`: milliseconds since an origin of the page's choice, never
//!   backwards. Durations are milliseconds; infinity is "no limit".
//! * Pools and caches are named by handles, counted from 1. 0 says that the settings were refused; why is readable as text.
//! * A task's id is chosen by the page: a slot, dense and below 2^24, in the low 24 bits, and a counter above, so that an id
//!   names a new task each time its slot is used again.
//! * **Each input hands in one thing that happened, and puts what to do about it into the words.** It returns the number of
//!   records there. Where that is [`slots::MAX_RECORDS`] there may be more, which [`abi::pool::pool_drain`] fetches: all must
//!   be fetched before the next input. Every input leaves the next deadline (or infinity) in float 0.
//! * What one message of a worker says about its tasks is handed in with one call: [`abi::pool::pool_answers`]. Each answer is an
//!   input of its own all the same.
//! * Nothing calls back into JavaScript, so nothing re-enters. A call from inside another is a fault of the page and
//!   panics.
//!
//! # Memory
//!
//! [`abi::words_ptr`] and [`abi::floats_ptr`] never move; the page looks through cached views, which it makes anew where the
//! memory has grown.
//!
//! A record is five words: `[tag, task, worker, generation, detail]`.
//!
//! | tag | means | task | worker, generation | detail |
//! |---|---|---|---|---|
//! | 1 | spawn | | yes | |
//! | 2 | terminate | | yes | 1 lost, 2 boot time-out, 3 silent, 4 ignored abort, 5 closing, 6 retired, 7 recycled |
//! | 3 | dispatch | yes | yes | attempt, from 1 |
//! | 4 | abort running | yes | yes | |
//! | 5 | probe | | yes | |
//! | 6 | settle | yes | in `worker`: the settlement | what belongs to it |
//! | 7 | closed | | | |
//! | 8 | take back | yes | yes | |
//! | 9 | resize | | in `worker`: from, in `generation`: to | 1 queue, 2 stranded, 3 saturated, 4 minimum, 5 idle, 6 CPU |
//! | 10 | pressure | in `task`: the action | in `worker`: what belongs to it | 1 memory, 2 CPU, 3 memory unknown, 4 CPU unknown |
//! | 11 | retry | yes | | after how many milliseconds |
//! | 12 | parked outside a full queue | yes | | |
//! | 13 | admitted from outside | yes | | |
//! | 14 | queue saturated | | | how many tasks wait in it |
//! | 15 | queue drained | | | how many tasks wait in it |
//! | 16 | ask the strategy | | | |
//!
//! Retries come out for tasks with more than one attempt only, parked and admitted ones in a pool whose overflow policy is to
//! wait. Who reads no record of a tag is to skip it.
//!
//! | settlement | means | detail |
//! |---|---|---|
//! | 1 | completed | |
//! | 2 | failed | how often it was dispatched |
//! | 3 | aborted | |
//! | 4 | timed out | |
//! | 5 | expired in the queue | |
//! | 6 | worker lost | how often it was dispatched |
//! | 7 | refused: queue full | the limit |
//! | 8 | refused: no capable worker | what is missing, as a bit set |
//! | 9 | refused: no worker starts | how many places have none |
//! | 10 | refused: closing | |
//! | 11 | closed | |
//! | 12 | refused: too large for every worker | the largest capacity |
//! | 13 | refused: shed for the sake of memory | the lowest priority that is spared |
//! | 14 | dropped from a full queue | |
//! | 15 | refused: too many wait outside a full queue | the limit |
//! | 16 | refused: it bans every worker that could run it | how many could |
//!
//! | action | means | in `worker` |
//! |---|---|---|
//! | 1, 2 | warn, end of it | |
//! | 3, 4 | shrink caches, restore them | |
//! | 5, 6 | stop growth, resume it | |
//! | 7, 8 | shed, stop it | the lowest priority that is spared |
//! | 9, 10 | limit workers, lift it | how many |
//!
//! Caches answer through the floats alone: see [`abi::cache`].
//!
//! # Faults
//!
//! A panic traps, and says nothing more: the trap's stack holds the place. The instance's state is unknown then, so that the page must
//! ask it nothing else.
//!
//! # Two builds
//!
//! `runtime.wasm` is what most pages need, in little more than half the size: its pools bind late, and can't be recorded. With the feature
//! `full`, which is on by default, it is `runtime-full.wasm`, which the page loads where one of the two is asked for. What both can do they
//! decide alike.

#![no_std]

extern crate alloc;

pub mod abi;
pub mod driver;
pub mod recording;
pub mod records;
pub mod settings;
pub mod slots;

pub use quillwork_abi::clock;
