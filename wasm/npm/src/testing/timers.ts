/** What a virtual timer's `setTimeout` returns: Node's methods, and a number where one is wanted. */
export class VirtualTimer {
  readonly id: number;
  /** @internal */
  readonly fire: () => void;
  /** @internal When it fires next. */
  due: number;
  /** @internal The interval, or `undefined` of a timer that fires once. */
  readonly everyMs: number | undefined;
  readonly #delayMs: number;
  readonly #timers: Timers;
  #holds = true;

  /** @internal */
  constructor(timers: Timers, id: number, fire: () => void, delayMs: number, repeats: boolean) {
    this.#timers = timers;
    this.id = id;
    this.fire = fire;
    this.#delayMs = delayMs;
    this.everyMs = repeats ? Math.max(1, delayMs) : undefined;
    this.due = timers.now + delayMs;
  }

  ref(): this {
    this.#holds = true;
    return this;
  }

  unref(): this {
    this.#holds = false;
    return this;
  }

  /** Whether it would keep a Node process alive. */
  hasRef(): boolean {
    return this.#holds;
  }

  /** Starts anew, as Node's does. */
  refresh(): this {
    this.#timers.clear(this);
    this.due = this.#timers.now + this.#delayMs;
    this.#timers.add(this);
    return this;
  }

  close(): this {
    this.#timers.clear(this);
    return this;
  }

  [Symbol.toPrimitive](): number {
    return this.id;
  }
}

/** Timers on a clock that stands still until it is moved. */
export class Timers {
  /** Milliseconds since it was made. */
  now = 0;
  /** Whether the clock is being moved: a timer of no delay waits for the next millisecond then, or such timers would hold it up for ever. */
  moving = false;
  /** In the order in which they fire. */
  readonly #waiting: VirtualTimer[] = [];
  #ids = 0;

  set(fire: () => void, delay: unknown, repeats: boolean): VirtualTimer {
    const wanted = Math.trunc(Number(delay)) || 0;
    // As browsers and Node have it: what does not fit fires at once.
    const delayMs = Math.max(wanted > MAX_DELAY_MS ? 0 : wanted, this.moving ? 1 : 0);
    this.#ids += 1;
    const timer = new VirtualTimer(this, this.#ids, fire, delayMs, repeats);
    this.add(timer);
    return timer;
  }

  /** Behind those of the same time. */
  add(timer: VirtualTimer): void {
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1] as VirtualTimer).due > timer.due) {
      at -= 1;
    }
    this.#waiting.splice(at, 0, timer);
  }

  /** By what {@link set} returned, or its number. Whatever else is given is nobody's timer. */
  clear(which: unknown): void {
    const at = this.#waiting.findIndex((timer) => timer === which || timer.id === which);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
    }
  }

  get first(): VirtualTimer | undefined {
    return this.#waiting[0];
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** Whether any timer would keep a Node process alive. */
  get hold(): boolean {
    return this.#waiting.some((timer) => timer.hasRef());
  }

  /** Moves the clock to the first timer and calls it. */
  fireFirst(): void {
    const timer = this.#waiting.shift();
    if (timer === undefined) {
      return;
    }
    this.now = Math.max(this.now, timer.due);
    if (timer.everyMs !== undefined) {
      timer.due = this.now + timer.everyMs;
      this.add(timer);
    }
    timer.fire();
  }
}

const MAX_DELAY_MS = 2 ** 31 - 1;
