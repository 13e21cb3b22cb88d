import type { WasmSource } from '../runtime/load.js';

/** Where a product shall run. `auto`: on the GPU if there is one in hardware and the product is worth the way there. */
export type Device = 'auto' | 'gpu' | 'cpu';

/**
 * Why products run where they do. `small-product`: the way to the GPU and back would take longer. `software-adapter`: the only GPU is one in
 * software, slower than the CPU itself; `device: 'gpu'` runs there all the same.
 */
export type ComputeReasonCode =
  | 'gpu'
  | 'requested'
  | 'small-product'
  | 'software-adapter'
  | 'disabled'
  | 'no-webgpu'
  | 'no-adapter'
  | 'device-refused'
  | 'device-lost'
  | 'out-of-memory'
  | 'too-large-for-device'
  | 'rejected';

/** How to make a {@link Compute}. Only the first call in a worker is heard. */
export interface ComputeOptions {
  /**
   * Which kind of GPU to ask for; `cpu` asks for none. Default: `high-performance` in a worker that carries the capability
   * `gpu` and outside of a runtime, `cpu` in the other workers.
   */
  readonly preference?: 'high-performance' | 'low-power' | 'cpu';
  /** Bytes that all GPU buffers may take together. Default 256 MiB. */
  readonly budgetBytes?: number;
  /** Where `compute.wasm` is. Default: beside this package's JavaScript. */
  readonly wasm?: WasmSource;
}

/** The device that runs products now. */
export interface ComputeInfo {
  readonly gpu: boolean;
  /** Name of the adapter, empty without one. */
  readonly adapter: string;
  /** API underneath, empty without a GPU. */
  readonly backend: string;
  /** Whether the adapter is software, such as SwiftShader. */
  readonly isFallbackAdapter: boolean;
  /** Why products run where they do, for people. */
  readonly reason: string;
  readonly reasonCode: ComputeReasonCode;
  /** Bytes of GPU memory held, in use or idle. */
  readonly pooledBytes: number;
  readonly budgetBytes: number;
}

/** A finished product. */
export interface ComputeResult {
  /** Row-major. */
  readonly data: Float32Array<ArrayBuffer>;
  readonly ranOn: 'gpu' | 'cpu';
  /** Why there, for people. */
  readonly reason: string;
  readonly reasonCode: ComputeReasonCode;
  /** Name of the adapter; `undefined` on the CPU. */
  readonly adapter: string | undefined;
  /** Whether that adapter is software. */
  readonly isFallbackAdapter: boolean;
  /** From the call to the result, the way to the device and back included. */
  readonly elapsedMs: number;
  /** Billions of floating-point operations a second, two for each multiply-add. */
  readonly gflops: number;
}
