import { nodeProcess, nodeWorkerThreads } from '../node.js';

/** The worker's end of the line to the page: a Web Worker's global scope, or a worker thread's `parentPort`. */
export interface WorkerPort {
  post(message: readonly unknown[], transfer: readonly object[]): void;
  /** `onMessage` gets every message, the app's own too; `onGarbled` is told of those that could not be deserialised. */
  listen(onMessage: (message: unknown) => void, onGarbled: () => void): void;
  /** Errors outside of any promise that somebody waits for. */
  onStray(listener: (thrown: unknown) => void): void;
  /** Whether the page must speak first: a thread of somebody else's (a test runner's) is then left alone. */
  readonly waitsForHello: boolean;
  /** Whether the page may open a line through shared memory: in Node messages are faster, and in the page's own thread nothing may wait. */
  readonly sharesMemory: boolean;
}

interface WorkerScope {
  postMessage(message: unknown, transfer?: readonly object[]): void;
  addEventListener(type: string, listener: (event: WorkerScopeEvent) => void): void;
}

interface WorkerScopeEvent {
  readonly data?: unknown;
  readonly error?: unknown;
  readonly message?: string;
  readonly reason?: unknown;
  preventDefault(): void;
}

/** The port of the worker that this module runs in, or `undefined` outside of one. */
export function workerPort(): WorkerPort | undefined {
  const threads = nodeWorkerThreads();
  if (threads !== undefined) {
    const { parentPort } = threads;
    return parentPort === null
      ? undefined
      : {
          post: (message, transfer) => (transfer.length === 0 ? parentPort.postMessage(message) : parentPort.postMessage(message, transfer)),
          listen(onMessage, onGarbled) {
            parentPort.on('message', onMessage);
            parentPort.on('messageerror', onGarbled);
          },
          onStray(listener) {
            nodeProcess()?.on('uncaughtException', listener);
            nodeProcess()?.on('unhandledRejection', listener);
          },
          waitsForHello: true,
          sharesMemory: false,
        };
  }
  const scope = globalThis as unknown as WorkerScope & { WorkerGlobalScope?: new () => object };
  // Shared and service workers have no line to one page.
  if (scope.WorkerGlobalScope === undefined || !(scope instanceof scope.WorkerGlobalScope) || !('postMessage' in scope)) {
    return undefined;
  }
  return {
    post: (message, transfer) => (transfer.length === 0 ? scope.postMessage(message) : scope.postMessage(message, transfer)),
    listen(onMessage, onGarbled) {
      scope.addEventListener('message', (event) => onMessage(event.data));
      scope.addEventListener('messageerror', onGarbled);
    },
    onStray(listener) {
      scope.addEventListener('error', (event) => {
        event.preventDefault();
        listener(event.error ?? new Error(event.message));
      });
      scope.addEventListener('unhandledrejection', (event) => {
        event.preventDefault();
        listener(event.reason);
      });
    },
    waitsForHello: false,
    sharesMemory: 'waitAsync' in Atomics,
  };
}
