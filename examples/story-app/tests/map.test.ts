import { describe, expect, test } from 'vitest';
import { bands, layoutPassages } from '../src/layout/layered';
import { NODE_HEIGHT } from '../src/layout/geometry';
import { BAR, fit, pan, reveal, toMap, zoomAt } from '../src/map/camera';
import { findPassages } from '../src/map/find';
import { labelWidth } from '../src/map/labels';
import { neighbour, passageAt } from '../src/map/navigate';
import { mixColours } from '../src/map/palette';
import { buildScene } from '../src/map/scene';
import { randomStream } from '../src/analysis/random';
import { reachability } from '../src/analysis/structure';
import { extracted, graphOf, idOf } from './support/ink';

const VIEW = { width: 800, height: 600 };

function overlaps(layout: { x: Float32Array; y: Float32Array }, widths: number[]): number {
  let count = 0;
  for (let i = 0; i < widths.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const apartX = Math.abs((layout.x[i] ?? 0) - (layout.x[j] ?? 0)) - ((widths[i] ?? 0) + (widths[j] ?? 0)) / 2;
      const apartY = Math.abs((layout.y[i] ?? 0) - (layout.y[j] ?? 0)) - NODE_HEIGHT;
      if (apartX < -0.5 && apartY < -0.5) count += 1;
    }
  }
  return count;
}

describe('layout', () => {
  const random = randomStream(2, 2);
  const large = {
    widths: Array.from({ length: 1500 }, () => 70 + random.below(150)),
    edges: Array.from({ length: 4000 }, () => ({ from: random.below(1500), to: random.below(1500) })),
    start: 0,
  };

  test.each([
    ['small, by dagre', { widths: [80, 120, 90, 100], edges: [{ from: 0, to: 1 }, { from: 0, to: 2 }, { from: 2, to: 3 }, { from: 3, to: 0 }, { from: 1, to: 1 }], start: 0 }],
    ['large, in bands', large],
    ['without a way to some', { widths: [80, 80, 80], edges: [{ from: 0, to: 1 }], start: 0 }],
    ['one passage', { widths: [80], edges: [], start: 0 }],
  ])('%s: nothing overlaps and all lies within the bounds', (_, input) => {
    const layout = layoutPassages(input);
    expect(layout.x).toHaveLength(input.widths.length);
    expect(overlaps(layout, input.widths)).toBe(0);
    layout.x.forEach((x, id) => {
      expect(x - (input.widths[id] ?? 0) / 2).toBeGreaterThan(-0.5);
      expect(x + (input.widths[id] ?? 0) / 2).toBeLessThan(layout.width + 0.5);
      expect((layout.y[id] ?? 0) + NODE_HEIGHT / 2).toBeLessThan(layout.height + 0.5);
    });
  });

  test('the story runs downwards', () => {
    const layout = layoutPassages({ widths: [80, 80, 80], edges: [{ from: 0, to: 1 }, { from: 1, to: 2 }, { from: 2, to: 0 }], start: 0 });
    expect([...layout.y]).toEqual([...layout.y].sort((a, b) => a - b));
  });

  test('bands keep a wide layer within a readable shape', () => {
    const star = { widths: new Array<number>(2000).fill(100), edges: Array.from({ length: 1999 }, (_, i) => ({ from: 0, to: i + 1 })), start: 0 };
    const layout = bands(star);
    expect(layout.width / layout.height).toBeLessThan(6);
  });
});

describe('camera', () => {
  test('the point under the pointer stays while zooming', () => {
    const camera = { x: 100, y: 50, scale: 0.8 };
    const before = toMap(camera, VIEW, 123, 456);
    const after = toMap(zoomAt(camera, VIEW, 123, 456, 1.7), VIEW, 123, 456);
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
  });

  test('fit shows every corner', () => {
    for (const content of [{ width: 4000, height: 300 }, { width: 200, height: 9000 }, { width: 10, height: 10 }]) {
      const camera = fit(content, VIEW);
      const corner = toMap(camera, VIEW, 0, 0);
      const opposite = toMap(camera, VIEW, VIEW.width, VIEW.height);
      expect(corner.x).toBeLessThanOrEqual(0);
      expect(corner.y).toBeLessThanOrEqual(0);
      expect(opposite.x).toBeGreaterThanOrEqual(content.width);
      expect(opposite.y).toBeGreaterThanOrEqual(content.height);
    }
  });

  test('reveal moves no further than it must', () => {
    const camera = { x: 0, y: 0, scale: 1 };
    const place = { width: 100, height: 34 };
    expect(reveal(camera, VIEW, { ...place, x: 50, y: 50 }, 60)).toEqual(camera);
    expect(reveal(camera, VIEW, { ...place, x: 1000, y: 0 }, 60)).toEqual({ x: 1000 + 50 + 60 - 400, y: 0, scale: 1 });
  });

  test('what is revealed lies whole in the view, and not under the search bar', () => {
    for (const scale of [0.3, 0.7, 2]) {
      for (const [x, y] of [[0, 0], [5000, 900], [-700, 5000], [30, -4000]] as const) {
        const camera = reveal({ x: 10, y: 700, scale }, VIEW, { x, y, width: 200, height: 34 }, 20);
        const first = toMap(camera, VIEW, 20, BAR + 20);
        const last = toMap(camera, VIEW, VIEW.width - 20, VIEW.height - 20);
        expect(first.x).toBeLessThanOrEqual(x - 100 + 1e-6);
        expect(first.y).toBeLessThanOrEqual(y - 17 + 1e-6);
        expect(last.x).toBeGreaterThanOrEqual(x + 100 - 1e-6);
        expect(last.y).toBeGreaterThanOrEqual(y + 17 - 1e-6);
      }
    }
  });

  test('pan follows the finger at any scale', () => {
    const camera = { x: 0, y: 0, scale: 0.25 };
    expect(toMap(pan(camera, 40, -20), VIEW, 440, 280)).toEqual(toMap(camera, VIEW, 400, 300));
  });
});

describe('moving over the map', () => {
  const graph = graphOf('-> a\n=== a\n+ [l] -> b\n+ [r] -> c\n=== b\n-> d\n=== c\n-> d\n=== d\nHi.\n-> END\n=== lost\n-> END\n');
  const widths = graph.passages.map(labelWidth);
  const layout = layoutPassages({ widths, edges: graph.edges, start: graph.start });
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((path) => idOf(graph, path));

  test('arrows follow the ways of the story, and every passage can be reached by them', () => {
    expect([b, c]).toContain(neighbour(layout, graph.edges, a ?? 0, 'down'));
    expect([b, c]).toContain(neighbour(layout, graph.edges, d ?? 0, 'up'));
    const seen = new Set([a ?? 0]);
    for (const id of seen) for (const direction of ['up', 'down', 'left', 'right'] as const) seen.add(neighbour(layout, graph.edges, id, direction));
    expect(seen.size).toBe(graph.passages.length);
  });

  test('a passage is found under the pointer, and none beside it', () => {
    expect(passageAt(layout, widths, NODE_HEIGHT, layout.x[1] ?? 0, layout.y[1] ?? 0, 0)).toBe(1);
    expect(passageAt(layout, widths, NODE_HEIGHT, -500, -500, 0)).toBeUndefined();
  });
});

test('each kind of passage has its look', () => {
  const graph = graphOf('-> a\n=== a\n+ [x] -> fin\n+ [y] -> torn\n+ [z] -> pit\n=== fin\n-> END\n=== torn\nOops.\n=== pit\nHm.\n+ [Stay] -> pit\n=== lost\nHi. -> END\n');
  const layout = layoutPassages({ widths: graph.passages.map(labelWidth), edges: graph.edges, start: graph.start });
  const { looks } = buildScene(graph, layout, reachability(graph));
  expect(Object.fromEntries(graph.passages.map((p) => [p.path, looks[p.id]]))).toEqual({ a: 'start', fin: 'ending', torn: 'loose', pit: 'trapped', lost: 'unreachable' });
});

test('search finds names first, then words in the text', () => {
  const { graph, texts } = extracted('-> red_door\n=== red_door\nA room.\n-> hall.door\n=== hall\nBeyond the door.\n-> END\n= door\nHi. -> hall\n');
  const found = findPassages(graph.passages, texts, ' Door ');
  expect(found.map((f) => graph.passages[f.passage]?.path)).toEqual(['hall.door', 'red_door', 'hall']);
  expect(found[2]?.context).toContain('Beyond the door');
  expect(findPassages(graph.passages, texts, '')).toEqual([]);
});

test('colours are mixed whether or not the style sheet was shortened', () => {
  expect(mixColours('#fff', '#000000', 0)).toBe('#ffffff');
  expect(mixColours('#ffffff', '#000', 0.5)).toBe('#808080');
});
