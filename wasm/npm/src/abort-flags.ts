import { nodeProcess } from './node.js';

/**
 * Which tasks of one worker are to stop, in memory that page and worker share: a task that keeps its worker's event loop busy hears no
 * message, but can look here. The first number says how many there are; the others are their ids, or 0.
 */
export type AbortFlags = Int32Array<SharedArrayBuffer>;

/** So many tasks of a worker may be flagged at a time; further ones are told by message alone, as all are. */
const PLACES = 15;

/** Fresh flags, or `undefined` where threads may not share memory: in a page that is not cross-origin isolated. */
export function abortFlags(): AbortFlags | undefined {
  const shares = nodeProcess() !== undefined || (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
  return shares ? new Int32Array(new SharedArrayBuffer((1 + PLACES) * Int32Array.BYTES_PER_ELEMENT)) : undefined;
}

/** The task is to stop. */
export function raise(flags: AbortFlags, id: number): void {
  const place = flags.indexOf(0, 1);
  if (place > 0) {
    Atomics.store(flags, place, id);
    Atomics.add(flags, 0, 1);
  }
}

/** The task has ended. */
export function lower(flags: AbortFlags, id: number): void {
  const place = flags[0] === 0 ? -1 : flags.indexOf(id, 1);
  if (place > 0) {
    Atomics.store(flags, place, 0);
    Atomics.sub(flags, 0, 1);
  }
}

/** Whether the task is to stop. Costs a few nanoseconds while no task is. */
export function isRaised(flags: AbortFlags, id: number): boolean {
  if (Atomics.load(flags, 0) > 0) {
    for (let place = 1; place <= PLACES; place += 1) {
      if (Atomics.load(flags, place) === id) {
        return true;
      }
    }
  }
  return false;
}
