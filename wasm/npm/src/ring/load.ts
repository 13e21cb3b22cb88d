import type { OpenRing } from './page-ring.js';

/**
 * What opens lines through shared memory, where this is a page whose threads may share some and that can be woken through it. Loaded then
 * alone; a page that can't load it does with messages.
 */
export async function loadRing(): Promise<OpenRing | undefined> {
  const { crossOriginIsolated, document } = globalThis as { crossOriginIsolated?: boolean; document?: object };
  if (crossOriginIsolated !== true || document === undefined || !('waitAsync' in Atomics)) {
    return undefined;
  }
  try {
    return (await import('./page-ring.js')).openRing;
  } catch {
    return undefined;
  }
}
