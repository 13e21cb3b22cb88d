import { describe, QuillworkError } from '../errors.js';
import { readNodeFile } from '../node.js';

/** A compiled `WebAssembly.Module`. */
export type CompiledModule = object;

/** Where a WebAssembly module comes from: its address, its bytes, or itself compiled. */
export type WasmSource = URL | string | ArrayBuffer | ArrayBufferView | CompiledModule;

/** Compiles the module called `name`. Throws `ERR_WASM_LOAD` with its address. */
export async function loadModule(name: string, source: WasmSource): Promise<CompiledModule> {
  if (source instanceof WebAssembly.Module) {
    return source;
  }
  try {
    if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
      return await WebAssembly.compile(source as BufferSource);
    }
    return await fetchModule(resolve(String(source)));
  } catch (thrown) {
    const from = source instanceof ArrayBuffer || ArrayBuffer.isView(source) ? 'the bytes given' : String(source);
    throw new QuillworkError(
      'ERR_WASM_LOAD',
      `could not load ${name} from ${from} (${describe(thrown)}). Check that it is served there, or say where with the option \`wasm\`; a Content-Security-Policy must allow 'wasm-unsafe-eval'`,
      { cause: thrown },
    );
  }
}

async function fetchModule(url: URL): Promise<WebAssembly.Module> {
  const file = url.protocol === 'file:' ? readNodeFile(url) : undefined;
  if (file !== undefined) {
    return WebAssembly.compile(await file);
  }
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`status ${response.status}`);
  }
  // Streaming compiles while it loads, but insists on the media type, which small static servers get wrong.
  return response.headers.get('content-type')?.startsWith('application/wasm') === true
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}

function resolve(address: string): URL {
  return new URL(address, (globalThis as { document?: { baseURI: string } }).document?.baseURI ?? import.meta.url);
}
