import { known, whole } from '../checks.js';
import { nodeProcess } from '../node.js';
import { readHeap } from '../telemetry/heap.js';
import { QuillworkError } from '../errors.js';
import { callSafely } from './emitter.js';

/** How much of the machine the runtime may take before it takes care. Shares are of the budget, 0 to 1. */
export interface BudgetOptions {
  /**
   * The memory budget. Default: the smaller of 1 GiB and a quarter of the device's memory, where the browser tells it. In use are the page's
   * heap, or what `measureUserAgentSpecificMemory` tells, and `runtime.wasm`; in Node, the resident set. Where neither is known (Firefox
   * and Safari tell nothing), memory takes no action.
   */
  readonly memoryBytes?: number;
  /** Share from which to warn. Default 0.6. */
  readonly warn?: number;
  /** Share from which caches should shrink (the app's, on the `pressure` event) and nothing is given to workers ahead. Default 0.7. */
  readonly shrink?: number;
  /** Share from which the pool no longer grows, and refuses its least urgent tasks with `ERR_SHED`, up to priority 7. Default 0.8. */
  readonly shed?: number;
  /**
   * Share of the CPU from which fewer workers run tasks below priority 8. Browsers with the Compute Pressure API tell one of four states, which
   * count as 0.4, 0.6, 0.8 and 1; elsewhere the CPU is unknown. Default 0.7.
   */
  readonly cpu?: number;
  /** Reads the machine instead: what it leaves out is unknown. Called once a second. */
  readonly read?: () => ResourceReading;
}

/** What is in use. */
export interface ResourceReading {
  readonly memoryBytes?: number | undefined;
  readonly cpu?: number | undefined;
}

/** {@link BudgetOptions} with every default filled in. */
export interface BudgetSettings {
  readonly memoryBytes: number;
  readonly read: (() => ResourceReading) | undefined;
}

/** The thresholds as the core takes them; where no budgets are wanted they stand for nothing, for no reading comes. */
export interface Thresholds {
  readonly warnMemory: number;
  readonly shrinkMemory: number;
  readonly shedMemory: number;
  readonly maxCpu: number;
}

/** Checks the thresholds and fills in defaults. */
export function thresholds(options: BudgetOptions): Thresholds {
  const { warn = 0.6, shrink = 0.7, shed = 0.8, cpu = 0.7 } = known('`budgets`', options, 'memoryBytes warn shrink shed cpu read');
  return {
    warnMemory: share('budgets.warn', warn, MEMORY_MARGIN, shrink),
    shrinkMemory: share('budgets.shrink', shrink, warn, shed),
    shedMemory: share('budgets.shed', shed, shrink, MOST),
    maxCpu: share('budgets.cpu', cpu, CPU_MARGIN, MOST),
  };
}

/** Checks what is left of the settings and fills in defaults. */
export function budgetSettings({ memoryBytes = usualBudget(), read }: BudgetOptions): BudgetSettings {
  return { memoryBytes: whole('budgets.memoryBytes', memoryBytes, 1 << 20, 2 ** 46), read };
}

/** Reads the machine once a second and tells shares of the budget; `NaN` for what is not known. */
export class ResourceFeed {
  readonly #settings: BudgetSettings;
  readonly #wasmBytes: () => number;
  readonly #tell: (memory: number, cpu: number) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #pressure: PressureObserver | undefined;
  #cpu: number | undefined;
  #measured: number | undefined;
  #measureIn = 0;

  constructor(settings: BudgetSettings, wasmBytes: () => number, tell: (memory: number, cpu: number) => void) {
    this.#settings = settings;
    this.#wasmBytes = wasmBytes;
    this.#tell = tell;
    this.#timer = setInterval(() => callSafely(() => this.#feed()), INTERVAL_MS);
    (this.#timer as { unref?(): void }).unref?.();
    if (settings.read === undefined) {
      this.#observePressure();
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#pressure?.disconnect();
  }

  #feed(): void {
    const { memoryBytes = NaN, cpu = NaN } = this.#settings.read === undefined ? this.#read() : this.#settings.read();
    this.#tell(memoryBytes / this.#settings.memoryBytes, cpu);
  }

  #read(): ResourceReading {
    const resident = nodeProcess()?.memoryUsage?.().rss;
    if (resident !== undefined) {
      return { memoryBytes: resident };
    }
    const heap = readHeap().usedBytes ?? this.#measure();
    return { memoryBytes: heap === undefined ? undefined : heap + this.#wasmBytes(), cpu: this.#cpu };
  }

  /** What the browser measured last. It takes its time, and must not be asked often. */
  #measure(): number | undefined {
    const { measureUserAgentSpecificMemory: measure } = performance as {
      measureUserAgentSpecificMemory?: () => Promise<{ readonly bytes: number }>;
    };
    this.#measureIn -= 1;
    if (measure !== undefined && crossOriginIsolated && this.#measureIn <= 0) {
      this.#measureIn = MEASURE_EVERY;
      measure.call(performance).then(
        ({ bytes }) => {
          this.#measured = bytes;
        },
        () => {
          this.#measured = undefined;
        },
      );
    }
    return this.#measured;
  }

  #observePressure(): void {
    const { PressureObserver: Observer } = globalThis as { PressureObserver?: PressureObserverConstructor };
    if (Observer === undefined) {
      return;
    }
    this.#pressure = new Observer((records) => {
      this.#cpu = PRESSURE[records.at(-1)?.state ?? ''];
    });
    // Refused where a permissions policy forbids it: then the CPU is unknown.
    this.#pressure.observe('cpu', { sampleInterval: INTERVAL_MS }).catch(() => undefined);
  }
}

interface PressureObserver {
  observe(source: 'cpu', options: { readonly sampleInterval: number }): Promise<void>;
  disconnect(): void;
}

type PressureObserverConstructor = new (
  callback: (records: readonly { readonly state: string }[]) => void,
) => PressureObserver;

function share(name: string, value: number, least: number, most: number): number {
  if (!(typeof value === 'number' && value >= least && value <= most)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is a share from ${least} to ${most}, not ${String(value)}`);
  }
  return value;
}

function usualBudget(): number {
  const { navigator } = globalThis as { navigator?: { deviceMemory?: number } };
  const quarter = ((navigator?.deviceMemory ?? 4) / 4) * 2 ** 30;
  return Math.min(2 ** 30, quarter);
}

const INTERVAL_MS = 1_000;
/** Readings between two measurements by the browser. */
const MEASURE_EVERY = 10;
/** The core wants thresholds above the distance by which a reading must fall below them. */
const MEMORY_MARGIN = 0.051;
const CPU_MARGIN = 0.101;
const MOST = 1_000;
const PRESSURE: Readonly<Record<string, number>> = { nominal: 0.4, fair: 0.6, serious: 0.8, critical: 1 };
