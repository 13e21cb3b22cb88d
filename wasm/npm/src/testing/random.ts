/** Numbers of 0 to below 1 that follow from a seed (xorshift32, Marsaglia 2003). */
export function seededRandom(seed: number): () => number {
  // Of nothing comes nothing.
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state / 2 ** 32;
  };
}
