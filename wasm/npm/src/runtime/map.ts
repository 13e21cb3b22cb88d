import { shown } from '../checks.js';
import { QuillworkError } from '../errors.js';
import { follow } from './follow.js';
import type { RunOptions } from './task-options.js';

/** Settings of {@link Runtime.map}: those of each task, and how many there are at a time. */
export interface MapOptions<Input = unknown, Result = unknown, Progress = unknown>
  extends Omit<RunOptions, 'transfer' | 'onProgress'> {
  /** How many tasks are submitted and not settled, 1 or more. Default: twice what all workers run at a time. */
  readonly inFlight?: number;
  /** What is moved into the worker with this input. */
  readonly transfer?: (input: Input, index: number) => readonly object[];
  /** Hears what each task reports. */
  readonly onProgress?: (progress: Progress, index: number) => void;
  /** Hears each result as it comes, in the order in which they come. */
  readonly onResult?: (result: Result, index: number) => void;
}

/** What {@link MapOptions} are called. */
export const MAP_NAMES =
  'priority capabilities complexity timeoutMs queueTtlMs affinity antiAffinity region patienceMs key retries redeliver signal transfer onProgress inFlight onResult';

/**
 * Runs a task for each item, so many at a time, and gives the results in the order of the items. The first failure aborts the others and
 * is thrown. Items are taken as they are needed: there may be more than fit into memory.
 */
export async function mapTasks<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  inFlight: number,
  signal: AbortSignal | undefined,
  run: (item: Item, index: number, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const source = iterate(items);
  const stop = new AbortController();
  const unfollow = follow(signal, stop);
  const results: Result[] = [];
  let taken = 0;
  let last: Promise<IteratorResult<Item>> = Promise.resolve({ done: false, value: undefined as Item });
  // One after the other: not every iterator can be asked again before it has answered.
  const take = (): Promise<IteratorResult<Item>> => {
    last = last.then((before) => (before.done === true ? before : source.next()));
    return last;
  };
  const lane = async (): Promise<void> => {
    for (let step = await take(); step.done !== true; step = await take()) {
      stop.signal.throwIfAborted();
      const index = taken;
      taken += 1;
      results[index] = await run(step.value, index, stop.signal);
    }
  };
  try {
    signal?.throwIfAborted();
    await Promise.all(Array.from({ length: inFlight }, lane));
    return results;
  } catch (thrown) {
    stop.abort(thrown);
    void Promise.resolve(source.return?.()).catch(() => undefined);
    throw thrown;
  } finally {
    unfollow();
  }
}

function iterate<Item>(items: Iterable<Item> | AsyncIterable<Item>): Iterator<Item> | AsyncIterator<Item> {
  const given = items as Partial<Iterable<Item> & AsyncIterable<Item>> | null | undefined;
  const iterator = given?.[Symbol.asyncIterator]?.() ?? given?.[Symbol.iterator]?.();
  if (iterator === undefined) {
    throw new QuillworkError('ERR_INVALID_OPTION', `the items are an array or something else to iterate, not ${shown(items)}`);
  }
  return iterator;
}
