/** `flow.wasm`, a character from 0 to 255 for each byte. The package's build writes this module. */
export const FLOW_WASM: string;
