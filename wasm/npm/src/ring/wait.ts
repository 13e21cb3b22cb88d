import { SIGNAL, type RingMemory } from './memory.js';

interface WaitAsync {
  waitAsync?(memory: RingMemory, index: number, value: number): { readonly async: boolean; readonly value: Promise<string> | string };
}

/** What `SIGNAL` of a direction says. */
export function signalOf(memory: RingMemory, direction: number): number {
  return Atomics.load(memory, direction + SIGNAL);
}

/** Calls back when `SIGNAL` says something else than this. Costs the event loop nothing meanwhile. `false` where it does already. */
export function onSignal(memory: RingMemory, direction: number, seen: number, then: () => void): boolean {
  const wait = (Atomics as WaitAsync).waitAsync?.(memory, direction + SIGNAL, seen);
  if (wait?.async !== true) {
    return false;
  }
  void (wait.value as Promise<string>).then(then);
  return true;
}
