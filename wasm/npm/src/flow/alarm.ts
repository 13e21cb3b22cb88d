import type { FlowClock } from './clock.js';

/** A timer as Node has it; a browser's is a number. */
interface NodeTimer {
  ref?(): void;
  unref?(): void;
}

/** One timer for whatever is due next. */
export class Alarm {
  readonly #clock: FlowClock;
  readonly #ring: (now: number, late: number) => void;
  readonly #keepAlive: boolean;
  #due = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDue = Infinity;

  /** `keepAlive`: whether Node goes on while the alarm is set. `ring` hears how late it is, too. */
  constructor(clock: FlowClock, keepAlive: boolean, ring: (now: number, late: number) => void) {
    this.#clock = clock;
    this.#keepAlive = keepAlive;
    this.#ring = ring;
  }

  /** Rings once at `due` of the clock, and no more at what was set before; never for infinity. */
  set(due: number): void {
    this.#due = due;
    if (due === Infinity) {
      this.#clear();
    } else if (due < this.#timerDue) {
      this.#clear();
      this.#start();
    }
    // A timer that comes too early is set anew when it does: moving a deadline out costs nothing.
  }

  #start(): void {
    const wait = Math.min(Math.max(0, Math.ceil(this.#due - this.#clock.now())), MAX_TIMEOUT_MS);
    this.#timerDue = wait === MAX_TIMEOUT_MS ? this.#clock.now() + wait : this.#due;
    this.#timer = setTimeout(() => this.#fire(), wait);
    if (!this.#keepAlive) {
      (this.#timer as NodeTimer).unref?.();
    }
  }

  #fire(): void {
    const now = this.#clock.reached(this.#timerDue);
    this.#timer = undefined;
    this.#timerDue = Infinity;
    if (this.#due > now) {
      this.#start();
      return;
    }
    const late = now - this.#due;
    this.#due = Infinity;
    this.#ring(now, late);
  }

  #clear(): void {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#timerDue = Infinity;
    }
  }
}

/** Timers of more than this fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
