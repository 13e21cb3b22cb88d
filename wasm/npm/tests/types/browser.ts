import type { Telemetry } from 'quillwork';
import { createRuntime } from 'quillwork';
import { compute, type ComputeResult } from 'quillwork/compute';
import type { Tasks } from './tasks.js';

export const runtime = createRuntime<Tasks>({
  worker: () => new Worker(new URL('./tasks.js', import.meta.url), { type: 'module' }),
  wasm: new URL('./runtime.wasm', import.meta.url),
});

export async function multiply(a: Float32Array, b: Float32Array): Promise<ComputeResult> {
  const kernels = await compute();
  const result = await kernels.matmul(a, b, { m: 1, k: 2, n: 1 }, { device: 'auto' });
  const on: 'gpu' | 'cpu' = result.ranOn;
  void on;
  return result;
}

export function timed(device: GPUDevice, telemetry: Telemetry): void {
  const timer = telemetry.gpuTimer(device);
  const encoder = device.createCommandEncoder();
  encoder.beginComputePass({ ...timer?.next() }).end();
  timer?.resolve(encoder);
  device.queue.submit([encoder.finish()]);
  timer?.read();
}
