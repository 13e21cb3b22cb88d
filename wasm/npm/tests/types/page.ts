import {
  createRuntime,
  createTelemetry,
  LeastLoadedStrategy,
  QuillworkError,
  type PageSample,
  type PoolStats,
  type QuillworkErrorCode,
  type TaskResult,
  type TaskReturn,
  type Telemetry,
} from 'quillwork';
import type { Tasks } from './tasks.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only where both types are the same. */
const same = <A, B>(_proof: Same<A, B>): void => {};

export async function page(worker: URL): Promise<void> {
  await using disposable = await createRuntime<Tasks>({ worker });
  const runtime = await createRuntime<Tasks>({ worker, workers: 2, telemetry: { name: 'App' } });

  const layout = await runtime.run('layout', { nodes: [{ id: 'a' }] }, {
    priority: 7,
    signal: new AbortController().signal,
    onProgress: (progress) => same<typeof progress, { done: number }>(true),
  });
  same<typeof layout, Map<string, number>>(true);
  same<TaskResult<Tasks['square']>, number>(true);
  const pong = await runtime.run('ping');
  same<typeof pong, 'pong'>(true);
  await runtime.run('ping', undefined, { timeoutMs: 5 });
  await runtime.run('optional');
  const pixels = await runtime.run('pixels', 4);
  const first: number | undefined = pixels[0];

  const nothing = await runtime.run('nothing', { at: 1 }, { onProgress: (progress) => same<typeof progress, string>(true) });
  same<typeof nothing, void>(true);
  const echoed = await runtime.run('same', { a: 1 });
  same<typeof echoed, unknown>(true);
  const length = await runtime.run('either', [1, 2] as const);
  same<typeof length, number>(true);

  // @ts-expect-error a field of the input is of another type
  await runtime.run('nothing', { at: '1' });
  // @ts-expect-error a field of the input is missing
  await runtime.run('nothing', {});
  // @ts-expect-error neither of the types of the input
  await runtime.run('either', 5);
  // @ts-expect-error capabilities are a list
  await runtime.run('ping', undefined, { capabilities: 'gpu' });
  // @ts-expect-error a listener of another type
  await runtime.run('nothing', { at: 1 }, { onProgress: (progress: number) => progress });
  // @ts-expect-error no such task
  await runtime.run('nonsense', 1);
  // @ts-expect-error the input is missing
  await runtime.run('square');
  // @ts-expect-error the input is of another type
  await runtime.run('square', '2');
  // @ts-expect-error no such option
  await runtime.run('square', 2, { timeout: 5 });

  for await (const chapter of runtime.stream('chapters', { from: 1 }, { highWaterMark: 4, onProgress: (at) => same<typeof at, number>(true) })) {
    same<typeof chapter, { title: string }>(true);
  }
  const letter = await runtime.stream('letters').next();
  if (letter.done === true) {
    same<typeof letter.value, void>(true);
  } else {
    same<typeof letter.value, string>(true);
  }
  same<TaskReturn<Tasks['chapters']>, 'the end'>(true);
  // @ts-expect-error not a generator
  runtime.stream('square', 2);
  // @ts-expect-error a stream is never run twice
  runtime.stream('letters', undefined, { retries: 1 });
  const squares = await runtime.map('square', [1, 2], { inFlight: 2, onResult: (square, index) => same<typeof square, typeof index>(true) });
  same<typeof squares, number[]>(true);
  // @ts-expect-error items of another type
  await runtime.map('square', ['1']);
  await runtime.ready();
  const tuned = await createRuntime<Tasks>({
    worker,
    workers: { min: 1, max: 4 },
    overflow: 'drop-lowest',
    types: { square: { retries: 2, maxConcurrent: 3 } },
    retry: { shouldRetry: (error, task) => error instanceof TypeError && task !== 'ping' },
    warmUp: { task: 'ping' },
  });
  await tuned.idle();
  await createRuntime<Tasks>({
    worker,
    binding: { choose: ({ name }, candidates) => (name === 'square' ? candidates[0]?.worker : undefined) },
    offer: (id) => ({ region: id === 0 ? 'near' : 'far' }),
    budgets: { shed: 0.9 },
    record: true,
  });
  tuned.pause();
  tuned.resume();
  tuned.on('pause', () => tuned.stats().heldBack.toFixed());
  await createRuntime<Tasks>({ worker, binding: new LeastLoadedStrategy() });
  await createRuntime<Tasks>({ worker, binding: { strategy: { name: 'mine', selectWorker: (_, [first]) => first ?? null }, stealAfterMs: 5 } });
  // @ts-expect-error a limit is a type's, not a call's
  await tuned.run('square', 2, { maxConcurrent: 2 });
  // @ts-expect-error no such strategy
  await createRuntime<Tasks>({ worker, binding: 'best' });
  // @ts-expect-error no such task
  await createRuntime<Tasks>({ worker, types: { nonsense: { retries: 2 } } });
  // @ts-expect-error no such task
  await createRuntime<Tasks>({ worker, warmUp: { task: 'nonsense' } });
  tuned.on('retry', ({ task, afterMs }) => void [task.length, afterMs.toFixed()]);

  const stats: PoolStats = runtime.stats();
  same<(typeof stats.responseMs)['p95'], number | null>(true);
  const cache = runtime.cache<'a' | 'b', { n: number }>('named', { maxEntries: 10 });
  cache.set('a', { n: 1 });
  // @ts-expect-error no such key
  cache.get('c');
  const off: () => void = runtime.on('workerlost', ({ worker: id, reason }) => void [id.toFixed(), reason === 'silent']);
  off();
  runtime.on('close', () => {});
  const latest: PageSample | undefined = runtime.telemetry?.latest;
  const waiting: number | undefined = runtime.telemetry?.queuedSamples;

  try {
    await runtime.close({ drain: true });
  } catch (error) {
    if (error instanceof QuillworkError) {
      same<typeof error.code, QuillworkErrorCode>(true);
    }
  }

  const untyped = await createRuntime({ worker: worker.href });
  const unknown = await untyped.run('anything', { at: 'all' });
  same<typeof unknown, unknown>(true);
  void [first, latest, waiting, disposable];
}

export async function spans(telemetry: Telemetry): Promise<[number, string]> {
  const sum = telemetry.span('sum', () => 3);
  const text = telemetry.span('load', async (span) => telemetry.span('parse', () => span.id, { parent: span }));
  telemetry.histogram('size', { unit: 'bytes', tags: { kind: 'image', large: true } }).record(sum);
  // @ts-expect-error a value is a number
  telemetry.metric('size', 'three');
  return [sum, await text];
}

export const reporter = createTelemetry({
  sampleRate: 0.1,
  transport: 'fetch',
  consent: { errors: 'full' },
  offlineQueue: { maxBytes: 100_000 },
  beforeSend: (batch) => (batch.samples.length > 0 ? { ...batch, samples: batch.samples.map(({ spans: _, ...rest }) => rest) } : null),
});
