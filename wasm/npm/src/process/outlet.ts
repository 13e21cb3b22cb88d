/** What comes out at a place of the source: a result, an error that ends everything, or nothing. */
export type Outcome =
  | { readonly kind: 'result'; readonly value: unknown; readonly bytes: number }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'nothing' };

/** Where results wait for the reader: in the order of the source, or in that in which they came. */
export class Outlet {
  readonly #ordered: boolean;
  readonly #byIndex = new Map<number, Outcome>();
  readonly #asTheyCame: Outcome[] = [];
  #next = 0;

  constructor(ordered: boolean) {
    this.#ordered = ordered;
  }

  add(index: number, outcome: Outcome): void {
    if (this.#ordered) {
      this.#byIndex.set(index, outcome);
    } else {
      this.#asTheyCame.push(outcome);
    }
  }

  /** What the reader gets next; `undefined` where it isn't there yet. */
  get first(): Outcome | undefined {
    return this.#ordered ? this.#byIndex.get(this.#next) : this.#asTheyCame[0];
  }

  /** Takes it. */
  shift(): void {
    if (this.#ordered) {
      this.#byIndex.delete(this.#next);
      this.#next += 1;
    } else {
      this.#asTheyCame.shift();
    }
  }

  clear(): void {
    this.#byIndex.clear();
    this.#asTheyCame.length = 0;
  }
}
