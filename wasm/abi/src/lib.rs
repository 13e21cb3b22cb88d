//! What the modules that the package embeds have in common: `flow.wasm` (`wasm/flow`), `balance.wasm` (`wasm/balance`) and `hardware.wasm`
//! (`wasm/hardware`); of it `runtime.wasm` (`wasm/runtime`) has the clock, the text, and what stands in for the standard library: none of them links that.
//!
//! The package makes an instance of each when the first thing of it is made, so that `circuitBreaker()` or `new LoadBalancer()` work
//! at once, without a file to load, and who uses one of them doesn't load the other. JavaScript keeps functions, promises and timers;
//! the modules keep the decisions.
//!
//! # Conventions
//!
//! * A module imports nothing. Time is the argument `now`: milliseconds since an origin of the caller's choice. Durations are
//!   milliseconds; infinity is "no limit". Each thing may have a clock of its own.
//! * Things are named by handles, counted from 1, until they are freed. 0 says that the settings were refused; why is readable as
//!   text. A handle is used again after it was freed.
//! * **Only numbers cross**, in arguments or in the floats: `floats_ptr` says where they are, [`slots::FLOATS`] how many there
//!   are at least, and `floats_reserve` makes room for more, which moves them. Settings and snapshots are written there before
//!   the call that reads them; answers are read there after it.
//! * An input of what takes its time puts into the floats what to do: float 0 is the next deadline (or infinity), from float 1 on are
//!   records of [`slots::RECORD`] floats. It returns how many. Where that is [`slots::MAX_RECORDS`] there may be more, which the same
//!   thing's `drain` fetches before the next input.
//! * Nothing calls back into JavaScript, so nothing re-enters. A call from inside another is a fault of the caller and panics.
//!
//! [`module`](crate::module!) writes the exports that each module has; the others stand in the modules, with what each takes and
//! answers.
//!
//! # Faults
//!
//! A panic traps, and says nothing more: the trap's stack holds the place. The instance's state is unknown then, so that the caller must
//! ask it nothing else and makes a new one for what is made from then on.

#![no_std]

extern crate alloc;
#[cfg(not(target_family = "wasm"))]
extern crate std;

pub mod clock;
#[cfg(target_family = "wasm")]
mod fault;
pub mod handles;
pub mod kept;
mod module;
pub mod settings;
pub mod slots;
pub mod text;
