import { nodeProcess } from '../node.js';

/** JavaScript heap as the browser tells it. */
export interface Heap {
  readonly usedBytes: number | null;
  readonly limitBytes: number | null;
}

/** The heap of this thread, page or worker; `undefined` where nobody tells. */
export function heapBytes(): number | undefined {
  return nodeProcess()?.memoryUsage?.().heapUsed ?? readHeap().usedBytes ?? undefined;
}

/** The page's heap; Chromium tells it, in steps. */
export function readHeap(): Heap {
  const { memory } = performance as { memory?: { usedJSHeapSize: number; jsHeapSizeLimit: number } };
  return { usedBytes: memory?.usedJSHeapSize ?? null, limitBytes: memory?.jsHeapSizeLimit ?? null };
}
