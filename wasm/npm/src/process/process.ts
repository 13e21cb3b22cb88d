import { abortSignal, known, whole } from '../checks.js';
import { QuillworkError } from '../errors.js';
import { Pipeline } from './pipeline.js';
import { estimateBytes } from './size.js';
import { readerOf } from './source.js';
import { asStage, MOST } from './stage.js';
import type { OnError, Processed, ProcessOptions, Source, Stage, Step } from './types.js';

/**
 * Sends the items of a source through stages, each a function in this thread or a task in workers, many items at a time, and gives the
 * results in order.
 *
 * ```ts
 * const rows = process(files, [stage(fetchText, { concurrency: 8 }), workerStage(runtime, 'parse')], { memoryBudgetBytes: 64e6 });
 * for await (const row of rows) { show(row); }
 * ```
 *
 * What comes out is what a loop over the items would give that awaits each stage in turn, its error too: results of the items before it
 * come first. Nothing is read before the first result is asked for, and no more than the stages, or the budget, have room for.
 *
 * Throws `ERR_INVALID_OPTION`, and `ERR_WASM_LOAD` where a page forbids WebAssembly.
 */
export function process<A>(source: Source<A>, stages: readonly [], options?: ProcessOptions): Processed<A>;
export function process<A, B>(source: Source<A>, stages: readonly [Step<A, B>], options?: ProcessOptions): Processed<B>;
export function process<A, B, C>(source: Source<A>, stages: readonly [Step<A, B>, Step<B, C>], options?: ProcessOptions): Processed<C>;
export function process<A, B, C, D>(
  source: Source<A>,
  stages: readonly [Step<A, B>, Step<B, C>, Step<C, D>],
  options?: ProcessOptions,
): Processed<D>;
export function process<A, B, C, D, E>(
  source: Source<A>,
  stages: readonly [Step<A, B>, Step<B, C>, Step<C, D>, Step<D, E>],
  options?: ProcessOptions,
): Processed<E>;
export function process<A, B, C, D, E, F>(
  source: Source<A>,
  stages: readonly [Step<A, B>, Step<B, C>, Step<C, D>, Step<D, E>, Step<E, F>],
  options?: ProcessOptions,
): Processed<F>;
export function process<A, B, C, D, E, F, G>(
  source: Source<A>,
  stages: readonly [Step<A, B>, Step<B, C>, Step<C, D>, Step<D, E>, Step<E, F>, Step<F, G>],
  options?: ProcessOptions,
): Processed<G>;
/** As many stages as there are, all of one type. */
export function process<A>(source: Source<A>, stages: readonly Step<A, A>[], options?: ProcessOptions): Processed<A>;
export function process(
  source: Source<unknown>,
  stages: readonly Step<never, unknown>[],
  options: ProcessOptions = {},
): Processed<unknown> {
  const {
    concurrency = 1,
    memoryBudgetBytes,
    sizeOf,
    onError = 'throw',
    ordered = true,
    signal,
  } = known('process', options, 'concurrency memoryBudgetBytes sizeOf onError ordered signal');
  if (!Array.isArray(stages)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `the stages are an array, not ${String(stages)}`);
  }
  if (memoryBudgetBytes !== undefined && !(memoryBudgetBytes > 0)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`memoryBudgetBytes\` is a number of bytes above 0, not ${String(memoryBudgetBytes)}`);
  }
  if (sizeOf !== undefined && typeof sizeOf !== 'function') {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`sizeOf\` is a function, not ${String(sizeOf)}`);
  }
  checkOnError(onError);
  return new Pipeline(
    () => readerOf(source),
    stages.map((step) => asStage(step as Step<unknown, unknown>)) as Stage<unknown, unknown>[],
    {
      concurrency: whole('concurrency', concurrency, 1, MOST),
      budgetBytes: memoryBudgetBytes ?? Infinity,
      sizeOf: sizeOf ?? (memoryBudgetBytes === undefined ? undefined : estimateBytes),
      onError,
      ordered,
      signal: abortSignal(signal),
    },
  );
}

function checkOnError(onError: OnError): void {
  if (onError !== 'throw' && onError !== 'skip' && typeof onError !== 'function') {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`onError\` is 'throw', 'skip' or a function, not ${String(onError)}`);
  }
}
