import { known, whole } from '../checks.js';
import { MAX_CONCURRENCY } from '../runtime/options.js';
import type { OfferNames } from './capabilities.js';
import type { PoolSettings } from './settings.js';

/** What a worker offers to tasks. */
export interface WorkerOffer {
  /** What it can do beside the others; the first worker carries `gpu` too, unless the option `gpu` is `false`. Default: nothing. */
  readonly capabilities?: readonly string[];
  /** How many tasks it runs at a time. Default: the option `concurrency`. */
  readonly concurrency?: number;
  /** Where it is, for tasks that prefer a region. Default: nowhere in particular. */
  readonly region?: string;
}

/** A worker's offer as the core takes it. */
export interface Offer {
  readonly capabilities: number;
  readonly capacity: number;
  /** Counted from 1; 0 for none. */
  readonly region: number;
}

/** What each worker of a pool offers. Throws `ERR_INVALID_OPTION` with the worker's number. */
export function offers(
  settings: PoolSettings,
  names: OfferNames,
  describe: (worker: number) => WorkerOffer = () => ({}),
): readonly Offer[] {
  return Array.from({ length: settings.workers }, (_, worker) => {
    const offered = known(`\`offer(${worker})\``, describe(worker), 'capabilities concurrency region');
    const { capabilities = [], concurrency = settings.concurrency, region } = offered;
    const own = worker === 0 && settings.gpu ? ['gpu', ...capabilities] : capabilities;
    return {
      capabilities: names.bits(own),
      capacity: whole(`offer(${worker}).concurrency`, concurrency, 1, MAX_CONCURRENCY),
      region: region === undefined ? 0 : names.region(region),
    };
  });
}
