import { nodeProcess, type NodeWorkerThreads } from '../node.js';

/** What a simulated browser (jsdom) leaves out though Node beneath it has it: without it there are no messages between page and workers. */
export function absent(): Readonly<Record<string, unknown>> {
  const node = nodeProcess();
  const threads = node?.getBuiltinModule?.('node:worker_threads');
  if (threads === undefined) {
    return {};
  }
  const { MessageChannel } = threads;
  const all = { MessageChannel, structuredClone: cloning(threads), ...text(node) };
  return Object.fromEntries(Object.entries(all).filter(([key]) => !(key in globalThis)));
}

/** `structuredClone`, by a message that never leaves the thread. */
function cloning({ MessageChannel, receiveMessageOnPort }: NodeWorkerThreads): typeof structuredClone {
  return (value, options) => {
    const { port1, port2 } = new MessageChannel();
    try {
      port1.postMessage(value, options?.transfer ?? []);
      return receiveMessageOnPort(port2)?.message as typeof value;
    } finally {
      port1.close();
    }
  };
}

function text(node: ReturnType<typeof nodeProcess>): object {
  const { TextDecoder, TextEncoder } = node?.getBuiltinModule?.('node:util') ?? {};
  return { TextDecoder, TextEncoder };
}
