/**
 * What page and worker say to each other.
 *
 * A message is one flat array: `MAGIC`, then groups of records. What one microtask has to say goes out as one message, and records of one
 * kind that follow each other share a group, so that a short task without input costs a message one number. Flat arrays of numbers and
 * payloads clone several times faster than arrays of objects. Whatever does not start with `MAGIC` is the app's own and left alone.
 *
 * A record has a kind, a task's id, a small number `a` and a payload `b`. A group is its records' `kind` and `a`, which they have in
 * common, and a count: positive where so many pairs of an id and a `b` follow, negative where so many ids do and no record has a `b`.
 */

/** First element of every message, with the version of this protocol in its last digit. */
export const MAGIC = 0x51574b3;

/** Calls back with every record of a message, in its order. */
export function eachRecord(message: readonly unknown[], handle: (kind: number, id: number, a: number | undefined, b: unknown) => void): void {
  for (let at = 1; at < message.length; ) {
    const kind = message[at] as number;
    const a = message[at + 1] as number | undefined;
    const count = message[at + 2] as number;
    at += GROUP_HEAD;
    if (count < 0) {
      for (const end = at - count; at < end; at += 1) {
        handle(kind, message[at] as number, a, undefined);
      }
    } else {
      for (const end = at + 2 * count; at < end; at += 2) {
        handle(kind, message[at] as number, a, message[at + 1]);
      }
    }
  }
}

/** Whether a message is one of ours. */
export function isOurs(message: unknown): message is readonly unknown[] {
  return Array.isArray(message) && message[0] === MAGIC;
}

/**
 * First group of a message that goes beside a ring in shared memory, in either direction: it was sent when the ring had come to position
 * `a`, and its only id is the number of the message. See `ring/`.
 */
export const ORDER = 0;

/** Elements of a group before its records. */
const GROUP_HEAD = 3;

// From page to worker:

/**
 * Asks for `READY`, which a worker says once; `b` is the list of capabilities that the worker carries, how much it runs at a time, and
 * the flags by which it can see that a task was aborted and the ring for short messages, where memory can be shared.
 */
export const HELLO = 1;
/** `b` is the reason as a `Sent` value. */
export const ABORT = 2;
/** Answered by `PONG` as soon as the worker's event loop turns. */
export const PING = 3;
/** Give this task back if it has not started. Answered by `RETURNED`, or in time by what came of it. */
export const TAKE = 4;
/** `a` more items of a stream are wanted. */
export const MORE = 5;
/**
 * This and above: run a task. `kind - RUN` is twice the number of the attempt, and one more where the answer may not wait for the tasks
 * behind it; `b` is its input, `a` the index of its name in `READY`; plus `WEIGHT` times by how much its complexity exceeds 1; plus, where
 * it is a stream, `STREAM` times how many items are wanted at first.
 */
export const RUN = 8;
/** More names than a module exposes. */
export const WEIGHT = 2 ** 20;
/** More than names and complexities make. */
export const STREAM = 2 ** 30;

// From worker to page:

/** The module has loaded; `b` is the list of task names. */
export const READY = 1;
/** `b` is the result, `a` the index of the task's name. */
export const DONE = 2;
/** `b` is a `Sent` error. */
export const FAILED = 3;
/** `b` is what the task reported. */
export const PROGRESS = 4;
/** Sign of life; `b` is how many bytes the worker's heap has, or `undefined`. */
export const PONG = 5;
/** A message from the page could not be deserialised here; `b` is the list of the tasks that the worker has. */
export const GARBLED = 6;
/** The task was not started, and is not going to be. */
export const RETURNED = 7;
/** `b` is what a stream yielded. */
export const ITEM = 8;
/** `b` is what the worker computes on: a `ComputeInfo`. */
export const DEVICE = 9;
/** The worker listens to the ring that it was given. */
export const RING = 10;
