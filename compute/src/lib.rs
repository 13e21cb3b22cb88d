//! Compute kernels: WGSL through wgpu, and a CPU twin of each.
