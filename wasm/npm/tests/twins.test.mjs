// What exists in JavaScript and in core decides the same: both sides are held to the same answers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { twins } from './twins.mjs';

const lines = await twins();

describe('the twin of core', () => {
  for (const [name, digests] of Object.entries(lines)) {
    it(`for ${name} answers as wasm/flow/fixtures/${name}.txt`, () => {
      assert.equal(`${digests.join('\n')}\n`, readFileSync(join(process.env.QUILLWORK_TWINS, `${name}.txt`), 'utf8'));
    });
  }
});
