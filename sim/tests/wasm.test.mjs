// The WASM build of core decides what the native one decides, bit for bit, over the same simulated lives.
//
//   cargo build -p quillwork-sim --example fingerprint --profile wasm --target wasm32-unknown-unknown
//   QUILLWORK_SIM_WASM=<target dir>/wasm32-unknown-unknown/wasm/examples/fingerprint.wasm node --test sim/tests/

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

const wasm = process.env.QUILLWORK_SIM_WASM;

test('core decides the same in WASM', { skip: !wasm && 'QUILLWORK_SIM_WASM names no build of the example' }, async () => {
  const written = await readFile(new URL('./fingerprint.txt', import.meta.url), 'utf8');
  const { instance } = await WebAssembly.instantiate(await readFile(wasm));
  const fingerprint = BigInt.asUintN(64, instance.exports.fingerprint());
  assert.equal(fingerprint.toString(16).padStart(16, '0'), written.trim());
});
