import type { Fleet } from './fleet.js';
import { regionOf } from './row.js';
import { hash32 } from './names.js';
import type { BalanceTask } from './types.js';
import { atLeast, capabilities, key, keys, load, object, priority, show, text } from './values.js';

/** A task as numbers, for `wasm/balance/src/balancing/rows.rs`. Made anew with each question and held for the next explanation. */
export class TaskNumbers {
  #head = new Float64Array(HEAD);
  #affinity: readonly number[] = [];
  #antiAffinity: readonly number[] = [];
  /** The type that was read last. */
  #type: string | undefined;

  /** Reads a task. Throws `ERR_INVALID_OPTION` for what can't be read. `fallbackKey` is the key of one without any. */
  read(task: BalanceTask, fleet: Fleet, fallbackKey: number, owner = 'the task'): void {
    object(owner, task);
    const bits = { low: 0, high: 0 };
    fleet.capabilities.of(capabilities(owner, task.capabilities), bits);
    const bytes = task.sizeBytes === undefined ? NaN : atLeast('sizeBytes', owner, task.sizeBytes, 0, 0);
    const ofTask = task.key ?? task.id;
    const head = this.#head;
    if (task.taskType === undefined || task.taskType !== this.#type) {
      head[0] = typeOf(task.taskType, owner);
      this.#type = task.taskType;
    }
    head[1] = bits.low;
    head[2] = bits.high;
    head[3] = load('complexity', owner, task.complexity, 1);
    head[4] = priority(owner, task.priority);
    head[5] = regionOf(text('region', owner, task.region));
    head[6] = ofTask === undefined ? fallbackKey : hash32(show(key(`\`key\` of ${owner}`, ofTask)));
    head[7] = bytes;
    this.#affinity = numbers(`\`affinity\` of ${owner}`, task.affinity, fleet);
    this.#antiAffinity = numbers(`\`antiAffinity\` of ${owner}`, task.antiAffinity, fleet);
    head[8] = this.#affinity.length;
    head[9] = this.#antiAffinity.length;
  }

  /** The hash of its type. */
  get type(): number {
    return this.#head[0] as number;
  }

  /** The bits of what it requires, lower and upper. */
  get required(): readonly [number, number] {
    return [this.#head[1] as number, this.#head[2] as number];
  }

  set required([low, high]: readonly [number, number]) {
    this.#head[1] = low;
    this.#head[2] = high;
  }

  /** Its load. */
  get complexity(): number {
    return this.#head[3] as number;
  }

  get priority(): number {
    return this.#head[4] as number;
  }

  /** How many floats it takes. */
  get room(): number {
    return HEAD + this.#affinity.length + this.#antiAffinity.length;
  }

  /** Writes it and returns where the next thing goes. */
  write(floats: Float64Array, at = 0): number {
    // Element by element: for so few numbers `set` costs more.
    let next = at;
    for (let place = 0; place < HEAD; place += 1) {
      floats[next] = this.#head[place] as number;
      next += 1;
    }
    for (const list of [this.#affinity, this.#antiAffinity]) {
      for (const number of list) {
        floats[next] = number;
        next += 1;
      }
    }
    return next;
  }
}

/** The hash of a task type. */
export function typeOf(taskType: string | undefined, owner = 'the task'): number {
  return taskType === undefined ? NO_TYPE : hash32(text('taskType', owner, taskType) ?? '');
}

/** Numbers of the workers of a list; those that were never seen can't be chosen anyway. */
function numbers(what: string, value: BalanceTask['affinity'], fleet: Fleet): readonly number[] {
  const list = keys(what, value);
  return list.length === 0 ? NO_NUMBERS : list.flatMap((id) => fleet.find(id)?.number ?? []);
}

const HEAD = 10;
const NO_NUMBERS: readonly number[] = [];
const NO_TYPE = hash32('');
