/** From Ink paths to the passages of the graph. */

import { OPENING, type Passage } from '../story/graph';

/** What finding a passage takes. */
export type PassageName = Pick<Passage, 'id' | 'path' | 'kind'>;

/** Knows which passage an Ink path such as `knot.stitch.0.c-1` lies in. */
export class PassageIndex {
  readonly #ids = new Map<string, number>();
  readonly #paths: ReadonlySet<string>;

  constructor(graph: { passages: readonly PassageName[] }) {
    this.#paths = new Set(graph.passages.map((passage) => passage.path));
    for (const passage of graph.passages) {
      this.#ids.set(passage.path, passage.id);
      const knot = passage.path.split('.')[0] ?? '';
      // A knot without content of its own is its first stitch.
      if (passage.kind === 'stitch' && !this.#ids.has(knot)) this.#ids.set(knot, passage.id);
    }
  }

  /** The passage that holds `path`, or -1 in functions and where the opening is no passage of its own. */
  at(path: string): number {
    const [knot = '', stitch = ''] = path.split('.');
    return this.#ids.get(`${knot}.${stitch}`) ?? this.#ids.get(knot) ?? (/^\d*$/.test(knot) || /^[cg]-\d+$/.test(knot) ? (this.#ids.get(OPENING) ?? -1) : -1);
  }

  /** Whether `path` is a passage's own path. */
  isPassage(path: string): boolean {
    return this.#paths.has(path);
  }

  /** Whether `path` is a knot that begins with its first stitch at once. */
  isAlias(path: string): boolean {
    return !this.#paths.has(path) && this.#ids.has(path);
  }

  get opening(): number {
    return this.#ids.get(OPENING) ?? -1;
  }
}
