/** Seeded random numbers: every reader has a stream of its own, so results don't depend on who simulates them. */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, bound). */
  below(bound: number): number;
}

/** sfc32 (Chris Doty-Humphrey's PractRand), seeded from `(seed, stream)` and warmed up for 12 rounds as its author advises. */
export function randomStream(seed: number, stream: number): Random {
  let a = mix(seed | 0);
  let b = mix((stream | 0) ^ 0x9e3779b9);
  let c = mix(Math.imul(seed | 0, 0x85ebca6b) ^ (stream | 0));
  let counter = 1;
  const bits = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i += 1) bits();
  return {
    next: () => bits() / 4294967296,
    below: (bound) => Math.floor((bits() / 4294967296) * bound),
  };
}

/** The finaliser of MurmurHash3: neighbouring seeds give unrelated states. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
