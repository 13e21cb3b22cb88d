/**
 * Node's built-in modules without an `import` of them, which a bundler for browsers would stumble over.
 *
 * The types are the few members that are used: the package must compile without `@types/node`.
 */

/** `node:worker_threads`. */
export interface NodeWorkerThreads {
  readonly parentPort: NodePort | null;
  readonly Worker: new (module: URL | string) => NodeWorker;
  readonly MessageChannel: typeof MessageChannel;
  receiveMessageOnPort(port: MessagePort): { readonly message: unknown } | undefined;
}

/** A `MessagePort` or `Worker` as an event emitter. */
export interface NodePort {
  postMessage(message: unknown, transfer?: readonly object[]): void;
  on(event: string, listener: (value: unknown) => void): unknown;
}

/** A `Worker` of `node:worker_threads`. */
export interface NodeWorker extends NodePort {
  terminate(): unknown;
  ref(): void;
  unref(): void;
}

interface NodeFileSystem {
  readonly promises: { readFile(path: URL): Promise<Uint8Array<ArrayBuffer>> };
}

interface NodeOs {
  availableParallelism(): number;
  totalmem(): number;
}

interface NodeUtil {
  readonly TextDecoder: typeof TextDecoder;
  readonly TextEncoder: typeof TextEncoder;
}

interface NodeProcess {
  getBuiltinModule?(name: 'node:worker_threads'): NodeWorkerThreads;
  getBuiltinModule?(name: 'node:fs'): NodeFileSystem;
  getBuiltinModule?(name: 'node:os'): NodeOs;
  getBuiltinModule?(name: 'node:util'): NodeUtil;
  constrainedMemory?(): number;
  memoryUsage?(): { readonly rss: number; readonly heapUsed: number };
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (thrown: unknown) => void): unknown;
}

/** Node's `process`, or `undefined` in a browser. Read at call time: importing this package touches no global. */
export function nodeProcess(): NodeProcess | undefined {
  const { process } = globalThis as { process?: NodeProcess & { versions?: { node?: string } } };
  return process?.versions?.node === undefined ? undefined : process;
}

/** `node:worker_threads`, or `undefined` in a browser. */
export function nodeWorkerThreads(): NodeWorkerThreads | undefined {
  return nodeProcess()?.getBuiltinModule?.('node:worker_threads');
}

/** Reads a `file:` URL in Node. */
export function readNodeFile(url: URL): Promise<Uint8Array<ArrayBuffer>> | undefined {
  return nodeProcess()?.getBuiltinModule?.('node:fs').promises.readFile(url);
}

/** How many threads the machine runs at once. */
export function hardwareThreads(): number {
  const { navigator } = globalThis as { navigator?: { hardwareConcurrency?: number } };
  return navigator?.hardwareConcurrency ?? nodeProcess()?.getBuiltinModule?.('node:os').availableParallelism() ?? 2;
}
