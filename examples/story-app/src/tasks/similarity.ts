/** The similarity of all pairs of passages: one matrix product, on the GPU where the device has one. */

import type { Compute } from 'quillwork/compute';
import { nearest, quantise, type Neighbour } from '../similarity/neighbours';
import { transposed, type Vectors } from '../similarity/vectors';

export interface SimilarityResult {
  nearest: Neighbour[][];
  /** `count × count` cosines in bytes, for colouring the map; absent where it would take more than {@link MAX_MATRIX_BYTES}. */
  matrix: Uint8Array<ArrayBuffer> | undefined;
  count: number;
  ranOn: 'gpu' | 'cpu';
  reason: string;
  adapter: string;
  millis: number;
  gflops: number;
}

export const NEIGHBOURS = 12;
export const MAX_MATRIX_BYTES = 64 * 1024 * 1024;
/** Rows in one product, so that a story of ten thousand passages needs no matrix of a hundred million floats at once. */
const BLOCK_ROWS = 1024;

export async function similarityOfAll(compute: Compute, vectors: Vectors, progress: (done: number) => void, signal: AbortSignal): Promise<SimilarityResult> {
  const { count, dimensions, data } = vectors;
  const right = transposed(vectors);
  const neighbours: Neighbour[][] = [];
  const matrix = count * count <= MAX_MATRIX_BYTES ? new Uint8Array(count * count) : undefined;
  const result: SimilarityResult = { nearest: neighbours, matrix, count, ranOn: 'cpu', reason: 'The story has no passages.', adapter: '', millis: 0, gflops: 0 };
  let flops = 0;
  for (let first = 0; first < count; first += BLOCK_ROWS) {
    signal.throwIfAborted();
    const rows = Math.min(BLOCK_ROWS, count - first);
    const left = data.subarray(first * dimensions, (first + rows) * dimensions);
    const product = await compute.matmul(left, right, { m: rows, k: dimensions, n: count });
    for (let row = 0; row < rows; row += 1) {
      const cosines = product.data.subarray(row * count, (row + 1) * count);
      neighbours.push(nearest(cosines, first + row, NEIGHBOURS));
      if (matrix) quantise(cosines, matrix, (first + row) * count);
    }
    flops += 2 * rows * dimensions * count;
    result.ranOn = product.ranOn;
    result.reason = product.reason;
    result.adapter = product.adapter ?? '';
    result.millis += product.elapsedMs;
    progress(first + rows);
  }
  result.gflops = result.millis > 0 ? flops / result.millis / 1e6 : 0;
  return result;
}
