//! The TypeScript side of what crosses as plain objects.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Where a product shall run. `auto`: on the GPU if there is a real one and the product is worth the way there. */
export type ComputeDevice = 'auto' | 'gpu' | 'cpu';

/** How to make a `Compute`. */
export interface ComputeOptions {
  /** Which kind of GPU to ask for; `cpu` asks for none. Default `high-performance`. */
  preference?: 'high-performance' | 'low-power' | 'cpu';
  /** Bytes that all GPU buffers may take together. Default 256 MiB. */
  budgetBytes?: number;
}

/** The device that runs products now. */
export interface ComputeInfo {
  gpu: boolean;
  /** Name of the adapter, empty without one. */
  adapter: string;
  /** API underneath, `webgpu`, empty without a GPU. */
  backend: string;
  /** Whether the adapter is software, such as SwiftShader. */
  isFallbackAdapter: boolean;
  /** Why products run where they do, for people. */
  reason: string;
  /** The same as a stable code: `gpu`, or why there is none. */
  reasonCode: ComputeReasonCode;
  /** Bytes of GPU memory held, in use or idle. */
  pooledBytes: number;
  budgetBytes: number;
}

export type ComputeReasonCode =
  | 'gpu' | 'requested' | 'small-product' | 'software-adapter' | 'disabled' | 'no-webgpu' | 'no-adapter'
  | 'device-refused' | 'device-lost' | 'out-of-memory' | 'too-large-for-device' | 'rejected';

/** A finished product. */
export interface ComputeOutcome {
  /** Row-major. */
  data: Float32Array<ArrayBuffer>;
  ranOn: 'gpu' | 'cpu';
  /** Why there, for people. */
  reason: string;
  reasonCode: ComputeReasonCode;
  /** Name of the adapter, empty on the CPU. */
  adapter: string;
  /** API underneath, empty on the CPU. */
  backend: string;
  isFallbackAdapter: boolean;
}
"#;
