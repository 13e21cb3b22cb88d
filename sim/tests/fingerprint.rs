//! Every build of core decides the same: this one here, and the WASM one in `wasm.test.mjs` beside it.

#[test]
fn this_build_decides_as_written_down() {
    let written = include_str!("fingerprint.txt").trim();
    let here = format!("{:016x}", quillwork_sim::fingerprint());
    assert_eq!(
        here, written,
        "the scheduler or the simulator decides differently than before; if that is meant, write {here} into sim/tests/fingerprint.txt"
    );
}
