import { EmbeddedModule, type EmbeddedCore, type EmbeddedExports } from './embedded.js';
import { HARDWARE_WASM } from './hardware-wasm.js';

/** The exports of `hardware.wasm`; what they do is written in `wasm/hardware/src/hardware.rs`. */
export interface HardwareModule extends EmbeddedExports {
  hardware_generate(): number;
}

const embedded = /* @__PURE__ */ new EmbeddedModule<HardwareModule>('hardware.wasm', HARDWARE_WASM);

/** The instance, made when a configuration is first asked for. Throws `ERR_WASM_LOAD` where a page forbids WebAssembly. */
export function hardwareCore(): EmbeddedCore<HardwareModule> {
  return embedded.core();
}
