/**
 * What page and worker say to each other.
 *
 * A message is one flat array: `MAGIC`, then records. Flat arrays of numbers and payloads clone several times faster than
 * arrays of objects, and one message carries everything that one microtask produced. Whatever does not start with `MAGIC`
 * is the app's own and left alone.
 */

/** First element of every message, with the version of this protocol in its last digit. */
export const MAGIC = 0x51574b2;

/** Each record is `[kind, task id, a, b]`. */
export const STRIDE = 4;

// From page to worker:

/**
 * Asks for `READY`, which a worker says once; `a` is the list of capabilities that the worker carries, `b` how much it runs at a time, and
 * the flags by which it can see that a task was aborted, where memory can be shared.
 */
export const HELLO = 1;
/** `a` is the reason as a `Sent` value. */
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

/** The module has loaded; `a` is the list of task names. */
export const READY = 1;
/** `a` is the result, `b` the index of the task's name. */
export const DONE = 2;
/** `a` is a `Sent` error. */
export const FAILED = 3;
/** `a` is what the task reported. */
export const PROGRESS = 4;
/** Sign of life; `a` is how many bytes the worker's heap has, or `undefined`. */
export const PONG = 5;
/** A message from the page could not be deserialised here; `a` is the list of the tasks that the worker has. */
export const GARBLED = 6;
/** The task was not started, and is not going to be. */
export const RETURNED = 7;
/** `a` is what a stream yielded. */
export const ITEM = 8;
/** `a` is what the worker computes on: a `ComputeInfo`. */
export const DEVICE = 9;
