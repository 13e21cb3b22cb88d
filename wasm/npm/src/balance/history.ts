import { known } from '../checks.js';
import type { Engine } from './engine.js';
import type { RefusalReason } from './explain.js';
import type { Row } from './row.js';
import type { AssignmentMetrics, WorkerAssignments } from './load-balancer.js';
import type { AffinityRule, LoadBalancerOptions } from './options.js';
import { learn } from './strategies.js';
import { typeOf } from './task.js';
import type { WorkerKey } from './types.js';
import { invalid, key, keys, list, object, show } from './values.js';

/** What a balancer was told of the past when it was made, and what it counts. */
export class History {
  readonly #engine: Engine;
  #assigned = 0;
  #refused = 0;
  #refusals: Partial<Record<RefusalReason, number>> = {};
  #byStrategy: Record<string, number> = {};
  strategyFailures = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Learns from outcomes of before. */
  learnAll(history: LoadBalancerOptions['taskHistory']): void {
    for (const [taskType, entries] of mapOf('taskHistory', history)) {
      list(`\`taskHistory\` of ${show(taskType)}`, entries);
      for (const entry of entries) {
        object(`an entry of \`taskHistory\` of ${show(taskType)}`, entry);
        learn(this.#engine, entry.workerId, taskType, entry.success ?? true, entry.durationMs ?? ASSUMED_MS);
      }
    }
    this.reset();
  }

  /** Adds rules about workers, known or not. */
  addRules(rules: LoadBalancerOptions['affinityRules']): void {
    for (const [taskType, rule] of mapOf('affinityRules', rules)) {
      const type = typeOf(taskType, '`affinityRules`');
      for (const [effect, workers] of ruleOf(taskType, rule).entries()) {
        for (const id of workers) {
          const row = this.#engine.fleet.add(key('a worker of `affinityRules`', id));
          row.pinned = true;
          this.#engine.introduce(row);
          this.#engine.call((core, balancer) => core.balance_rule(balancer, type, row.number, effect));
        }
      }
    }
  }

  assigned(strategy: string, row: Row): void {
    this.#assigned += 1;
    row.assigned += 1;
    this.#byStrategy[strategy] = (this.#byStrategy[strategy] ?? 0) + 1;
  }

  refused(reason: RefusalReason): void {
    this.#refused += 1;
    this.#refusals[reason] = (this.#refusals[reason] ?? 0) + 1;
  }

  metrics(): AssignmentMetrics {
    const byWorker = new Map<WorkerKey, WorkerAssignments>();
    for (const { id, assigned, succeeded, failed, busyMs } of this.#engine.fleet.rows()) {
      const outcomes = succeeded + failed;
      if (assigned + outcomes > 0) {
        byWorker.set(id, { assigned, succeeded, failed, averageDurationMs: outcomes === 0 ? null : busyMs / outcomes });
      }
    }
    return {
      assigned: this.#assigned,
      refused: this.#refused,
      refusals: { ...this.#refusals },
      byStrategy: { ...this.#byStrategy },
      strategyFailures: this.strategyFailures,
      byWorker,
    };
  }

  reset(): void {
    this.#assigned = 0;
    this.#refused = 0;
    this.#refusals = {};
    this.#byStrategy = {};
    this.strategyFailures = 0;
    for (const row of this.#engine.fleet.rows()) {
      row.assigned = 0;
      row.succeeded = 0;
      row.failed = 0;
      row.busyMs = 0;
    }
  }
}

function mapOf<Value>(name: string, map: ReadonlyMap<string, Value> | undefined): ReadonlyMap<string, Value> {
  if (map !== undefined && !(map instanceof Map)) {
    throw invalid(`\`${name}\` is a Map by task type, not ${show(map)}`);
  }
  return map ?? new Map<string, Value>();
}

/** The workers that are preferred, required and forbidden, in core's order of effects. */
function ruleOf(taskType: string, rule: AffinityRule): readonly (readonly WorkerKey[])[] {
  const what = `\`affinityRules\` of ${show(taskType)}`;
  if (typeof rule === 'object' && rule !== null && !(Symbol.iterator in rule)) {
    known(what, rule, 'prefer require forbid');
    return [keys(what, rule.prefer), keys(what, rule.require), keys(what, rule.forbid)];
  }
  return [keys(what, rule as WorkerKey | Iterable<WorkerKey>)];
}

const ASSUMED_MS = 100;
