/**
 * Rate limiters: the JavaScript twin of core's `rate_limit::{Gcra, SlidingLog}`, in whole nanoseconds as there, and held to them by the
 * same generated calls (`wasm/flow/tests/twins`). Too small to load WebAssembly for.
 */

/** A promised start. */
export interface Turn {
  /** In nanoseconds of the limiter's clock. */
  readonly startsAt: number;
  readonly weight: number;
  readonly mark: unknown;
}

/** What all limiters can do. Times are nanoseconds. */
export interface Limiter {
  /** The largest weight that is ever admitted at once. */
  readonly capacity: number;
  /** The earliest start, `now` or later, for so much; infinity where it is more than the capacity. */
  earliest(now: number, weight: number): number;
  /** Counts a start, which is not before what `earliest` says. */
  admit(now: number, start: number, weight: number): Turn;
  /** Gives back a start that has not come. What others reserved after it keeps its start. */
  cancel(now: number, turn: Turn): void;
  /** From then on it decides as a new one would. */
  readonly idleFrom: number;
}

interface Promised {
  /** The latest promised start: nothing overtakes it. */
  readonly last: number;
  readonly count: number;
  /** What cancelling has taken off the theoretical arrival time. */
  readonly givenBack: number;
}

interface GcraState {
  readonly arrival: number;
  readonly promised: Promised;
}

/** The generic cell rate algorithm: a steady rate with a burst, as one point in time, the theoretical arrival time of the next unit. */
export class Gcra implements Limiter {
  readonly capacity: number;
  readonly #interval: number;
  readonly #tolerance: number;
  #state: GcraState = { arrival: 0, promised: { last: 0, count: 0, givenBack: 0 } };

  constructor(limit: number, periodNs: number, burst: number) {
    this.capacity = burst;
    this.#interval = Math.ceil(periodNs / limit);
    this.#tolerance = this.#interval * burst;
  }

  get idleFrom(): number {
    return this.#state.arrival;
  }

  earliest(now: number, weight: number): number {
    if (weight === 0) {
      return now;
    }
    if (weight > this.capacity) {
      return Infinity;
    }
    return Math.max(this.#next(now, weight) - this.#tolerance, this.#state.promised.last, now);
  }

  admit(now: number, start: number, weight: number): Turn {
    const before = this.#state;
    if (weight > 0) {
      const { promised } = before;
      this.#state = {
        arrival: this.#next(start, weight),
        promised: start > now ? { ...promised, last: Math.max(start, promised.last), count: promised.count + 1 } : promised,
      };
    }
    return { startsAt: start, weight, mark: { before, after: this.#state } };
  }

  cancel(now: number, { startsAt, weight, mark }: Turn): void {
    if (startsAt <= now || weight === 0) {
      return;
    }
    const { before, after } = mark as { readonly before: GcraState; readonly after: GcraState };
    const { arrival, promised } = this.#state;
    if (
      arrival === after.arrival &&
      promised.last === after.promised.last &&
      promised.count === after.promised.count &&
      promised.givenBack === after.promised.givenBack
    ) {
      this.#state = before;
      return;
    }
    // No later start is after the last one promised, and all of them together take at most `later`.
    const givenBack = Math.max(0, promised.givenBack - after.promised.givenBack);
    const later = Math.max(0, arrival + givenBack - after.arrival);
    const bound = Math.min(promised.last + later, arrival);
    const left = Math.max(Math.max(0, arrival - this.#interval * weight), bound);
    this.#state = { arrival: left, promised: { ...promised, givenBack: promised.givenBack + (arrival - left) } };
  }

  #next(from: number, weight: number): number {
    return Math.max(this.#state.arrival, from) + this.#interval * weight;
  }
}

interface Entry {
  readonly start: number;
  /** What was admitted before it in all. */
  before: number;
  readonly sequence: number;
  readonly reserved: boolean;
}

/** The exact limit: no rolling window of the period ever holds more than the limit, promised starts included. */
export class SlidingLog implements Limiter {
  readonly capacity: number;
  readonly #period: number;
  /** In order of their starts. Those before `#first` are gone. */
  #entries: Entry[] = [];
  #first = 0;
  #admitted = 0;
  #sequence = 0;
  #latest = 0;

  constructor(limit: number, periodNs: number) {
    this.capacity = limit;
    this.#period = periodNs;
  }

  get idleFrom(): number {
    const last = this.#entries.at(-1);
    return last === undefined ? 0 : last.start + this.#period;
  }

  earliest(now: number, weight: number): number {
    if (weight === 0) {
      return now;
    }
    if (weight > this.capacity) {
      return Infinity;
    }
    // A clock that was set back stands until it has caught up.
    const clock = Math.max(now, this.#latest);
    const room = this.capacity - weight;
    const expire = this.#search((entry) => this.#admitted - entry.before > room) - 1;
    let start = Math.max(this.#entries.at(-1)?.start ?? clock, clock);
    if (expire >= this.#first) {
      start = Math.max(start, (this.#entries[expire] as Entry).start + this.#period);
    }
    return start === clock ? now : start;
  }

  admit(now: number, start: number, weight: number): Turn {
    const sequence = this.#sequence;
    const turn = { startsAt: start, weight, mark: sequence };
    if (weight === 0) {
      return turn;
    }
    this.#latest = Math.max(this.#latest, now);
    this.#dropOld();
    const entry = { start: Math.max(start, this.#latest), before: this.#admitted, sequence, reserved: start > now };
    this.#admitted += weight;
    const last = this.#entries.at(-1);
    if (entry.reserved || last === undefined || last.start !== entry.start || last.reserved) {
      this.#sequence += 1;
      this.#entries.push(entry);
    }
    return turn;
  }

  cancel(now: number, { startsAt, weight, mark }: Turn): void {
    if (startsAt <= now || weight === 0) {
      return;
    }
    const index = this.#search(({ sequence }) => sequence < (mark as number));
    if (this.#entries[index]?.sequence !== mark) {
      return;
    }
    this.#entries.splice(index, 1);
    this.#admitted -= weight;
    for (let at = index; at < this.#entries.length; at += 1) {
      (this.#entries[at] as Entry).before -= weight;
    }
  }

  #dropOld(): void {
    while (this.#first < this.#entries.length && (this.#entries[this.#first] as Entry).start + this.#period <= this.#latest) {
      this.#first += 1;
    }
    if (this.#first > 32 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The first entry for which it no longer holds. */
  #search(holds: (entry: Entry) => boolean): number {
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#entries[middle] as Entry)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
