//! The kernels for a worker: compute.wasm.
