/** `balance.wasm`, a character from 0 to 255 for each byte, as `scripts/build.mjs` writes it. */
export const BALANCE_WASM: string;
