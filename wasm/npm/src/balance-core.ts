import type { BalanceExports, RegistryExports } from './balance/exports.js';
import { EmbeddedModule, type EmbeddedCore, type EmbeddedExports } from './embedded.js';
import { BALANCE_WASM } from './balance-wasm.js';

/** The exports of `balance.wasm`. */
export type BalanceModule = EmbeddedExports & BalanceExports & RegistryExports;
/** An instance of it. */
export type BalanceCore = EmbeddedCore<BalanceModule>;

const embedded = /* @__PURE__ */ new EmbeddedModule<BalanceModule>('balance.wasm', BALANCE_WASM);

/** The instance that all balancers and registries share, made when the first is. Throws `ERR_WASM_LOAD` where a page forbids WebAssembly. */
export function balanceCore(): BalanceCore {
  return embedded.core();
}
