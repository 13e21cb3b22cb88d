/** `hardware.wasm`, a character from 0 to 255 for each byte, as `scripts/build.mjs` writes it. */
export const HARDWARE_WASM: string;
