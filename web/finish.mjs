// Trunk's last step (see Trunk.toml): takes the names of functions out of the WebAssembly, which only a debugger
// reads, and puts compressed copies beside each file for the host to send. wasm-bindgen could remove the names, but
// Trunk 0.21 has no way to tell it to.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const CUSTOM_SECTION = 0;

/** The module without its section `name` (WebAssembly core specification, appendix "Name Section"). */
function withoutNames(module) {
  const header = 8;
  const kept = [module.subarray(0, header)];
  for (let at = header; at < module.length;) {
    const size = unsigned(module, at + 1);
    const end = size.next + size.value;
    if (module[at] !== CUSTOM_SECTION || sectionName(module, size.next) !== 'name') kept.push(module.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

function sectionName(module, at) {
  const length = unsigned(module, at);
  return module.toString('utf8', length.next, length.next + length.value);
}

/** An unsigned LEB128 number, and where it ends. */
function unsigned(bytes, at) {
  for (let value = 0, shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: at };
  }
}

async function finish(directory) {
  const names = (await readdir(directory)).filter((name) => /\.(css|html|js|svg|wasm)$/.test(name));
  await Promise.all(names.map(async (name) => {
    const path = join(directory, name);
    let bytes = await readFile(path);
    if (name.endsWith('.wasm')) {
      bytes = withoutNames(bytes);
      await writeFile(path, bytes);
    }
    const brotli = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
    await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, brotli));
    await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }));
  }));
}

// A debug build keeps the names and skips the compression.
if (process.env.TRUNK_PROFILE === 'release') await finish(process.env.TRUNK_STAGING_DIR);
