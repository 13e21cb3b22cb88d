import { known } from '../checks.js';
import { nodeProcess } from '../node.js';
import type { HardwareGpu, HardwarePower, HardwareProfile } from './types.js';

interface Adapter {
  readonly limits: { readonly maxStorageBufferBindingSize?: number };
  readonly info?: { readonly isFallbackAdapter?: boolean; readonly architecture?: string; readonly description?: string };
  readonly isFallbackAdapter?: boolean;
}

interface Told {
  readonly hardwareConcurrency?: number;
  readonly deviceMemory?: number;
  readonly gpu?: { requestAdapter(options?: { readonly powerPreference?: 'high-performance' }): Promise<Adapter | null> };
  getBattery?(): Promise<{ readonly charging: boolean; readonly level: number }>;
}

/** Options of {@link detectHardware}. */
export interface DetectOptions {
  /** How long a driver may take to answer, in milliseconds; what has not answered by then is unknown. Default 1,000. */
  readonly timeoutMs?: number;
}

/**
 * What page or Node can find out about the hardware, for {@link generateConfig}. It asks for no permission, and never fails: what is
 * not told, or not in time, is left out.
 *
 * In a page: `navigator.hardwareConcurrency`, `navigator.deviceMemory`, WebGPU's adapter, `navigator.getBattery()`, `crossOriginIsolated`;
 * Firefox and Safari tell neither memory nor battery. In Node: what the scheduler may use, and the memory or the limit of its container.
 */
export async function detectHardware(options: DetectOptions = {}): Promise<HardwareProfile> {
  const { timeoutMs = 1_000 } = known('detectHardware', options, 'timeoutMs');
  const { navigator, crossOriginIsolated } = globalThis as { navigator?: Told; crossOriginIsolated?: boolean };
  const node = nodeProcess();
  const [gpu, power] = await Promise.all([inTime(gpuOf(navigator), timeoutMs), inTime(powerOf(navigator), timeoutMs)]);
  return {
    logicalCores: node?.getBuiltinModule?.('node:os').availableParallelism() ?? navigator?.hardwareConcurrency,
    memoryBytes: memoryOf(node),
    memoryHintBytes: navigator?.deviceMemory === undefined ? undefined : navigator.deviceMemory * 2 ** 30,
    gpu,
    // Threads of Node share memory always.
    crossOriginIsolated: node === undefined ? crossOriginIsolated : true,
    power,
  };
}

function memoryOf(node: ReturnType<typeof nodeProcess>): number | undefined {
  if (node === undefined) {
    return undefined;
  }
  const total = node.getBuiltinModule?.('node:os').totalmem();
  // 0 is no limit, and so is one beyond all memory.
  const limit = node.constrainedMemory?.() ?? 0;
  return limit > 0 && (total === undefined || limit < total) ? limit : total;
}

async function gpuOf(navigator: Told | undefined): Promise<HardwareGpu | undefined> {
  if (navigator === undefined) {
    return undefined;
  }
  if (navigator.gpu === undefined) {
    return { kind: 'absent' };
  }
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) {
    return { kind: 'absent' };
  }
  const { info } = adapter;
  const isSoftware =
    (info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false) ||
    /swiftshader|llvmpipe|basic render/i.test(`${info?.architecture ?? ''} ${info?.description ?? ''}`);
  return isSoftware ? { kind: 'software' } : { kind: 'hardware', maxBufferBytes: adapter.limits.maxStorageBufferBindingSize };
}

async function powerOf(navigator: Told | undefined): Promise<HardwarePower | undefined> {
  const battery = await navigator?.getBattery?.();
  if (battery === undefined) {
    return undefined;
  }
  // A machine without a battery says that it is charging, and full.
  return battery.charging ? { source: 'mains' } : { source: 'battery', levelRatio: battery.level };
}

/** What it gives within the time; else, or where it fails, unknown. */
async function inTime<T>(asked: Promise<T | undefined>, timeoutMs: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([asked.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
