import { describe, expect, test } from 'vitest';
import { errorAgainstF64, forwardBound, largestDifference, spreadRows } from '../src/device/accuracy';
import { randomStream } from '../src/analysis/random';
import { nearest, quantise } from '../src/similarity/neighbours';
import { stem, tokens } from '../src/similarity/tokens';
import { passageVectors, transposed } from '../src/similarity/vectors';

/** Row-major product in f32, the plain way. */
function product(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Float32Array {
  const out = new Float32Array(m * n);
  for (let i = 0; i < m; i += 1) for (let j = 0; j < n; j += 1) for (let p = 0; p < k; p += 1) out[i * n + j] = Math.fround((out[i * n + j] ?? 0) + Math.fround((a[i * k + p] ?? 0) * (b[p * n + j] ?? 0)));
  return out;
}

test('forms of a word have one stem', () => {
  for (const forms of [['door', 'doors'], ['walk', 'walks', 'walked', 'walking'], ['hop', 'hopped', 'hopping'], ['make', 'making'], ['carry', 'carries', 'carried'], ['glass', 'glasses'], ['agreed', 'agreed']]) {
    expect(new Set(forms.map(stem)).size).toBe(1);
  }
  expect(stem('sing')).toBe('sing');
  expect(stem('glass')).not.toBe(stem('glad'));
});

test('tokens are lower case, without accents, function words and possessives', () => {
  expect(tokens('The CAFÉ’s doors — and I’d opened them.')).toEqual(['cafe', 'door', 'open'].map(stem));
});

describe('vectors', () => {
  const texts = [
    'The harbour clock stopped and the tide stood still.',
    'Nobody wound the clock in the harbour, and the tides waited.',
    'She buttered the bread and boiled two eggs.',
    '',
  ];
  const vectors = passageVectors(texts);
  const cosines = product(vectors.data, transposed(vectors), vectors.count, vectors.dimensions, vectors.count);

  test('have length one, and none without words', () => {
    expect([0, 1, 2, 3].map((i) => Math.round((cosines[i * 4 + i] ?? 0) * 1e5) / 1e5)).toEqual([1, 1, 1, 0]);
  });

  test('passages about the same things are more alike', () => {
    expect(cosines[1]).toBeGreaterThan(0.3);
    expect(Math.abs(cosines[2] ?? 1)).toBeLessThan(0.1);
    expect(nearest(cosines.subarray(0, 4), 0, 3).map((n) => n.passage)).toEqual([1]);
  });

  test('similarity is symmetric', () => {
    for (let i = 0; i < 4; i += 1) for (let j = 0; j < 4; j += 1) expect(cosines[i * 4 + j]).toBeCloseTo(cosines[j * 4 + i] ?? 0, 6);
  });
});

test('nearest agrees with sorting on random rows', () => {
  const random = randomStream(9, 9);
  for (let round = 0; round < 100; round += 1) {
    const row = Float32Array.from({ length: 40 }, () => Math.round(random.next() * 20) / 20);
    const expected = [...row.entries()]
      .filter(([passage, value]) => passage !== 5 && value >= 0.05)
      .sort((a, b) => b[1] - a[1] || a[0] - b[0])
      .slice(0, 7)
      .map(([passage]) => passage);
    expect(nearest(row, 5, 7).map((n) => n.passage)).toEqual(expected);
  }
});

test('quantised cosines stay within a step, and out of range is clamped', () => {
  const out = new Uint8Array(5);
  quantise([-0.2, 0, 0.5, 1.0000001], out, 1);
  expect([...out]).toEqual([0, 0, 0, 128, 255]);
});

describe('accuracy', () => {
  const random = randomStream(4, 4);
  const [m, k, n] = [9, 33, 7];
  const a = Float32Array.from({ length: m * k }, () => random.next() * 2 - 1);
  const b = Float32Array.from({ length: k * n }, () => random.next() * 2 - 1);
  const exact = product(a, b, m, k, n);
  const rows = spreadRows(m, 64);

  test('an f32 product lies within the bound, a wrong one does not', () => {
    const bound = forwardBound(a, b, m, k, n, rows);
    expect(errorAgainstF64(exact, a, b, m, k, n, rows)).toBeLessThanOrEqual(bound);
    const wrong = exact.slice();
    wrong[20] = (wrong[20] ?? 0) + 0.01;
    expect(errorAgainstF64(wrong, a, b, m, k, n, rows)).toBeGreaterThan(bound);
    expect(largestDifference(wrong, exact)).toBeCloseTo(0.01);
  });

  test('NaN and a wrong size never pass for a small difference', () => {
    expect(largestDifference(Float32Array.of(1, Number.NaN), Float32Array.of(1, 2))).toBeNaN();
    expect(largestDifference(Float32Array.of(1), Float32Array.of(1, 2))).toBe(Number.POSITIVE_INFINITY);
  });

  test('rows are spread from the first to the last', () => {
    expect(spreadRows(1000, 5)).toEqual([0, 250, 500, 749, 999]);
    expect(spreadRows(3, 5)).toEqual([0, 1, 2]);
  });
});
