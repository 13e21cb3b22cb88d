// Products to compare with: in f32 with three loops, and in f64 with the error bound of compute/src/accuracy.rs.

/** `length` reproducible numbers in [-1, 1), from a linear congruential generator. */
export function numbers(seed, length) {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}

/** The product as the CPU twin defines it, term by term in f32. */
export function threeLoops(a, b, m, k, n) {
  const c = new Float32Array(m * n);
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0;
      for (let step = 0; step < k; step++) {
        sum = Math.fround(sum + Math.fround(a[row * k + step] * b[step * n + column]));
      }
      c[row * n + column] = sum;
    }
  }
  return c;
}

/** Largest error of `c` in units of what f32 sums in any order may be off: up to 1 is right. */
export function errorRatio(a, b, c, m, k, n) {
  const rounding = k * 2 ** -24;
  const gamma = rounding / (1 - rounding);
  let worst = 0;
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let exact = 0;
      let magnitude = 0;
      for (let step = 0; step < k; step++) {
        const term = a[row * k + step] * b[step * n + column];
        exact += term;
        magnitude += Math.abs(term);
      }
      const error = Math.abs(c[row * n + column] - exact);
      if (!Number.isFinite(error)) return Infinity;
      worst = Math.max(worst, error / (gamma * magnitude + 2 * k * 2 ** -126));
    }
  }
  return c.length === m * n ? worst : Infinity;
}
