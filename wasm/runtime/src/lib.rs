//! The core for the page: runtime.wasm.
