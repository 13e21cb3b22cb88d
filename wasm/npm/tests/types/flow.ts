import {
  batch,
  bulkhead,
  circuitBreaker,
  debounce,
  debounceAsync,
  keyedRateLimit,
  policy,
  rateLimit,
  rateLimited,
  retry,
  retryBudget,
  throttle,
  throttled,
  type BreakerState,
  type Debounced,
} from 'quillwork';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only where both types are the same. */
const same = <A, B>(_proof: Same<A, B>): void => {};

const save = (name: string, version = 1): number => name.length + version;

export async function flow(signal: AbortSignal): Promise<void> {
  // Arguments, optional ones too, and `this` are the function's own.
  const debounced: Debounced<unknown, [name: string, version?: number], number | undefined> = debounce(save, 100);
  same<ReturnType<typeof debounced>, number | undefined>(true);
  debounced('a');
  debounced('a', 2);
  // @ts-expect-error an argument of another type
  debounced(1);
  // @ts-expect-error no such option
  debounce(save, 100, { maxwait: 5 });
  // With a leading edge there is a result from the first call on.
  const leading = debounce(save, 100, { leading: true })('a');
  same<typeof leading, number>(true);
  const throttledSave = throttle(save, 100)('a');
  same<typeof throttledSave, number>(true);
  const trailing = throttle(save, 100, { leading: false })('a');
  same<typeof trailing, number | undefined>(true);
  const served = debounceAsync(async (id: number) => ({ id }), 100)(1);
  same<typeof served, Promise<{ id: number }>>(true);
  const method = debounce(function (this: { factor: number }, n: number) {
    return this.factor * n;
  }, 10);
  // @ts-expect-error called on something else
  method.call({ other: 1 }, 2);
  method.call({ factor: 2 }, 2);

  const breaker = circuitBreaker({ consecutiveFailures: 3, window: { bucketMs: 1_000, buckets: 10 }, fallback: ({ retryAfterMs }) => retryAfterMs });
  const answer = await breaker.execute(({ signal: inner, attempt }) => [inner.aborted, attempt] as const, { signal });
  same<typeof answer, readonly [boolean, number]>(true);
  same<typeof breaker.state, BreakerState>(true);
  const off: () => void = breaker.on('change', ({ from, to, cause }) => void [from === 'closed', to === 'open', cause === 'failure-ratio']);
  off();
  // @ts-expect-error not a mode
  breaker.setMode('open');
  // @ts-expect-error neither calls nor buckets
  circuitBreaker({ window: { seconds: 5 } });

  const wrapped = policy({ retry: { attempts: 2, jitter: 'decorrelated' }, retryBudget: retryBudget(), timeout: 100 }).wrap(save);
  same<ReturnType<typeof wrapped>, Promise<number>>(true);
  await wrapped('a');
  // @ts-expect-error an argument is missing
  await wrapped();
  const running: number = bulkhead({ maxConcurrent: 2 }).getMetrics().bulkhead.running;
  const maybe: number | undefined = policy({}).getMetrics().bulkhead?.running;
  const again = await retry(async ({ attempt }) => `${attempt}`, { attempts: 3, signal, shouldRetry: (error) => error instanceof Error });
  same<typeof again, string>(true);

  const limiter = rateLimit({ limit: 10, interval: 1_000, strict: true });
  const admitted: boolean = limiter.tryAcquire(2);
  await limiter.acquire({ signal, weight: 2 });
  const limited = rateLimited(save, { limit: 1 });
  same<ReturnType<typeof limited>, Promise<number>>(true);
  keyedRateLimit<number>({ limit: 1 }).for(7).tryAcquire();
  // @ts-expect-error a key of another type
  keyedRateLimit<number>({ limit: 1 }).for('7');

  const result = await throttled({ maxConcurrent: 2, overflow: 'drop-oldest' }).execute(() => 7, { priority: 9, signal });
  same<typeof result, number>(true);

  const loader = batch(async (ids: number[]) => ids.map((id) => (id < 0 ? new Error('no such id') : { id })), { key: (id) => id });
  const loaded = await loader.add(1);
  same<typeof loaded, { id: number }>(true);
  // @ts-expect-error an item of another type
  await loader.add('1');
  void [running, maybe, admitted];
}
