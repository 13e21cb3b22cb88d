import { known } from '../checks.js';
import { QuillworkError } from '../errors.js';
import { Engine } from './engine.js';
import { explainWorkers, refusalOf, type Explanation, type RefusalReason } from './explain.js';
import type { Row } from './row.js';
import { History } from './history.js';
import { migrations, type MigrationSuggestion, type QueueItem } from './migration.js';
import { BALANCER_OPTIONS, strategyNumber, type LoadBalancerOptions } from './options.js';
import { overload, type OverloadReport } from './overload.js';
import { WaitingLine, type Assigned } from './queue.js';
import { BuiltInStrategy, learn, weightsOf, type CustomStrategy } from './strategies.js';
import { STRATEGY_NAMES, type AdaptiveWeights, type StrategyName } from './strategy-names.js';
import type { BalanceTask, BalanceWorker, WorkerKey, WorkerScore } from './types.js';
import { priority as priorityOf, invalid, list, show } from './values.js';

/** Where a task of {@link LoadBalancer.distributeTasks} goes. */
export interface Distribution<Task, Worker> {
  readonly task: Task;
  /** `null` where none may have it any more. */
  readonly worker: Worker | null;
  /** Why it goes nowhere. */
  readonly reason?: RefusalReason;
  readonly message?: string;
}

/** What a balancer has done since it was made, or since {@link LoadBalancer.resetMetrics}. */
export interface AssignmentMetrics {
  /** Choices that named a worker, by {@link LoadBalancer.selectWorker} or for a list or a queue. */
  readonly assigned: number;
  /** Choices that named none. */
  readonly refused: number;
  readonly refusals: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Choices by the strategy that made them. */
  readonly byStrategy: Readonly<Record<string, number>>;
  /** How often a strategy of your own threw or answered nonsense. */
  readonly strategyFailures: number;
  /** By worker. One that has been away for long is forgotten. */
  readonly byWorker: ReadonlyMap<WorkerKey, WorkerAssignments>;
}

/** The part of one worker. */
export interface WorkerAssignments {
  readonly assigned: number;
  /** Outcomes told by {@link LoadBalancer.updateContext}. */
  readonly succeeded: number;
  readonly failed: number;
  /** What an outcome took on average, in milliseconds; `null` before the first. */
  readonly averageDurationMs: number | null;
}

/**
 * Decides which worker gets a task. Workers and tasks are plain objects, read with each question and never held on to; loads are the
 * caller's to keep (`currentLoad`). What the balancer keeps is what it has learned by {@link LoadBalancer.updateContext}. A worker that isn't
 * among those of a call is remembered for when it returns.
 *
 * Where tasks can wait in one queue and workers take them when they are free, as in the pool of {@link createRuntime}, that beats every
 * strategy. This is for where a task must be bound at once: workers of your own, remote ones, warm caches.
 *
 * Two balancers know nothing of each other. The same seed, calls and times make the same choices.
 */
export class LoadBalancer {
  readonly #engine: Engine;
  readonly #custom = new Map<string, CustomStrategy>();
  readonly #fallback: StrategyName | undefined;
  readonly #history: History;
  readonly #line = new WaitingLine();
  #strategy: string;
  #last: (() => Explanation) | undefined;

  /**
   * `strategy`: the name of a built-in one, an instance of one, or one of your own. Default `least-loaded`. An instance's own options are
   * used where `options` say nothing.
   */
  constructor(strategy: StrategyName | BuiltInStrategy | CustomStrategy = 'least-loaded', options: LoadBalancerOptions = {}) {
    known('LoadBalancer', options, BALANCER_OPTIONS);
    const isCustom = typeof strategy === 'object' && !(strategy instanceof BuiltInStrategy);
    const all = strategy instanceof BuiltInStrategy ? { ...strategy.options, ...options } : options;
    const builtIn = typeof strategy === 'string' ? strategy : strategy instanceof BuiltInStrategy ? strategy.name : 'least-loaded';
    this.#engine = new Engine(builtIn, all);
    this.#fallback = all.fallback;
    if (this.#fallback !== undefined) {
      strategyNumber(this.#fallback);
    }
    this.#strategy = builtIn;
    this.#history = new History(this.#engine);
    this.#history.learnAll(all.taskHistory);
    this.#history.addRules(all.affinityRules);
    if (isCustom) {
      this.registerStrategy(strategy);
      this.#strategy = strategy.name;
    }
  }

  /** Chooses a worker for the task, or `null` where none may have it: {@link LoadBalancer.explain} says why. Adds nothing to its load. */
  selectWorker<Worker extends BalanceWorker>(task: BalanceTask, workers: readonly Worker[]): Worker | null {
    this.#engine.prepare(task, workers);
    const row = this.#choose(task, workers, false);
    return row === undefined ? null : (workers[row.index] as Worker);
  }

  /**
   * The same with a preference for workers of a region (default: the task's own). Where none there may have it, those with the shortest
   * `latency`: within a quarter, or 1 ms, of the shortest.
   */
  selectWorkerByRegion<Worker extends BalanceWorker>(
    task: BalanceTask,
    workers: readonly Worker[],
    region: string | undefined = task.region,
  ): Worker | null {
    return this.selectWorker({ ...task, region }, workers);
  }

  /** What became of the last choice, and why; `undefined` before the first. */
  explain(): Explanation | undefined {
    return this.#last?.();
  }

  /** How good each worker is for the task, the best first. Those that may not have it are scored all the same. */
  scoreWorkers<Worker extends BalanceWorker>(task: BalanceTask, workers: readonly Worker[]): WorkerScore<Worker>[] {
    this.#engine.prepare(task, workers);
    const scores = this.#engine.scores().map(([row, eligible, [score = 0, capacity = 0, performance = 0, affinity = 0, reliability = 0]]) => ({
      worker: workers[row.index] as Worker,
      score,
      eligible,
      breakdown: {
        capacityScore: capacity,
        performanceScore: performance,
        affinityScore: affinity,
        reliabilityScore: reliability,
      },
    }));
    return scores.sort((one, other) => other.score - one.score);
  }

  /**
   * Tells how a task ended. `durationMs` is what it took on the worker, in milliseconds. It is taken for the oldest choice of this worker
   * for this type that waits for its outcome, of the last 1,024; that is what adaptive learns from.
   */
  updateContext(workerId: WorkerKey, taskType: string, success: boolean, durationMs: number): void {
    learn(this.#engine, workerId, taskType, success, durationMs);
  }

  /**
   * Who is overloaded, and what would help, the most urgent first. An overload begins at a pressure of `overload.enter` and ends below
   * `overload.leave`, so call it regularly, and with the same workers.
   */
  detectOverload(workers: readonly BalanceWorker[]): OverloadReport {
    return overload(this.#engine, workers);
  }

  /**
   * Which waiting tasks are worth their move to another worker, those that gain most first. `queue` has the tasks that wait, those with an
   * `assignedWorker` on that one; others aren't anybody's to give away. A worker's `currentLoad` includes what waits on it; its
   * first `concurrency` tasks run and stay.
   *
   * A move is suggested where it gains `migration.margin` times its cost (both latencies, `sizeBytes`, a cold start) and `minGainMs` more.
   */
  suggestMigration(workers: readonly BalanceWorker[], queue: readonly QueueItem[] = []): MigrationSuggestion[] {
    return migrations(this.#engine, workers, queue);
  }

  /**
   * Puts a queue into the order in which it should go, with the worker that each task should go to: `null` where the workers are full by
   * then. Tasks are due at `submitted - priority * ageingMs + expected time * shortFirst`; the earliest goes first, and none is overtaken by
   * more than `reorder.maxOvertaken` later ones. The balancer remembers by `id` who has waited: call it with one queue, take
   * tasks from the front.
   */
  reorderQueue<Item extends QueueItem>(queue: readonly Item[], workers: readonly BalanceWorker[]): Assigned<Item>[] {
    const ordered = this.#line.reorder(this.#engine, queue);
    return this.#distribute(
      ordered,
      ({ requirements, id }) => ({ id, ...requirements }),
      workers,
      (item, row) => ({ ...item, assignedWorker: row?.id ?? null }),
    );
  }

  /**
   * Chooses a worker for each of several tasks, the most urgent first, of equals the first; each choice sees the load of those before it.
   * In the order of the choices.
   */
  distributeTasks<Task extends BalanceTask, Worker extends BalanceWorker>(
    tasks: readonly Task[],
    workers: readonly Worker[],
  ): Distribution<Task, Worker>[] {
    list('`tasks`', tasks);
    const urgency = new Map(tasks.map((task) => [task, priorityOf('a task', task?.priority)]));
    const ordered = [...tasks].sort((one, other) => (urgency.get(other) ?? 0) - (urgency.get(one) ?? 0));
    return this.#distribute(ordered, (task) => task, workers, (task, row, refusal) =>
      row === undefined
        ? { task, worker: null, ...(refusal === undefined ? {} : { reason: refusal.reason as RefusalReason, message: refusal.message }) }
        : { task, worker: workers[row.index] as Worker },
    );
  }

  /** Adds a strategy of your own. {@link LoadBalancer.setStrategy} lets it choose. */
  registerStrategy(strategy: CustomStrategy): void {
    if (typeof strategy?.name !== 'string' || strategy.name === '' || typeof strategy.selectWorker !== 'function') {
      throw invalid('a strategy is an object with a `name` and a function `selectWorker(task, workers)`');
    }
    if (this.getStrategies().includes(strategy.name)) {
      throw invalid(`a strategy named ${show(strategy.name)} is registered already: name it otherwise`);
    }
    this.#custom.set(strategy.name, strategy);
  }

  /** Lets another strategy choose from now on. Nothing that was learned is lost. */
  setStrategy(name: StrategyName | (string & {})): void {
    if (!this.#custom.has(name)) {
      strategyNumber(name);
      this.#engine.setStrategy(name as StrategyName);
    }
    this.#strategy = name;
  }

  /** The name of the strategy that chooses. */
  getCurrentStrategy(): string {
    return this.#strategy;
  }

  /** The names of all strategies, your own last. */
  getStrategies(): string[] {
    return [...STRATEGY_NAMES, ...this.#custom.keys()];
  }

  /** The weights that adaptive's next choice for this type of task uses; they sum to 1. It learns while it is the one that chooses. */
  getWeights(taskType?: string): AdaptiveWeights {
    return weightsOf(this.#engine, taskType);
  }

  /** What was chosen and refused. */
  getMetrics(): AssignmentMetrics {
    return this.#history.metrics();
  }

  /** Counts from 0 again. What was learned stays. */
  resetMetrics(): void {
    this.#history.reset();
  }

  /** What adaptive has learned, as bytes to keep: {@link LoadBalancer.restore} goes on from them, on any machine. */
  save(): Uint8Array {
    const count = this.#engine.call((core, balancer) => core.balance_save(balancer));
    return Uint8Array.from(this.#engine.reserve(count).subarray(0, count));
  }

  /** Goes on from what was saved, and forgets what adaptive has learned itself. Throws `ERR_INVALID_OPTION` for other bytes. */
  restore(saved: Uint8Array): void {
    if (!(saved instanceof Uint8Array)) {
      throw invalid(`restore takes the bytes of save(), a Uint8Array, not ${show(saved)}`);
    }
    this.#engine.give([...saved], (core, balancer) => core.balance_restore(balancer, saved.length));
  }

  /** Frees what it holds now instead of when it is collected. It can't be used any more then. */
  [Symbol.dispose](): void {
    this.#engine.dispose();
  }

  /** Chooses for one after the other, each with the load of those before it. */
  #distribute<From, To>(
    tasks: readonly From[],
    taskOf: (task: From) => BalanceTask,
    workers: readonly BalanceWorker[],
    make: (task: From, row: Row | undefined, refusal: Explanation | undefined) => To,
  ): To[] {
    // All are read before the first is placed: one that can't be read changes nothing.
    this.#engine.follow(workers, () => tasks.forEach((from) => this.#engine.task.read(taskOf(from), this.#engine.fleet, 0)));
    return tasks.map((from) => {
      const task = taskOf(from);
      this.#engine.nextTask(task);
      const row = this.#choose(task, workers, true);
      return make(from, row, row === undefined ? this.explain() : undefined);
    });
  }

  /** Chooses for the task at hand among the workers of the last question. */
  #choose(task: BalanceTask, workers: readonly BalanceWorker[], book: boolean): Row | undefined {
    const custom = this.#custom.get(this.#strategy);
    if (custom !== undefined) {
      return this.#ask(custom, task, workers, book);
    }
    return this.#note(this.#strategy, this.#engine.choose(book));
  }

  /** Lets a strategy of the app's choose. */
  #ask(custom: CustomStrategy, task: BalanceTask, workers: readonly BalanceWorker[], book: boolean): Row | undefined {
    const eligible = this.#engine.candidates();
    if (eligible === undefined) {
      return this.#note(custom.name, undefined);
    }
    const question = this.#engine.questions;
    const answered = (): void => {
      if (this.#engine.questions !== question) {
        // It has asked this balancer something itself.
        this.#engine.prepare(task, workers);
      }
    };
    let failure: QuillworkError;
    try {
      const answer = custom.selectWorker(
        task,
        eligible.map((row) => workers[row.index] as BalanceWorker),
      );
      if (answer === null || answer === undefined) {
        this.#history.refused('declined');
        const message = `${custom.name} chose nobody`;
        this.#last = () => ({ worker: null, strategy: custom.name, reason: 'declined', message, mayPass: true, workers: [] });
        return undefined;
      }
      const id = typeof answer === 'object' ? answer.id : answer;
      const row = eligible.find((candidate) => candidate.id === id);
      if (row !== undefined) {
        if (book) {
          answered();
          this.#engine.book(row);
        }
        return this.#note(custom.name, row);
      }
      failure = new QuillworkError('ERR_STRATEGY', wrongAnswer(custom.name, answer, id));
    } catch (thrown) {
      failure = new QuillworkError('ERR_STRATEGY', `the strategy ${show(custom.name)} threw: ${show(thrown)}`, { cause: thrown });
    }
    this.#history.strategyFailures += 1;
    if (this.#fallback === undefined) {
      throw failure;
    }
    answered();
    this.#engine.setStrategy(this.#fallback);
    return this.#note(this.#fallback, this.#engine.choose(book));
  }

  /** Counts a choice and remembers how to explain it. */
  #note(strategy: string, row: Row | undefined): Row | undefined {
    const engine = this.#engine;
    if (row !== undefined) {
      this.#history.assigned(strategy, row);
      const { id } = row;
      this.#last = () => ({
        worker: id,
        strategy,
        reason: 'selected',
        message: `${strategy} chose worker ${show(id)}`,
        mayPass: false,
        workers: [],
      });
      return row;
    }
    const { refusal, questions } = engine;
    if (refusal !== undefined) {
      const { reason, message, mayPass } = refusalOf(engine, refusal);
      this.#history.refused(reason);
      this.#last = () => ({
        worker: null,
        strategy,
        reason,
        message,
        mayPass,
        workers: engine.questions === questions ? explainWorkers(engine) : [],
      });
    }
    return undefined;
  }
}

function wrongAnswer(name: string, answer: unknown, id: unknown): string {
  return typeof (answer as PromiseLike<unknown>)?.then === 'function'
    ? `the strategy ${show(name)} answered a promise: selectWorker must answer a worker, at once`
    : `the strategy ${show(name)} chose ${show(id)}, which is none of the workers that may have the task: answer one of those that it is given, or its id`;
}
