import type { Engine, RefusalNumbers } from './engine.js';
import type { WorkerKey } from './types.js';
import { show, STATUS_NAMES } from './values.js';

/** Why no worker got a task: the first of these that holds, each of the workers that the ones before it left over. */
export type RefusalReason =
  /** The list of workers is empty. */
  | 'no-workers'
  /** No worker has all capabilities, whatever its status. */
  | 'no-capable-worker'
  /** The task is larger than every capable worker, empty or not. */
  | 'too-large'
  /** The task's `antiAffinity` bans all that could run it. */
  | 'all-excluded'
  /** The rules for its type forbid all that could run it. */
  | 'all-forbidden'
  /** All that could run it are booting, draining or offline. */
  | 'all-offline'
  /** All that could run it are ejected for their failures. */
  | 'all-ejected'
  /** All that could run it are full. */
  | 'no-room'
  /** A strategy of your own chose nobody. */
  | 'declined';

/** Why one worker can't have a task; `eligible` where it can. */
export type WorkerReason = 'eligible' | 'lacks-capabilities' | 'excluded' | 'forbidden' | 'not-up' | 'ejected' | 'no-room';

/** What became of the last {@link LoadBalancer.selectWorker}, and why. */
export interface Explanation {
  /** The worker that was chosen, or `null`. */
  readonly worker: WorkerKey | null;
  /** The strategy that chose, or would have. */
  readonly strategy: string;
  readonly reason: 'selected' | RefusalReason;
  /** The same in words. */
  readonly message: string;
  /** Whether waiting can help: the same task may be accepted later without another worker. */
  readonly mayPass: boolean;
  /** After a refusal, each worker. Empty after a choice, and where other questions were asked in between. */
  readonly workers: readonly { readonly worker: WorkerKey; readonly reason: WorkerReason; readonly message: string }[];
}

/** A refusal in words. */
export function refusalOf(engine: Engine, { code, details: [one, two, three] }: RefusalNumbers): {
  readonly reason: RefusalReason;
  readonly message: string;
  readonly mayPass: boolean;
} {
  const reason = REASONS[code - 1] as RefusalReason;
  const messages: Record<RefusalReason, () => string> = {
    'no-workers': () => 'there are no workers',
    'no-capable-worker': () => `no worker has all that the task requires; the closest lacks ${nameList(engine, one, two)}`,
    'too-large': () => `the task weighs ${engine.task.complexity}, and the largest worker that could run it holds ${one}`,
    'all-excluded': () => `the task's antiAffinity bans all ${one} workers that could run it`,
    'all-forbidden': () => `the rules for the task's type forbid all ${one} workers that could run it`,
    'all-offline': () => `of the workers that could run it ${one} are booting, ${two} draining and ${three} offline`,
    'all-ejected': () => `all workers that could run it are ejected for their failures, the first for another ${wait(engine, one)} ms`,
    'no-room': () => `the task needs ${one} units of load, and the most that a worker has left is ${two}`,
    declined: () => 'the strategy chose nobody',
  };
  return { reason, message: messages[reason](), mayPass: code >= FIRST_THAT_PASSES };
}

/** Each worker of the last question. */
export function explainWorkers(engine: Engine): Explanation['workers'] {
  return engine.explain().map(([{ id }, code, one, two]) => {
    const reason = WORKER_REASONS[code] as WorkerReason;
    const messages: Record<WorkerReason, () => string> = {
      eligible: () => 'it may have the task',
      'lacks-capabilities': () => `it lacks ${nameList(engine, one, two)}`,
      excluded: () => "the task's antiAffinity bans it",
      forbidden: () => "a rule for the task's type forbids it",
      'not-up': () => `it is ${STATUS_NAMES[one]}`,
      ejected: () => `it is ejected for its failures for another ${wait(engine, one)} ms`,
      'no-room': () => `the task needs ${one} units of load, and it has ${two} left`,
    };
    return { worker: id, reason, message: messages[reason]() };
  });
}

function nameList(engine: Engine, low: number, high: number): string {
  return engine.fleet.capabilities.names(low, high).map(show).join(', ');
}

function wait(engine: Engine, until: number): number {
  return Math.max(0, Math.ceil(until - engine.now()));
}

const REASONS: readonly RefusalReason[] = [
  'no-workers',
  'no-capable-worker',
  'too-large',
  'all-excluded',
  'all-forbidden',
  'all-offline',
  'all-ejected',
  'no-room',
];
const WORKER_REASONS: readonly WorkerReason[] = [
  'eligible',
  'lacks-capabilities',
  'excluded',
  'forbidden',
  'not-up',
  'ejected',
  'no-room',
];
/** Offline, ejected, full. */
const FIRST_THAT_PASSES = 6;
