/** How far a matrix product may be off, and how far it is. */

/** Unit round-off of f32. */
const UNIT = 2 ** -24;

/**
 * Largest entry of the classical forward bound `γₖ·|A||B|`, with `γₖ = k·u / (1 − k·u)` (Higham, Accuracy and Stability of
 * Numerical Algorithms, section 3.5): no order of summation and no fused multiply-add in f32 may be further from the exact product.
 */
export function forwardBound(a: Float32Array, b: Float32Array, m: number, k: number, n: number, rows: readonly number[]): number {
  const gamma = (k * UNIT) / (1 - k * UNIT);
  let largest = 0;
  forEachEntry(a, b, m, k, n, rows, (_, __, absolute) => {
    largest = Math.max(largest, absolute);
  });
  return gamma * largest;
}

/** Largest distance of the chosen rows of `product` from the product computed in f64. */
export function errorAgainstF64(product: Float32Array, a: Float32Array, b: Float32Array, m: number, k: number, n: number, rows: readonly number[]): number {
  let largest = 0;
  forEachEntry(a, b, m, k, n, rows, (at, exact) => {
    largest = Math.max(largest, Math.abs((product[at] ?? Number.NaN) - exact));
  });
  return largest;
}

export function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i += 1) {
    const difference = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** `count` rows spread evenly over `m`, first and last included. */
export function spreadRows(m: number, count: number): number[] {
  if (m <= count) return Array.from({ length: m }, (_, row) => row);
  return Array.from({ length: count }, (_, i) => Math.round((i * (m - 1)) / (count - 1)));
}

function forEachEntry(a: Float32Array, b: Float32Array, m: number, k: number, n: number, rows: readonly number[], visit: (at: number, exact: number, absolute: number) => void): void {
  for (const row of rows) {
    if (row >= m) continue;
    const exact = new Float64Array(n);
    const absolute = new Float64Array(n);
    for (let i = 0; i < k; i += 1) {
      const left = a[row * k + i] ?? 0;
      const offset = i * n;
      for (let column = 0; column < n; column += 1) {
        const term = left * (b[offset + column] ?? 0);
        exact[column] = (exact[column] ?? 0) + term;
        absolute[column] = (absolute[column] ?? 0) + Math.abs(term);
      }
    }
    for (let column = 0; column < n; column += 1) visit(row * n + column, exact[column] ?? 0, absolute[column] ?? 0);
  }
}
