import { QuillworkError } from '../errors.js';
import { FlowClock } from '../flow/clock.js';
import { balanceCore, type BalanceCore, type BalanceModule } from '../balance-core.js';
import { Fleet, TOO_MANY_NAMES } from './fleet.js';
import { settings, strategyNumber, type LoadBalancerOptions } from './options.js';
import type { Row } from './row.js';
import type { StrategyName } from './strategy-names.js';
import { TaskNumbers } from './task.js';
import type { BalanceTask, BalanceWorker } from './types.js';
import { invalid, list } from './values.js';

/** A refusal as core tells it. */
export interface RefusalNumbers {
  readonly code: number;
  readonly details: readonly [number, number, number];
}

/** A balancer of core's, with the workers that it was told of. */
export class Engine {
  readonly fleet = new Fleet();
  /** The task of the last question. */
  readonly task = new TaskNumbers();
  /** Why the last choice failed. */
  refusal: RefusalNumbers | undefined;
  /** Grows with every question, so that an explanation of an earlier one is known to be late. */
  questions = 0;
  readonly #clock = new FlowClock();
  /** When the question at hand was asked. */
  #asked = 0;
  readonly #core: BalanceCore;
  readonly #handle: Handle;

  constructor(strategy: StrategyName, options: LoadBalancerOptions) {
    const given = settings(strategy, options);
    this.#core = balanceCore();
    const free = (core: BalanceModule, balancer: number): void => core.balance_free(balancer);
    const handle = new Handle(this.#core.make(given, (core) => core.balance_new()), 'balancer', free);
    this.#handle = handle;
    this.#core.freeWith(this, (core) => handle.free(core));
  }

  /** Milliseconds since this was made. */
  now(): number {
    return this.#clock.now();
  }

  /** Whose turn it is to choose. */
  setStrategy(name: StrategyName): void {
    const number = strategyNumber(name);
    this.call((core, balancer) => core.balance_strategy(balancer, number));
  }

  /** Chooses a worker, or `undefined` with {@link Engine.refusal}. `book` adds the task to the worker's load until the next question. */
  select(task: BalanceTask, workers: readonly BalanceWorker[], book = false): Row | undefined {
    this.prepare(task, workers);
    return this.choose(book);
  }

  /** Chooses for the task at hand among the workers of the last question. */
  choose(book: boolean): Row | undefined {
    this.#writeTask(0);
    const now = this.#asked;
    const chosen = this.call((core, balancer) => core.balance_select(balancer, now, book ? 1 : 0));
    const row = chosen < 0 ? this.#refused(chosen) : this.fleet.row(chosen);
    if (row !== undefined && book) {
      this.fleet.booked(row);
    }
    return row;
  }

  /** The workers that may have the task at hand, or `undefined` with {@link Engine.refusal}. */
  candidates(): Row[] | undefined {
    this.#writeTask(this.fleet.size);
    const now = this.#asked;
    const count = this.call((core, balancer) => core.balance_candidates(balancer, now));
    if (count < 0) {
      this.#refused(count);
      return undefined;
    }
    const rows = Array.from(this.floats.subarray(0, count), (number) => this.fleet.row(number) as Row);
    return rows.sort((one, other) => one.index - other.index);
  }

  /** Adds the task at hand to a worker's load until the next question. */
  book(row: Row): void {
    const now = this.#asked;
    this.call((core, balancer) => core.balance_book(balancer, now, row.number, this.task.complexity));
    this.fleet.booked(row);
  }

  /** For each worker of the last question: it, why it can't have the task at hand (0: it can), and two numbers that belong to that. */
  explain(): (readonly [row: Row, code: number, one: number, two: number])[] {
    this.#writeTask(this.fleet.size * EXPLAINED);
    const now = this.#asked;
    const count = this.call((core, balancer) => core.balance_explain(balancer, now));
    const rows = rowsOf(this.floats, count, EXPLAINED, ([number = 0, code = 0, one = 0, two = 0]) => {
      const row = this.fleet.row(number) as Row;
      return [row, code, one, two] as const;
    });
    return rows.sort(([one], [other]) => one.index - other.index);
  }

  /** For each worker of the last question: it, whether it may have the task at hand, its score and the four terms of that. */
  scores(): (readonly [row: Row, eligible: boolean, numbers: readonly number[]])[] {
    this.#writeTask(this.fleet.size * SCORED);
    const now = this.#asked;
    const count = this.call((core, balancer) => core.balance_scores(balancer, now));
    const rows = rowsOf(this.floats, count, SCORED, ([number = 0, eligible = 0, ...numbers]) => {
      const row = this.fleet.row(number) as Row;
      return [row, eligible === 1, numbers] as const;
    });
    return rows.sort(([one], [other]) => one.index - other.index);
  }

  /** Tells core of the workers, and reads the task. Throws `ERR_INVALID_OPTION` for what can't be read. */
  prepare(task: BalanceTask, workers: readonly BalanceWorker[]): void {
    this.follow(workers, () => this.task.read(task, this.fleet, this.questions));
  }

  /** Reads a further task for the workers of the last question. */
  nextTask(task: BalanceTask): void {
    this.#handle.check();
    this.questions += 1;
    this.#asked = this.now();
    this.task.read(task, this.fleet, this.questions);
    if (this.fleet.capabilities.isFull) {
      throw invalid(TOO_MANY_NAMES);
    }
  }

  /** Tells core of the workers; then `read` may read what names capabilities and workers. */
  follow(workers: readonly BalanceWorker[], read: () => void): void {
    this.#handle.check();
    list('`workers`', workers);
    this.questions += 1;
    this.#asked = this.now();
    const { fleet } = this;
    for (let isSecond = false; ; isSecond = true) {
      const floats = this.#core.reserve(fleet.room(workers.length));
      const rows = fleet.sync(workers, floats);
      if (!fleet.capabilities.isFull) {
        // Before anything else is read: where that can't be, core knows these workers all the same, as the fleet does.
        this.#tell(rows);
        read();
      }
      if (!fleet.capabilities.isFull) {
        break;
      }
      if (isSecond) {
        throw invalid(TOO_MANY_NAMES);
      }
      // Names that are out of use by now may have taken all the bits.
      fleet.capabilities.clear();
      fleet.tellAgain();
    }
  }

  /** Makes core know a worker that isn't among those of a question. */
  introduce(row: Row): void {
    if (row.isPresent || row.stale !== 3) {
      return;
    }
    this.fleet.introduce(row, this.#core.floats);
    this.#asked = this.now();
    this.#tell(1);
  }

  /** Reserves floats, and gives them. */
  reserve(count: number): Float64Array {
    return this.#core.reserve(count);
  }

  /** Where answers are. */
  get floats(): Float64Array {
    return this.#core.floats;
  }

  /** Hands numbers to an export that answers 0 where it can't use them. Throws `ERR_INVALID_OPTION` with what core says of them. */
  give(numbers: readonly number[], run: (core: BalanceModule, balancer: number) => number): void {
    const balancer = this.#handle.check();
    this.#core.make(numbers, (core) => run(core, balancer));
  }

  /** Calls an export. */
  call<Result>(run: (core: BalanceModule, balancer: number) => Result): Result {
    const balancer = this.#handle.check();
    return this.#core.call((core) => run(core, balancer));
  }

  /** Frees core's memory now. */
  dispose(): void {
    this.#handle.free(this.#core.exports);
  }

  #tell(rows: number): void {
    const now = this.#asked;
    if (rows > 0) {
      this.call((core, balancer) => core.balance_sync(balancer, now, rows));
    }
    for (const { number } of this.fleet.outgrown()) {
      this.call((core, balancer) => core.balance_forget(balancer, now, number));
    }
  }

  #refused(answer: number): undefined {
    const [one = 0, two = 0, three = 0] = this.floats;
    this.refusal = { code: -answer, details: [one, two, three] };
    return undefined;
  }

  #writeTask(answer: number): void {
    this.task.write(this.#core.reserve(Math.max(this.task.room, answer)));
  }
}

/** Core's side of a thing, freed once. */
export class Handle {
  #value: number;
  readonly #what: string;
  readonly #free: (core: BalanceModule, value: number) => void;

  constructor(value: number, what: string, free: (core: BalanceModule, value: number) => void) {
    this.#value = value;
    this.#what = what;
    this.#free = free;
  }

  /** The handle, or `ERR_CLOSED`. */
  check(): number {
    if (this.#value === 0) {
      throw new QuillworkError('ERR_CLOSED', `this ${this.#what} was disposed of: make a new one`);
    }
    return this.#value;
  }

  get isFree(): boolean {
    return this.#value === 0;
  }

  free(core: BalanceModule): void {
    if (this.#value !== 0) {
      this.#free(core, this.#value);
      this.#value = 0;
    }
  }
}

/** Rows of so many floats each. */
export function rowsOf<Made>(floats: Float64Array, count: number, width: number, make: (row: number[]) => Made): Made[] {
  return Array.from({ length: count }, (_, at) => make([...floats.subarray(at * width, (at + 1) * width)]));
}

const EXPLAINED = 4;
const SCORED = 7;
