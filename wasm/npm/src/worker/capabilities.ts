import type { ComputeInfo } from '../compute/types.js';

let carried: readonly string[] | undefined;

/** The page told what this worker carries. */
export function setWorkerCapabilities(names: readonly string[]): void {
  carried = names;
}

/** What this worker carries; `undefined` outside of a runtime's worker. */
export function workerCapabilities(): readonly string[] | undefined {
  return carried;
}

let device: ComputeInfo | undefined;
let listener: ((info: ComputeInfo) => void) | undefined;

/** Whoever tells the page hears what this worker computes on, now where it is known, and whenever it changes. */
export function onDevice(listen: (info: ComputeInfo) => void): void {
  listener = listen;
  if (device !== undefined) {
    listen(device);
  }
}

/** This is what this worker computes on from now on. */
export function setDevice(info: ComputeInfo): void {
  device = info;
  listener?.(info);
}
