//! The kernels for a worker: compute.wasm.
//!
//! A thin wrapper of `quillwork-compute` for JavaScript. Loads in a dedicated worker, where WebGPU is used if the browser
//! offers it, and in Node, where everything runs on the CPU twin. Numbers cross as `Float32Array`; each call copies its operands in
//! and its result out, so that the result can be transferred. Whatever fails rejects the promise with an `Error` that has
//! a stable `code`:
//!
//! | `code` | when |
//! |---|---|
//! | `ERR_SHAPE` | a size is zero, negative or fractional, or an array doesn't fit the sizes |
//! | `ERR_TOO_LARGE` | a matrix doesn't fit the memory |
//! | `ERR_INVALID_ARGUMENT` | an argument or option is of the wrong type, or unknown |

// wasm-bindgen's generated glue needs it.
#![allow(unsafe_code, reason = "wasm-bindgen expands to unsafe glue; none is written by hand here")]

mod arguments;
mod compute;
mod error;
mod report;
mod types;

pub use compute::JsCompute;
