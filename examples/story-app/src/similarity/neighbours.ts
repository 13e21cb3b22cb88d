/** The passages most like each passage, picked from rows of the similarity matrix. */

export interface Neighbour {
  passage: number;
  similarity: number;
}

/** Below this cosine two passages share little more than chance. */
export const MIN_SIMILARITY = 0.05;

/** The `limit` largest entries of a row, its own left out, best first; ties by number. */
export function nearest(row: ArrayLike<number>, self: number, limit: number): Neighbour[] {
  const best: Neighbour[] = [];
  for (let passage = 0; passage < row.length; passage += 1) {
    const similarity = row[passage] ?? 0;
    if (passage === self || similarity < MIN_SIMILARITY) continue;
    const worst = best[best.length - 1];
    if (best.length === limit && worst && worst.similarity >= similarity) continue;
    let at = best.length;
    while (at > 0 && (best[at - 1]?.similarity ?? 0) < similarity) at -= 1;
    best.splice(at, 0, { passage, similarity });
    if (best.length > limit) best.pop();
  }
  return best;
}

/** A cosine in one byte, for matrices that stay on the page: steps of 1/255 are finer than any colour shows. */
export function quantise(row: ArrayLike<number>, out: Uint8Array, offset: number): void {
  for (let i = 0; i < row.length; i += 1) out[offset + i] = Math.round(Math.min(1, Math.max(0, row[i] ?? 0)) * 255);
}
