import { optional } from './options.js';

/** The layers of a stack, each as `flow.wasm` reads it; what is left out is absent. */
export interface StackLayers {
  readonly fallback?: boolean;
  /** Of the whole call, in milliseconds. */
  readonly total?: number;
  /** Of each attempt, in milliseconds. */
  readonly execution?: number;
  readonly retry?: readonly number[] | undefined;
  readonly budget?: readonly number[] | undefined;
  readonly breaker?: readonly number[] | undefined;
  readonly hedge?: readonly number[] | undefined;
  readonly rate?: readonly number[] | undefined;
  readonly bulkhead?: readonly number[] | undefined;
  readonly adaptive?: readonly number[] | undefined;
}

/** A stack's settings in the order in which `flow.wasm` reads them, which is the order in which a call meets its layers. */
export function stackSettings(layers: StackLayers): readonly number[] {
  const { fallback = false, total = Infinity, execution = Infinity } = layers;
  return [
    fallback ? 1 : 0,
    total,
    execution,
    ...optional(layers.retry, (retry) => retry),
    ...optional(layers.budget, (budget) => budget),
    ...optional(layers.breaker, (breaker) => breaker),
    ...optional(layers.hedge, (hedge) => hedge),
    ...optional(layers.rate, (rate) => rate),
    ...(layers.bulkhead !== undefined ? [1, ...layers.bulkhead] : layers.adaptive !== undefined ? [2, ...layers.adaptive] : [0]),
  ];
}
