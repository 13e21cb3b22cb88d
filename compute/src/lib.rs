//! Compute kernels: WGSL through wgpu, and a CPU twin of each.
//!
//! One crate for native programs and for WebAssembly in a browser's worker. [`Compute`] picks the device: the GPU if there is
//! one and it keeps working, the [CPU twin](cpu) otherwise, and each [`Outcome`] tells which it was and why. What a
//! caller gets wrong is a [`ComputeError`]; what goes wrong with a GPU never is.
//!
//! | kernel | GPU | CPU twin |
//! |---|---|---|
//! | `f32` matrix product, [`Compute::matmul`] | tiles in shared memory, blocks in registers | [`cpu::matmul`]: the bits of three nested loops, in cache-sized blocks |
//! | similarity of all pairs, [`Compute::cosine_similarity`] | the matrix product | the matrix product |
//!
//! GPU memory is pooled within a byte budget and destroyed explicitly, because a browser frees nothing on drop. Products that
//! exceed the budget, a binding, or what a driver's watchdog puts up with are computed block by block.
//!
//! Natively the environment variables of wgpu apply, such as `WGPU_BACKEND=vulkan` to choose the API.

pub mod accuracy;
mod compute;
pub mod cpu;
mod error;
mod gpu;
mod outcome;
mod shape;
mod similarity;

pub use compute::{
    Compute, DEFAULT_BUDGET_BYTES, Device, MAX_REACQUIRES, Options, Preference, WORTHWHILE_FLOPS,
};
pub use error::{ComputeError, Operand};
pub use outcome::{Adapter, CpuReason, Outcome, RanOn};
pub use shape::Shape;
