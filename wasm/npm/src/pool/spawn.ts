import { describe, QuillworkError } from '../errors.js';
import { nodeWorkerThreads, type NodeWorker } from '../node.js';

/** A Web Worker or a `Worker` of `node:worker_threads`, as far as the runtime uses it. */
export interface WorkerLike {
  postMessage(message: never, transfer: never): void;
  terminate(): unknown;
}

/** How to start a worker: a module's address, or a function that starts one for a place of the pool, counted from 0. */
export type WorkerSource = URL | string | ((place: number) => WorkerLike);

/** What a started worker tells. */
export interface WorkerEvents {
  /** A message, the app's own too. */
  onMessage(message: unknown): void;
  /** A message could not be deserialised here. */
  onGarbled(): void;
  /** It failed, or ended by itself. `thrown` is what is known about why. */
  onLost(thrown: unknown): void;
}

/** A started worker. */
export interface StartedWorker {
  post(message: readonly unknown[], transfer: readonly object[]): void;
  /** Ends it. No event comes after it. */
  terminate(): void;
  /** Whether it keeps a Node process alive. Nothing in a browser. */
  hold(keepAlive: boolean): void;
}

type WebWorkerEvent = Event & { readonly data?: unknown; readonly message?: string; readonly error?: unknown };

/** Starts the worker for a place. Throws what the app's function or the constructor throws. */
export function startWorker(source: WorkerSource, place: number, events: WorkerEvents): StartedWorker {
  let live = true;
  const worker = construct(source, place);
  const whileLive =
    <Value>(listener: (value: Value) => void): ((value: Value) => void) =>
    (value) => {
      if (live) {
        listener(value);
      }
    };
  const onMessage = whileLive((message: unknown) => events.onMessage(message));
  const onGarbled = whileLive(() => events.onGarbled());
  const onLost = whileLive((thrown: unknown) => events.onLost(thrown));
  if (isNodeWorker(worker)) {
    worker.on('message', onMessage);
    worker.on('messageerror', onGarbled);
    worker.on('error', onLost);
    worker.on('exit', (code) => onLost(new Error(`the worker thread ended with code ${String(code)}`)));
  } else {
    worker.addEventListener('message', (event: WebWorkerEvent) => onMessage(event.data));
    worker.addEventListener('messageerror', onGarbled);
    worker.addEventListener('error', (event: WebWorkerEvent) => {
      event.preventDefault();
      onLost(event.error ?? (event.message ? new Error(event.message) : undefined));
    });
  }
  const thread = isNodeWorker(worker) ? worker : undefined;
  return {
    // Looking through an empty list of what moves is not free.
    post: (message, transfer) => (transfer.length === 0 ? (worker as PostTarget).postMessage(message) : (worker as PostTarget).postMessage(message, transfer)),
    terminate() {
      live = false;
      worker.terminate();
    },
    hold(keepAlive) {
      thread?.[keepAlive ? 'ref' : 'unref']();
    },
  };
}

/** What went wrong with a worker that never became ready, in a sentence with its address. */
export function loadError(source: WorkerSource, thrown: unknown): QuillworkError {
  const address = typeof source === 'function' ? 'that the `worker` function started' : `"${String(source)}"`;
  const why = thrown === undefined ? 'the browser gives no reason: see its network log and console' : describe(thrown);
  return new QuillworkError(
    'ERR_WORKER_LOAD',
    `the worker ${address} did not start (${why}). Check the address, that it is a module that calls expose(), and the page's Content-Security-Policy (worker-src)`,
    { cause: thrown },
  );
}

interface PostTarget {
  postMessage(message: unknown, transfer?: readonly object[]): void;
}

type EventWorker = PostTarget & {
  terminate(): unknown;
  addEventListener(type: string, listener: (event: WebWorkerEvent) => void): void;
};

function construct(source: WorkerSource, place: number): EventWorker | NodeWorker {
  if (typeof source === 'function') {
    const made = source(place) as unknown as EventWorker | NodeWorker | undefined;
    if (typeof made?.postMessage !== 'function') {
      throw new TypeError(`it returned no worker but ${describe(made)}: return the one that it makes, at once`);
    }
    return made;
  }
  const threads = nodeWorkerThreads();
  if (threads !== undefined) {
    return new threads.Worker(/^[a-z][a-z0-9+.-]+:/i.test(String(source)) ? new URL(source) : source);
  }
  return new Worker(source, { type: 'module' }) as unknown as EventWorker;
}

function isNodeWorker(worker: object): worker is NodeWorker {
  return 'on' in worker && 'unref' in worker;
}
