//! Configurations from hardware for JavaScript: `hardware.wasm`. What its exports have in common is written in [`quillwork_abi`].
#![expect(
    unsafe_code,
    reason = "exporting a function under its own name needs `unsafe(no_mangle)`; the names are unique in the module"
)]
#![no_std]

extern crate alloc;

mod given;
pub mod hardware;
mod words;
