/** `policy.wasm` in base64. The package's build writes this module. */
export const POLICY_WASM: string;
