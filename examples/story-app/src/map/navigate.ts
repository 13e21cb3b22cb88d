/** Moving over the map with arrow keys: up and down along the ways of the story, left and right along a row of the map. */

import type { Edge } from '../story/graph';
import type { Layout } from '../layout/geometry';

export type Direction = 'up' | 'down' | 'left' | 'right';

const VECTORS: Record<Direction, readonly [number, number]> = { up: [0, -1], down: [0, 1], left: [-1, 0], right: [1, 0] };

/** The passage that an arrow key leads to from `from`, or `from` where there is none. */
export function neighbour(layout: Layout, edges: readonly Edge[], from: number, direction: Direction): number {
  const connected = new Set<number>();
  for (const edge of edges) {
    if (edge.from === from) connected.add(edge.to);
    if (edge.to === from) connected.add(edge.from);
  }
  connected.delete(from);
  const along = (): number | undefined => nearestTowards(layout, [...connected], from, direction, 0.35);
  const inRow = (): number | undefined => nearestTowards(layout, [...layout.x.keys()], from, direction, 0.9);
  const first = direction === 'left' || direction === 'right' ? (inRow() ?? along()) : along();
  return first ?? nearestTowards(layout, [...layout.x.keys()], from, direction, 0.5) ?? from;
}

/** The closest of `candidates` whose direction agrees with `direction`: the cosine between them is at least `agreement`. */
function nearestTowards(layout: Layout, candidates: readonly number[], from: number, direction: Direction, agreement: number): number | undefined {
  const [dx, dy] = VECTORS[direction];
  const x = layout.x[from] ?? 0;
  const y = layout.y[from] ?? 0;
  let best: number | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    if (candidate === from) continue;
    const cx = (layout.x[candidate] ?? 0) - x;
    const cy = (layout.y[candidate] ?? 0) - y;
    const distance = Math.hypot(cx, cy);
    if (distance === 0) continue;
    const cosine = (cx * dx + cy * dy) / distance;
    if (cosine < agreement) continue;
    // A passage straight ahead beats one as far away at the side.
    const cost = distance * (2 - cosine);
    if (cost < bestCost) {
      bestCost = cost;
      best = candidate;
    }
  }
  return best;
}

/** The topmost passage under a point, with a few pixels of tolerance for fingers. */
export function passageAt(layout: Layout, widths: readonly number[], height: number, x: number, y: number, tolerance: number): number | undefined {
  for (let id = layout.x.length - 1; id >= 0; id -= 1) {
    if (Math.abs((layout.x[id] ?? 0) - x) <= (widths[id] ?? 0) / 2 + tolerance && Math.abs((layout.y[id] ?? 0) - y) <= height / 2 + tolerance) return id;
  }
  return undefined;
}
