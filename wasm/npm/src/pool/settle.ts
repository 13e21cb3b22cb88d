import { describe, QuillworkError } from '../errors.js';
import { Settlement } from './driver.js';
import type { PendingTask } from './task-table.js';

/** What the error of a settlement needs to know beside the task. */
export interface SettlementContext {
  /** Names of the capabilities in a set. */
  capabilityNames(bits: number): readonly string[];
  /** What the last lost worker said. */
  lastLoss(): unknown;
}

/** Settles a task's promise as the core decided. */
export function settle(task: PendingTask, settlement: number, detail: number, context: SettlementContext): void {
  if (task.failure !== undefined) {
    task.reject(task.failure);
    return;
  }
  switch (settlement) {
    case Settlement.Completed:
      task.resolve(task.outcome);
      break;
    case Settlement.Failed:
      task.reject(task.outcome);
      break;
    case Settlement.Aborted:
      task.reject(abortReason(task));
      break;
    default:
      task.reject(refusal(task, settlement, detail, context));
  }
}

/** Why the submitter gave a task up. */
export function abortReason(task: PendingTask): unknown {
  return task.signal?.aborted === true && task.signal.reason !== undefined
    ? task.signal.reason
    : new QuillworkError('ERR_ABORTED', `task "${task.name}" was aborted`);
}

/** The error of a task that ran for too long. */
export function timeoutError(task: PendingTask): QuillworkError {
  return new QuillworkError('ERR_TIMEOUT', `task "${task.name}" ran for longer than its timeoutMs of ${task.spec.timeoutMs}`);
}

function refusal(task: PendingTask, settlement: number, detail: number, context: SettlementContext): QuillworkError {
  const name = `task "${task.name}"`;
  switch (settlement) {
    case Settlement.TimedOut:
      return timeoutError(task);
    case Settlement.Expired:
      return new QuillworkError(
        'ERR_QUEUE_EXPIRED',
        `${name} found no free worker within its queueTtlMs of ${task.spec.queueTtlMs}`,
      );
    case Settlement.WorkerLost:
      return new QuillworkError(
        'ERR_WORKER_LOST',
        `${name} lost its worker (started ${detail} ${detail === 1 ? 'time' : 'times'}${
          context.lastLoss() === undefined ? '' : `; ${describe(context.lastLoss())}`
        }) and may not be started again${task.transfer === undefined ? '' : ': what was transferred is gone'}`,
        { cause: context.lastLoss() },
      );
    case Settlement.QueueFull:
      return new QuillworkError(
        'ERR_QUEUE_FULL',
        `${name} was refused: ${detail} tasks wait already. Submit again when some have ended, or raise maxQueue`,
      );
    case Settlement.TooManyWaiting:
      return new QuillworkError(
        'ERR_QUEUE_FULL',
        `${name} was refused: the queue is full and ${detail} tasks wait outside it already. Submit again when some have ended, or raise maxWaiting`,
      );
    case Settlement.Dropped:
      return new QuillworkError(
        'ERR_DROPPED',
        `${name} made room for another in a full queue, as the option \`overflow\` says. Raise maxQueue to keep more`,
      );
    case Settlement.Shed:
      return new QuillworkError(
        'ERR_SHED',
        `${name} was given up because memory runs short: only work of priority ${detail} and above is kept. Submit it again later`,
      );
    case Settlement.TooLarge:
      return new QuillworkError(
        'ERR_TOO_LARGE',
        `${name} has a complexity of ${task.spec.complexity}, and a worker takes ${detail}: raise the option \`concurrency\``,
      );
    case Settlement.NoCapableWorker:
      return new QuillworkError(
        'ERR_NO_CAPABLE_WORKER',
        `${name} was refused: no worker has ${context.capabilityNames(detail).join(', ')}`,
      );
    case Settlement.OnlyBannedWorkers:
      return new QuillworkError(
        'ERR_NO_CAPABLE_WORKER',
        `${name} was refused: its antiAffinity names every worker that could run it (${detail}). Ban fewer, or start more workers`,
      );
    case Settlement.WorkersUnavailable:
      return new QuillworkError(
        'ERR_WORKER_LOAD',
        `${name} was refused: ${detail} ${detail === 1 ? 'worker' : 'workers'} can't be started. ${describe(context.lastLoss())}`,
        { cause: context.lastLoss() },
      );
    case Settlement.Closing:
    case Settlement.Closed:
      return closedError(name);
    default:
      return new QuillworkError('ERR_INTERNAL', `${name} ended in a way that this version does not know (${settlement})`);
  }
}

/** The error of what a closed runtime is asked for. */
export function closedError(what: string): QuillworkError {
  return new QuillworkError('ERR_CLOSED', `${what} ended: the runtime was closed`);
}
