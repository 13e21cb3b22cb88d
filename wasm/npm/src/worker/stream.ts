import { describe, QuillworkError } from '../errors.js';

/** How many items of a stream the page has asked for. */
export class Demand {
  #asked: number;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(asked: number) {
    this.#asked = asked;
  }

  /** The page asks for more. */
  add(items: number): void {
    this.#asked += items;
    this.#wake?.();
  }

  /** Nobody wants any further item. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** Waits until an item is wanted, and counts it. `false` where none is any more. */
  async take(): Promise<boolean> {
    while (this.#asked === 0 && !this.#stopped) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    this.#asked -= 1;
    return !this.#stopped;
  }
}

/** A generator, of either kind, as far as a stream uses it. */
interface Producer {
  next(): unknown;
  return?(value: undefined): unknown;
}

/**
 * Sends what a generator yields as it is asked for, and gives what it returns. A generator that is stopped runs its `finally` blocks, and
 * throws why.
 */
export async function pump(
  task: string,
  produced: unknown,
  demand: Demand,
  send: (item: unknown) => void,
  whyStopped: () => unknown,
): Promise<unknown> {
  const producer = await produced;
  if (!isProducer(producer)) {
    throw new QuillworkError('ERR_NOT_A_STREAM', `task "${task}" is no generator: use \`run\`, or write it as \`async *${task}()\``);
  }
  while (await demand.take()) {
    const step = (await producer.next()) as IteratorResult<unknown>;
    if (step.done === true) {
      return step.value;
    }
    try {
      send(step.value);
    } catch (thrown) {
      await producer.return?.(undefined);
      throw new QuillworkError(
        'ERR_NOT_CLONEABLE',
        `task "${task}" yielded what can't be sent to the page (${describe(thrown)}): yield plain data, and move each buffer once`,
        { cause: thrown },
      );
    }
  }
  await producer.return?.(undefined);
  throw whyStopped();
}

function isProducer(value: unknown): value is Producer {
  return typeof value === 'object' && value !== null && 'next' in value && typeof value.next === 'function';
}
