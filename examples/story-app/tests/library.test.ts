import { expect, test } from 'vitest';
import { createCaches, type StoryRuntime } from '../src/state/runtime';
import { Library } from '../src/state/library';
import { openStory, type OpenInput } from '../src/story/open';

/** Opens stories at once; every analysis goes on until its signal ends it. */
function endlessRuntime() {
  const underWay = new Map<string, AbortSignal>();
  const runtime = {
    run(task: string, input: OpenInput, { signal }: { signal?: AbortSignal }) {
      if (task === 'open') return Promise.resolve(openStory(input, () => undefined));
      return new Promise((_, reject) => {
        if (!signal) throw new Error(`${task} can't be ended`);
        const key = `${task} ${underWay.size}`;
        underWay.set(key, signal);
        signal.addEventListener('abort', () => {
          underWay.delete(key);
          reject(signal.reason as Error);
        });
      });
    },
    cache: () => ({ get: () => undefined, set: () => undefined }),
  } as unknown as StoryRuntime;
  return { runtime, underWay };
}

test('the analyses of a story end when another one is opened, and are no failures of the new one', async () => {
  const { runtime, underWay } = endlessRuntime();
  const opened: string[] = [];
  const library = new Library(runtime, createCaches(runtime), ({ name }) => opened.push(name));
  const first = library.open({ name: 'first.ink', content: 'One.\n-> END\n' });
  await expect.poll(() => underWay.size, { timeout: 30_000 }).toBe(5);
  const signals = [...underWay.values()];
  void library.open({ name: 'second.ink', content: 'Two.\n-> END\n' });
  await first;
  expect(signals.every((signal) => signal.aborted)).toBe(true);
  await expect.poll(() => underWay.size, { timeout: 30_000 }).toBe(5);
  expect(opened).toEqual(['first.ink', 'second.ink']);
  expect(library.store.get().failures).toEqual({});
});
