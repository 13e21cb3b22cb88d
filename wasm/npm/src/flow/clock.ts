/**
 * A policy's clock: milliseconds since it was made, never backwards.
 *
 * Calls read `Date.now()`, which is cheap, which every fake timer replaces, and which goes on while a machine sleeps. A wall clock that
 * is set back costs nothing but the step; one that is set forward is believed. The global is read at call time.
 */
export class FlowClock {
  #now = 0;
  #wall = Date.now();

  /** For an input. */
  now(): number {
    const wall = Date.now();
    if (wall > this.#wall) {
      this.#now += wall - this.#wall;
    }
    this.#wall = wall;
    return this.#now;
  }

  /** At a timer, which is evidence that `atLeast` has come whatever the global says. */
  reached(atLeast: number): number {
    this.#now = Math.max(this.now(), atLeast);
    return this.#now;
  }
}
