//! Balancing for JavaScript: `balance.wasm`. What its exports have in common is written in [`quillwork_abi`], what each takes and
//! answers beside it.
#![expect(
    unsafe_code,
    reason = "exporting a function under its own name needs `unsafe(no_mangle)`; the names are unique in the module"
)]
#![no_std]

extern crate alloc;

pub mod balance;
mod balancing;
pub mod registry;
pub mod state;
