//! [`quillwork_sim::fingerprint`] as a bare WASM export, to be compared with the native one by `tests/wasm.test.mjs`.

/// The fingerprint of this build.
#[expect(unsafe_code, reason = "an export needs its plain name; no other symbol in this library has it")]
#[unsafe(no_mangle)]
pub extern "C" fn fingerprint() -> u64 {
    quillwork_sim::fingerprint()
}
