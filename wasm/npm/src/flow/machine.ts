import { MAX_RECORDS, RECORD } from '../embedded.js';
import { flowCore, type FlowCore, type FlowModule } from '../flow-core.js';
import { Alarm } from './alarm.js';
import { FlowClock } from './clock.js';

/** A machine of core's: how it is made, and the exports that all machines have. */
export interface MachineExports {
  readonly settings: readonly number[];
  make(exports: FlowModule, now: number): number;
  free(exports: FlowModule, handle: number): void;
  drain(exports: FlowModule, handle: number): number;
  deadline(exports: FlowModule, handle: number, now: number): number;
}

/** Where several machines share something, they share its instance and its clock. */
export interface Shared {
  readonly core: FlowCore;
  readonly clock: FlowClock;
}

/**
 * The drive loop around a machine of core's: hands one input in, takes all that comes out of it, sets the timer, and only then runs the
 * user's code, which may hand in the next input.
 */
export abstract class Machine {
  readonly core: FlowCore;
  readonly handle: number;
  readonly clock: FlowClock;
  readonly #exports: MachineExports;
  readonly #alarm: Alarm;
  readonly #free: () => void;
  /** What is to be run next, and after it. */
  #next: (() => void) | undefined;
  #later: (() => void)[] | undefined;
  /** Kept for the records of the next input. */
  #copy: Float64Array | undefined;
  #acting = false;
  #disposed = false;

  constructor(exports: MachineExports, shared?: Shared) {
    const core = shared?.core ?? flowCore();
    const clock = shared?.clock ?? new FlowClock();
    const handle = core.make(exports.settings, (all) => exports.make(all, clock.now()));
    this.core = core;
    this.clock = clock;
    this.handle = handle;
    this.#exports = exports;
    // Whoever waits for a promise waits for what the timer brings.
    this.#alarm = new Alarm(clock, true, (now) => this.input((all) => exports.deadline(all, handle, now)));
    this.#free = freeing(core, this, exports, handle);
  }

  /** One record of what core says, at its place in `records`, to be read first. Promises may settle here; user code runs in {@link act}. */
  protected abstract take(records: Float64Array, at: number): void;

  /** Core has failed: every promise ends with this error. */
  protected abstract break(error: unknown): void;

  /** Runs after all records of an input. */
  protected taken(): void {}

  /** Runs the user's code when all records of the input were taken. */
  protected act(run: () => void): void {
    if (this.#next === undefined) {
      this.#next = run;
    } else {
      (this.#later ??= []).push(run);
    }
  }

  /** Hands an input in. `answered` reads what stands beside the records before they are taken. */
  protected input(input: (exports: FlowModule, now: number) => number, answered?: (floats: Float64Array) => void): void {
    if (this.#disposed) {
      return;
    }
    try {
      let written = this.core.call((exports) => input(exports, this.clock.now()));
      answered?.(this.core.floats);
      this.#alarm.set(this.core.floats[0] ?? Infinity);
      for (;;) {
        this.#takeAll(1 + written * RECORD);
        if (written < MAX_RECORDS) {
          break;
        }
        written = this.core.call((exports) => this.#exports.drain(exports, this.handle));
      }
    } catch (thrown) {
      this.#alarm.set(Infinity);
      this.break(thrown);
      return;
    }
    this.taken();
    this.#run();
  }

  /** The next export writes to the same floats; a single record is read before anything is done about it, several are copied before. */
  #takeAll(end: number): void {
    const { floats } = this.core;
    if (end <= 1 + RECORD) {
      if (end > 1) {
        this.take(floats, 1);
      }
      return;
    }
    // Nobody else has the copy meanwhile: to settle a promise may run a getter of the user's.
    const copy = end <= COPIED ? (this.#copy ?? new Float64Array(COPIED)) : new Float64Array(end);
    this.#copy = undefined;
    for (let at = 1; at < end; at += 1) {
      copy[at] = floats[at] ?? 0;
    }
    for (let at = 1; at < end; at += RECORD) {
      this.take(copy, at);
    }
    this.#copy = copy.length === COPIED ? copy : undefined;
  }

  /** Reads what an export writes into the floats. */
  read(ask: (exports: FlowModule, now: number) => void): Float64Array {
    const now = this.clock.now();
    this.core.call((exports) => ask(exports, now));
    return this.core.floats;
  }

  /** Lets go of what core holds, once nothing is under way. What ends later is ignored. */
  dispose(): void {
    this.#disposed = true;
    this.#alarm.set(Infinity);
    this.#free();
  }

  #run(): void {
    if (this.#acting) {
      return;
    }
    this.#acting = true;
    for (let run = this.#next; run !== undefined; run = this.#next) {
      this.#next = this.#later?.shift();
      run();
    }
    this.#acting = false;
  }
}

/** Most inputs lead to no more records than fit into so many floats. */
const COPIED = 1 + 4 * RECORD;

/** In a function of its own: a closure made where another holds on to the machine would hold on to it too, and it would never be collected. */
function freeing(core: FlowCore, machine: object, exports: MachineExports, handle: number): () => void {
  return core.freeWith(machine, (all) => exports.free(all, handle));
}
