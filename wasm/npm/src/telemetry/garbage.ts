/**
 * Estimates how often garbage is collected, which no browser tells: an object that nobody holds is put out, and when it is noticed to be
 * gone, the next one. Collections of the young are seen as well as full ones, several in quick succession as one.
 */
export class GarbageMeter {
  #registry: FinalizationRegistry<number> | undefined;
  #round = 0;
  #seen = 0;

  start(): void {
    if (this.#registry === undefined && typeof FinalizationRegistry === 'function') {
      this.#registry = new FinalizationRegistry((round) => {
        if (round === this.#round) {
          this.#seen += 1;
          this.#putOut();
        }
      });
      this.#putOut();
    }
  }

  stop(): void {
    this.#registry = undefined;
    this.#round += 1;
  }

  /** Collections that were noticed since this was last called; `null` where it can't be known. */
  take(): number | null {
    if (this.#registry === undefined) {
      return null;
    }
    const seen = this.#seen;
    this.#seen = 0;
    return seen;
  }

  #putOut(): void {
    this.#round += 1;
    this.#registry?.register({}, this.#round);
  }
}
