/** Word vectors of passages: TF-IDF weights hashed into a fixed number of dimensions. */

import { tokens } from './tokens';

/** A multiple of the tile of the matrix kernels; at a few thousand different stems collisions cost little. */
export const DIMENSIONS = 512;

export interface Vectors {
  count: number;
  dimensions: number;
  /** Row-major, one unit vector a passage; a passage without words is all zero. */
  data: Float32Array<ArrayBuffer>;
}

/**
 * TF-IDF (Salton and Buckley 1988) with logarithmic term frequency and smoothed inverse document frequency, hashed with a sign
 * (Weinberger et al. 2009) so that collisions cancel on average, and scaled to unit length: the product of two rows is their
 * cosine similarity.
 */
export function passageVectors(texts: readonly string[], dimensions: number = DIMENSIONS): Vectors {
  const counts = texts.map((text) => {
    const terms = new Map<string, number>();
    for (const token of tokens(text)) terms.set(token, (terms.get(token) ?? 0) + 1);
    return terms;
  });
  const documents = new Map<string, number>();
  for (const terms of counts) for (const term of terms.keys()) documents.set(term, (documents.get(term) ?? 0) + 1);

  const data = new Float32Array(texts.length * dimensions);
  counts.forEach((terms, row) => {
    const weights = new Float64Array(dimensions);
    for (const [term, count] of terms) {
      const hash = fnv1a(term);
      const idf = Math.log((1 + texts.length) / (1 + (documents.get(term) ?? 0))) + 1;
      const slot = (hash >>> 1) % dimensions;
      weights[slot] = (weights[slot] ?? 0) + ((hash & 1) === 0 ? 1 : -1) * (1 + Math.log(count)) * idf;
    }
    const length = Math.hypot(...weights);
    if (length > 0) weights.forEach((weight, slot) => (data[row * dimensions + slot] = weight / length));
  });
  return { count: texts.length, dimensions, data };
}

/** `dimensions × count`: the other factor of the product of all pairs. */
export function transposed({ count, dimensions, data }: Vectors): Float32Array<ArrayBuffer> {
  const out = new Float32Array(data.length);
  for (let row = 0; row < count; row += 1) for (let column = 0; column < dimensions; column += 1) out[column * count + row] = data[row * dimensions + column] ?? 0;
  return out;
}

/** FNV-1a, 32 bits, over UTF-16 units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  // The low bits of FNV are weak for short words; fold the high ones in.
  return (hash ^ (hash >>> 15)) >>> 0;
}
