/** What this device's GPU and CPU do with a matrix product, and whether they agree. */

import type { Compute } from 'quillwork/compute';
import { errorAgainstF64, forwardBound, largestDifference, spreadRows } from '../device/accuracy';
import { randomStream } from '../analysis/random';

export interface DeviceInput {
  /** Sides of the square matrices. */
  sizes: number[];
}

export interface DeviceRun {
  ranOn: 'gpu' | 'cpu';
  reason: string;
  millis: number;
  gflops: number;
}

export interface DeviceRow {
  size: number;
  /** What came of asking for the GPU: where there is none, the CPU twin answers and says why. */
  gpu: DeviceRun;
  cpu: DeviceRun;
  /** Largest distance between the two results. */
  gpuVsCpu: number;
  /** Largest distance of the first result from the product in f64, on `rows` rows. */
  vsF64: number;
  /** What f32 may be off by at most on those rows, whatever the order of summation. */
  bound: number;
  rows: number;
}

export interface DeviceReport {
  adapter: string;
  backend: string;
  gpu: boolean;
  isFallbackAdapter: boolean;
  reason: string;
  rows: DeviceRow[];
}

/** Rows checked in f64: all of a small matrix, a spread of a large one. */
const CHECKED_ROWS = 64;
/** Repetitions, of which the fastest counts: the first includes compiling the kernel. */
const REPETITIONS = 3;

export async function measureDevice(compute: Compute, input: DeviceInput, progress: (size: number, device: 'gpu' | 'cpu') => void, signal: AbortSignal): Promise<DeviceReport> {
  const rows: DeviceRow[] = [];
  for (const size of input.sizes) {
    const random = randomStream(size, 1);
    const a = Float32Array.from({ length: size * size }, () => random.next() * 2 - 1);
    const b = Float32Array.from({ length: size * size }, () => random.next() * 2 - 1);
    progress(size, 'gpu');
    const gpu = await fastest(compute, a, b, size, 'gpu', signal);
    progress(size, 'cpu');
    const cpu = await fastest(compute, a, b, size, 'cpu', signal);
    const checked = spreadRows(size, CHECKED_ROWS);
    rows.push({
      size,
      gpu: gpu.run,
      cpu: cpu.run,
      gpuVsCpu: largestDifference(gpu.data, cpu.data),
      vsF64: errorAgainstF64(gpu.data, a, b, size, size, size, checked),
      bound: forwardBound(a, b, size, size, size, checked),
      rows: checked.length,
    });
  }
  const { adapter, backend, gpu, isFallbackAdapter, reason } = compute.info();
  return { adapter, backend, gpu, isFallbackAdapter, reason, rows };
}

async function fastest(compute: Compute, a: Float32Array, b: Float32Array, size: number, device: 'gpu' | 'cpu', signal: AbortSignal): Promise<{ run: DeviceRun; data: Float32Array }> {
  let best: { run: DeviceRun; data: Float32Array } | undefined;
  for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
    signal.throwIfAborted();
    const { data, ranOn, reason, elapsedMs, gflops } = await compute.matmul(a, b, { m: size, k: size, n: size }, { device });
    if (!best || elapsedMs < best.run.millis) best = { run: { ranOn, reason, millis: elapsedMs, gflops }, data };
  }
  if (!best) throw new Error('invariant: at least one repetition runs');
  return best;
}
