import type { FlowExports } from './flow/exports.js';
import { EmbeddedModule, type EmbeddedCore, type EmbeddedExports } from './embedded.js';
import { FLOW_WASM } from './flow-wasm.js';

/** The exports of `flow.wasm`. */
export type FlowModule = EmbeddedExports & FlowExports;
/** An instance of it. */
export type FlowCore = EmbeddedCore<FlowModule>;

const embedded = /* @__PURE__ */ new EmbeddedModule<FlowModule>('flow.wasm', FLOW_WASM);

/** The instance that all policies and sketches share, made when the first is. Throws `ERR_WASM_LOAD` where a page forbids WebAssembly. */
export function flowCore(): FlowCore {
  return embedded.core();
}
