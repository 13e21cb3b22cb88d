/**
 * What is known of the hardware. Everything is optional, and absent means unknown, never zero: a browser tells little, and less where it
 * protects privacy. A value that can't be (no cores, a memory of 8 bytes) is taken as unknown and named in
 * {@link HardwareConfig.implausible}.
 */
export interface HardwareProfile {
  /** Hardware threads. */
  readonly logicalCores?: number | undefined;
  /** Cores without counting their threads twice. No browser tells, nor does Node. */
  readonly physicalCores?: number | undefined;
  /** The machine's memory, or the limit of the container. Browsers don't tell. */
  readonly memoryBytes?: number | undefined;
  /** `navigator.deviceMemory` in bytes: rounded, and capped by the browser. Used where `memoryBytes` is unknown. */
  readonly memoryHintBytes?: number | undefined;
  /** The graphics processor that computing could use. */
  readonly gpu?: HardwareGpu | undefined;
  /** Whether memory can be shared with workers. */
  readonly crossOriginIsolated?: boolean | undefined;
  /** Where the energy comes from. */
  readonly power?: HardwarePower | undefined;
}

/** A graphics processor: none, one that computes on the CPU (slower than the CPU's own kernels), or a real one. */
export type HardwareGpu =
  | { readonly kind: 'absent' }
  | { readonly kind: 'software' }
  | {
      readonly kind: 'hardware';
      /** The largest buffer that a kernel may bind. */
      readonly maxBufferBytes?: number | undefined;
    };

/** The mains or a battery that is charging; or a battery that is not, with how full it is, 0 to 1. */
export type HardwarePower = { readonly source: 'mains' } | { readonly source: 'battery'; readonly levelRatio?: number | undefined };

/** Sizes that depend on the hardware. */
export interface HardwareSettings {
  /** What everything together may take: heap, WASM memory and pooled buffers. */
  readonly memoryBudgetBytes: number;
  /** What caches may take of it. */
  readonly cacheBudgetBytes: number;
  /** What pooled buffers may take of it. */
  readonly bufferBudgetBytes: number;
  /** Workers under load. */
  readonly maxWorkers: number;
  /** Workers that are kept while there is nothing to do. */
  readonly minWorkers: number;
  /** Tasks that may wait. */
  readonly maxQueued: number;
  /** Where kernels run that can run on both. */
  readonly compute: 'gpu' | 'cpu';
  /** What could wake workers fastest: memory that is shared with them, or messages. */
  readonly wake: 'shared memory' | 'messages';
  /** Items that go to a worker in one message, at most. */
  readonly batchItems: number;
  /** Bytes that go to a worker in one message, at most, where they are copied. */
  readonly batchBytes: number;
  /** Bytes that one kernel on the graphics processor gets, at most; 0 where kernels run on the CPU. */
  readonly gpuBatchBytes: number;
  /** How much measured run time a worker may hold in advance, in milliseconds. */
  readonly prefetchMs: number;
}

/** Why a setting has its value. */
export interface HardwareExplanation {
  /** What decided on this hardware, as a sentence. */
  readonly reason: string;
  /** How the value is computed, in core's names of the settings. */
  readonly formula: string;
}

/** A configuration, with the reason for each of its values. */
export interface HardwareConfig extends HardwareSettings {
  /** Why each setting has its value. */
  readonly explanations: { readonly [Setting in keyof HardwareSettings]: HardwareExplanation };
  /** A sentence for each value of the description that can't be, and was taken as unknown. */
  readonly implausible: readonly string[];
}
