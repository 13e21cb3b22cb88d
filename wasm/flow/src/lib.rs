//! Flow control for JavaScript: `flow.wasm`. What its exports have in common is written in [`quillwork_abi`], what each takes and
//! answers beside it.
#![expect(
    unsafe_code,
    reason = "exporting a function under its own name needs `unsafe(no_mangle)`; the names are unique in the module"
)]
#![no_std]

extern crate alloc;

pub mod batch;
pub mod breaker;
pub mod budget;
pub mod executor;
mod quantiles;
mod shared_stack;
pub mod sketch;
pub mod stack;
mod stack_records;
mod stack_settings;
pub mod state;
