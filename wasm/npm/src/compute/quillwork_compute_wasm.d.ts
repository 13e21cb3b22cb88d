// What wasm-bindgen generates for wasm/compute, as far as it is used here.
import type { CompiledModule } from '../runtime/load.js';
import type { ComputeInfo, ComputeReasonCode, Device } from './types.js';

export interface GlueOutcome {
  data: Float32Array<ArrayBuffer>;
  ranOn: 'gpu' | 'cpu';
  reason: string;
  reasonCode: ComputeReasonCode;
  adapter: string;
  backend: string;
  isFallbackAdapter: boolean;
}

export class Compute {
  static create(options?: { preference?: string; budgetBytes?: number }): Promise<Compute>;
  matmul(a: Float32Array, b: Float32Array, m: number, k: number, n: number, device?: Device): Promise<GlueOutcome>;
  similarity(vectors: Float32Array, count: number, dim: number, device?: Device): Promise<GlueOutcome>;
  info(): ComputeInfo;
  loseDevice(): void;
  reacquire(): Promise<ComputeInfo>;
}

export default function init(options: { module_or_path: CompiledModule }): Promise<unknown>;
