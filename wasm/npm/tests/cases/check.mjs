// Small assertions that run in a page as well as in Node.

/** Fails unless both are the same as JSON, or identical. */
export function equal(actual, expected, what = 'value') {
  if (!Object.is(actual, expected) && show(actual) !== show(expected)) {
    throw new Error(`${what}: expected ${show(expected)}, got ${show(actual)}`);
  }
}

/** Fails unless it holds. */
export function ok(holds, what) {
  if (!holds) {
    throw new Error(`expected ${what}`);
  }
}

/** What a promise is rejected with; fails where it is not. */
export async function rejection(promise) {
  try {
    const value = await promise;
    throw new Error(`expected a rejection, got ${show(value)}`);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.message.startsWith('expected a rejection')) {
      throw thrown;
    }
    return thrown;
  }
}

/** What a call throws; fails where it does not. */
export function thrown(call) {
  let value;
  try {
    value = call();
  } catch (error) {
    return error;
  }
  throw new Error(`expected a throw, got ${show(value)}`);
}

/** The rejection, which must have this code. */
export async function refused(promise, code) {
  const error = await rejection(promise);
  equal(error?.code, code, `code of "${error?.message}"`);
  equal(error.name, 'QuillworkError', 'name');
  return error;
}

/** Resolves once `holds` does, looked at whenever the event loop turns. `what` is a text, or gives one that says how things are in the end. */
export async function until(holds, what) {
  const giveUpAt = performance.now() + 50_000;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) {
      throw new Error(`never came true: ${typeof what === 'function' ? what() : what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * Calls `heard` with the first message of others on this channel, and lets go of it then. Resolves once the browser has registered it, which
 * takes its own time: what is sent before is lost.
 */
export async function overhear(name, heard) {
  const channel = new BroadcastChannel(name);
  const echo = new BroadcastChannel(name);
  gates.add(channel);
  const repeat = setInterval(() => echo.postMessage(ECHO), 5);
  await new Promise((registered) => {
    channel.onmessage = ({ data }) => {
      if (data === ECHO) {
        registered();
      } else {
        channel.close();
        gates.delete(channel);
        heard(data);
      }
    };
  });
  clearInterval(repeat);
  echo.close();
}

const ECHO = 'is anybody there';

/** A gate that tasks of `hold` wait at. Browsers register channels in their own time, so an open gate says so until it is closed. */
export function gate() {
  const name = `gate-${Math.random()}`;
  const channel = new BroadcastChannel(name);
  let repeat;
  const door = {
    name,
    open() {
      repeat = setInterval(() => channel.postMessage('open'), 5);
    },
    close() {
      clearInterval(repeat);
      channel.close();
      gates.delete(door);
    },
  };
  gates.add(door);
  return door;
}

/** Closes the gates and channels that a case that failed has left, or they would keep its process alive. */
export function closeGates() {
  for (const door of gates) {
    door.close();
  }
  gates.clear();
}

const gates = new Set();

/** Occupies a worker until the gate opens. */
export async function occupied(runtime, door, options = {}) {
  const task = { done: undefined };
  await new Promise((holding) => {
    task.done = runtime.run('hold', door.name, { ...options, onProgress: holding });
  });
  return task;
}

function show(value) {
  return value === undefined ? 'undefined' : JSON.stringify(value, (_, inner) => (inner instanceof Map ? [...inner] : inner));
}
