/**
 * Matrix products in a worker: on the GPU where there is one, else on the CPU; the caller learns which and why. Nothing is loaded
 * before {@link compute} is called, so only workers that ask pay for it.
 *
 * ```ts
 * import { compute } from 'quillwork/compute';
 * import { expose } from 'quillwork/worker';
 *
 * expose({
 *   async multiply({ a, b, n }: { a: Float32Array; b: Float32Array; n: number }) {
 *     const device = await compute();
 *     return device.matmul(a, b, { m: n, k: n, n });
 *   },
 * });
 * ```
 */
import { known } from '../checks.js';
import { loadModule } from '../runtime/load.js';
import { setDevice, workerCapabilities } from '../worker/capabilities.js';
import init, { Compute as Kernels, type GlueOutcome } from './quillwork_compute_wasm.js';
import type { ComputeInfo, ComputeOptions, ComputeResult, Device } from './types.js';

export type { ComputeInfo, ComputeOptions, ComputeReasonCode, ComputeResult, Device } from './types.js';

/** The kernels of this worker. */
export interface Compute {
  /** The product of `a` (`m` x `k`, row-major) and `b` (`k` x `n`). Throws an error with `code` `ERR_SHAPE` where sizes don't fit. */
  matmul(
    a: Float32Array,
    b: Float32Array,
    size: { readonly m: number; readonly k: number; readonly n: number },
    options?: { readonly device?: Device },
  ): Promise<ComputeResult>;
  /** The cosine similarity of each pair of `count` vectors of `dim` numbers: a `count` x `count` matrix. */
  similarity(
    vectors: Float32Array,
    size: { readonly count: number; readonly dim: number },
    options?: { readonly device?: Device },
  ): Promise<ComputeResult>;
  /** The device that runs products now, or why it is the CPU. */
  info(): ComputeInfo;
  /** Destroys the GPU device, as a driver reset would: products under way complete on the CPU, later ones run there. */
  loseDevice(): void;
  /** Asks for a GPU anew. */
  reacquire(): Promise<ComputeInfo>;
}

let shared: Promise<Compute> | undefined;

/**
 * The kernels of this worker, loaded at the first call and shared by all later ones: a GPU device is not made twice.
 *
 * @throws QuillworkError `ERR_WASM_LOAD`. That there is no GPU is no error.
 */
export function compute(options: ComputeOptions = {}): Promise<Compute> {
  if (shared === undefined) {
    shared = load(options);
    // Whoever calls next may have more luck than this one.
    shared.catch(() => {
      shared = undefined;
    });
  }
  return shared;
}

async function load(options: ComputeOptions): Promise<Compute> {
  const { preference = defaultPreference(), budgetBytes, wasm } = known('compute', options, 'preference budgetBytes wasm');
  const module = await loadModule('compute.wasm', wasm ?? new URL('./compute.wasm', import.meta.url));
  await init({ module_or_path: module });
  const kernels = await Kernels.create({ preference, ...(budgetBytes === undefined ? undefined : { budgetBytes }) });
  const tell = <Value>(value: Value): Value => {
    setDevice(kernels.info());
    return value;
  };
  const product = async (operations: number, run: () => Promise<GlueOutcome>): Promise<ComputeResult> => {
    const result = await timed(operations, run);
    return result.reasonCode === 'device-lost' ? tell(result) : result;
  };
  return tell({
    matmul: async (a, b, { m, k, n }, options = {}) => {
      const { device = 'auto' } = known('matmul', options, 'device');
      return product(2 * m * k * n, () => kernels.matmul(a, b, m, k, n, device));
    },
    similarity: async (vectors, { count, dim }, options = {}) => {
      const { device = 'auto' } = known('similarity', options, 'device');
      return product(2 * count * count * dim, () => kernels.similarity(vectors, count, dim, device));
    },
    info: () => kernels.info(),
    loseDevice: () => tell(kernels.loseDevice()),
    reacquire: async () => tell(await kernels.reacquire()),
  } satisfies Compute);
}

/** One device serves all who need it: the worker that carries the capability has it. */
function defaultPreference(): 'high-performance' | 'cpu' {
  return workerCapabilities()?.includes('gpu') === false ? 'cpu' : 'high-performance';
}

async function timed(operations: number, run: () => Promise<GlueOutcome>): Promise<ComputeResult> {
  const startedAt = performance.now();
  const { data, ranOn, reason, reasonCode, adapter, isFallbackAdapter } = await run();
  const elapsedMs = performance.now() - startedAt;
  return {
    data,
    ranOn,
    reason,
    reasonCode,
    adapter: ranOn === 'gpu' ? adapter : undefined,
    isFallbackAdapter,
    elapsedMs,
    gflops: elapsedMs > 0 ? operations / elapsedMs / 1e6 : 0,
  };
}
