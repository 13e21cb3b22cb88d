import { QuillworkError, trapPlace } from './errors.js';
import type { CompiledModule } from './runtime/load.js';

/** The exports of `runtime.wasm` and, from {@link Core.isFull} on, `runtime-full.wasm`; what each does is written in `wasm/runtime/src/lib.rs`. */
export interface RuntimeExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  words_ptr(): number;
  floats_ptr(): number;
  answers_ptr(): number;
  text_ptr(): number;
  text_len(): number;
  pool_new(now: number): number;
  pool_submit(
    pool: number,
    now: number,
    task: number,
    type: number,
    priority: number,
    required: number,
    timeoutMs: number,
    queueTtlMs: number,
    redeliverable: number,
  ): number;
  pool_submit_many(
    pool: number,
    now: number,
    from: number,
    to: number,
    type: number,
    priority: number,
    required: number,
    timeoutMs: number,
    queueTtlMs: number,
    redeliverable: number,
  ): number;
  pool_submit_spec(pool: number, now: number, task: number): number;
  pool_abort(pool: number, now: number, task: number): number;
  pool_worker_ready(
    pool: number,
    now: number,
    worker: number,
    generation: number,
    capabilities: number,
    capacity: number,
    region: number,
  ): number;
  pool_worker_alive(pool: number, now: number, worker: number, generation: number): number;
  pool_worker_lost(pool: number, now: number, worker: number, generation: number): number;
  pool_answers(pool: number, now: number, worker: number, generation: number, from: number, to: number): number;
  pool_recycle(pool: number, now: number, worker: number, generation: number): number;
  pool_progress(pool: number, now: number, worker: number, generation: number, task: number): number;
  pool_resources(pool: number, now: number, memoryRatio: number, cpuRatio: number): number;
  pool_pause(pool: number, now: number, paused: number): number;
  pool_close(pool: number, now: number, drain: number): number;
  pool_deadline(pool: number, now: number): number;
  pool_drain(pool: number): number;
  pool_stats(pool: number, now: number): void;
  pool_worker_stats(pool: number, now: number): number;
  pool_type_stats(pool: number, now: number): number;
  pool_take_responses(pool: number): number;
  pool_take_runs(pool: number, place: number): number;
  /** This and the next three: of `runtime-full.wasm` only. */
  pool_candidates(pool: number, now: number, task: number): number;
  pool_strategy_answer(pool: number, now: number, task: number, worker: number): number;
  pool_recording(pool: number): number;
  pool_log_ptr(): number;
  cache_new(maxEntries: number, ttlMs: number): number;
  cache_get(cache: number, now: number, key: number): number;
  cache_set(cache: number, now: number, key: number): number;
  cache_has(cache: number, now: number, key: number): number;
  cache_remove(cache: number, key: number): number;
  cache_clear(cache: number): void;
  cache_drain(cache: number, now: number): number;
  cache_stats(cache: number): void;
}

/** Words of one output record. */
export const RECORD_WORDS = 5;
/** Output records that fit; where so many came, there may be more. */
export const MAX_RECORDS = 128;
/** Answers of workers that fit. */
export const MAX_ANSWERS = 512;
/** Words of one answer: the task, and one of {@link Said}. */
export const ANSWER_WORDS = 2;
/** What a worker says about a task. */
export const Said = { Done: 0, Failed: 1, Returned: 2, FailedForGood: 3 } as const;
/** Dropped keys that one call of a cache tells. */
export const MAX_DROPPED = 4_096;
const WORDS = RECORD_WORDS * MAX_RECORDS;
const FLOATS = 4_608;

/** One instance of `runtime.wasm` and the views of the memory that its answers are read from. */
export class Core {
  readonly exports: RuntimeExports;
  #words: Uint32Array;
  #floats: Float64Array;
  #answers: Uint32Array;

  constructor(module: CompiledModule) {
    // The module imports nothing: clock, timers and payloads stay on this side.
    this.exports = new WebAssembly.Instance(module as WebAssembly.Module, {}).exports as unknown as RuntimeExports;
    this.#words = this.#viewWords();
    this.#floats = this.#viewFloats();
    this.#answers = this.#viewAnswers();
  }

  /** Output records. A view goes stale when the memory grows; its length is zero then. */
  get words(): Uint32Array {
    if (this.#words.length === 0) {
      this.#words = this.#viewWords();
    }
    return this.#words;
  }

  /** Deadline and statistics. */
  get floats(): Float64Array {
    if (this.#floats.length === 0) {
      this.#floats = this.#viewFloats();
    }
    return this.#floats;
  }

  /** Where answers of workers are put. */
  get answers(): Uint32Array {
    if (this.#answers.length === 0) {
      this.#answers = this.#viewAnswers();
    }
    return this.#answers;
  }

  /** Size of the instance's memory. */
  get bytes(): number {
    return this.exports.memory.buffer.byteLength;
  }

  /** Whether the module is `runtime-full.wasm`, whose pools can bind early and be recorded. */
  get isFull(): boolean {
    return 'pool_recording' in this.exports;
  }

  /** What a refusal left to read. */
  text(): string {
    const { memory, text_ptr, text_len } = this.exports;
    return new TextDecoder().decode(new Uint8Array(memory.buffer, text_ptr(), text_len()));
  }

  /** Calls an export; a trap becomes `ERR_INTERNAL`. */
  call<Result>(run: (exports: RuntimeExports) => Result): Result {
    try {
      return run(this.exports);
    } catch (thrown) {
      throw this.fault(thrown);
    }
  }

  /** What a trap means. */
  fault(thrown: unknown): QuillworkError {
    return new QuillworkError('ERR_INTERNAL', `runtime.wasm failed ${trapPlace(thrown)}. Please report this`, {
      cause: thrown,
    });
  }

  // The pointers first: asking for one may make the memory grow, which detaches the buffer.

  #viewWords(): Uint32Array {
    const at = this.exports.words_ptr();
    return new Uint32Array(this.exports.memory.buffer, at, WORDS);
  }

  #viewFloats(): Float64Array {
    const at = this.exports.floats_ptr();
    return new Float64Array(this.exports.memory.buffer, at, FLOATS);
  }

  #viewAnswers(): Uint32Array {
    const at = this.exports.answers_ptr();
    return new Uint32Array(this.exports.memory.buffer, at, MAX_ANSWERS * ANSWER_WORDS);
  }
}
