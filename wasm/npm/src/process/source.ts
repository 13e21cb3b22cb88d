import { QuillworkError } from '../errors.js';
import type { Source } from './types.js';

/** Items of whatever kind of source, one after the other. */
export interface Reader {
  next(): IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>>;
  /** No further item is wanted. The promise settles when the source has let go. */
  cancel(reason: unknown): Promise<void>;
}

interface StreamReader {
  read(): Promise<IteratorResult<unknown>>;
  cancel(reason: unknown): Promise<void>;
  releaseLock(): void;
}

/** Throws `ERR_INVALID_OPTION` for what can't be iterated. */
export function readerOf(source: Source<unknown>): Reader {
  const given: unknown = source;
  if ((typeof given !== 'object' && typeof given !== 'string' && typeof given !== 'function') || given === null) {
    throw refusal(given);
  }
  const stream = Object(given) as { getReader?(): StreamReader } & Partial<AsyncIterable<unknown> & Iterable<unknown>>;
  if (typeof stream.getReader === 'function') {
    // Not every browser can iterate a stream, and only a reader can be cancelled while it reads.
    const reader = stream.getReader();
    return {
      next: async () => {
        const step = await reader.read();
        if (step.done === true) {
          reader.releaseLock();
        }
        return step;
      },
      async cancel(reason) {
        await reader.cancel(reason);
        reader.releaseLock();
      },
    };
  }
  const iterator = stream[Symbol.asyncIterator]?.() ?? stream[Symbol.iterator]?.();
  if (iterator === undefined) {
    throw refusal(given);
  }
  let pending = 0;
  return {
    next() {
      const step = iterator.next();
      if (step instanceof Promise) {
        pending += 1;
        const settled = (): void => {
          pending -= 1;
        };
        step.then(settled, settled);
      }
      return step;
    },
    async cancel() {
      const left = Promise.resolve(iterator.return?.());
      // A generator hears of it once it has given what it was asked for, which may be never.
      if (pending > 0) {
        left.catch(() => undefined);
        return;
      }
      await left;
    },
  };
}

function refusal(given: unknown): QuillworkError {
  return new QuillworkError('ERR_INVALID_OPTION', `the source is an array, another iterable, an async iterable or a stream, not ${String(given)}`);
}
