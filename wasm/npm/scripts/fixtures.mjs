// Writes protocol/fixtures/ from this package's encoder, and wasm/flow/fixtures/ from its twins of core: `npm run fixtures`. Tests on both
// sides hold to these files; write them anew only where the protocol itself, or what a twin decides, has changed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.env.QUILLWORK_SOURCE = join(root, 'src');
const { source } = await import('../tests/source.mjs');
const { hiddenSample, page, visibleSample } = await import('../tests/wire-samples.mjs');
const { twins } = await import('../tests/twins.mjs');
const { encodeBatch, encodeBatchMessage, encodeHello } = await source('telemetry/wire');

const folder = resolve(root, '../../protocol/fixtures');
mkdirSync(folder, { recursive: true });
const write = (name, text) => writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(JSON.parse(text), null, 2)}\n`);

write('hello-page', encodeHello(page, 'a token'));
write(
  'batch',
  encodeBatchMessage(
    page,
    { batchId: '00112233445566778899aabbccddeeff', sequence: 7, samples: [visibleSample], droppedSamples: 3 },
    1_760_000_000_500,
    false,
  ),
);
write(
  'batch-hidden',
  encodeBatch(
    page,
    { batchId: 'ffeeddccbbaa99887766554433221100', sequence: 8, samples: [hiddenSample], droppedSamples: 0 },
    1_760_000_001_500,
    true,
  ),
);

const twinFolder = resolve(root, '../flow/fixtures');
mkdirSync(twinFolder, { recursive: true });
for (const [name, digests] of Object.entries(await twins())) {
  writeFileSync(join(twinFolder, `${name}.txt`), `${digests.join('\n')}\n`);
}
