import { defineTasks, expose, type TaskContext } from 'quillwork/worker';

export interface Node {
  readonly id: string;
}

export const tasks = defineTasks({
  async layout(input: { nodes: readonly Node[] }, ctx: TaskContext<{ done: number }>): Promise<Map<string, number>> {
    ctx.signal.throwIfAborted();
    ctx.onCleanup(async () => {});
    ctx.progress({ done: input.nodes.length });
    // @ts-expect-error progress is typed
    ctx.progress({ finished: 1 });
    return new Map();
  },
  square: (n: number) => n * n,
  ping: () => 'pong' as const,
  pixels: (size: number, ctx: TaskContext) => {
    const pixels = new Float32Array(size);
    return ctx.transfer(pixels, [pixels.buffer]);
  },
  optional: (text?: string) => text?.length,
  nothing: (_input: { at: number }, { progress }: TaskContext<string>): void => progress('half'),
  same: <Value>(value: Value): Value => value,
  async *chapters(input: { from: number }, ctx: TaskContext<number>): AsyncGenerator<{ title: string }, 'the end'> {
    ctx.onAbort(async () => {});
    yield { title: `chapter ${input.from}` };
    return 'the end';
  },
  *letters() {
    yield 'a';
  },
  either: async (input: string | readonly number[]) => input.length,
});

export type Tasks = typeof tasks;

expose(tasks);
// @ts-expect-error a task takes an input and a context
defineTasks({ three: (a: number, _ctx: TaskContext, b: number) => a + b });
// @ts-expect-error tasks are functions
expose({ text: 'not a task' });
