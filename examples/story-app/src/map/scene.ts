/** Everything the painter draws, prepared once for a story and a layout. */

import type { Reachability } from '../analysis/structure';
import type { Layout } from '../layout/geometry';
import { NODE_HEIGHT } from '../layout/geometry';
import type { Edge, StoryGraph } from '../story/graph';
import { labelOf, labelWidth } from './labels';

/** How a passage looks, by what the analysis says of it: each has a shape and a colour of its own. */
export type Look = 'start' | 'passage' | 'ending' | 'loose' | 'unreachable' | 'trapped';

export interface Curve {
  edge: Edge;
  /** A cubic from start to end. */
  points: readonly [number, number, number, number, number, number, number, number];
  left: number;
  right: number;
  top: number;
  bottom: number;
  /** Leads upwards: back to where the reader has been. */
  back: boolean;
}

export interface Scene {
  layout: Layout;
  /** The passage that the story begins with. */
  start: number;
  labels: string[];
  widths: number[];
  looks: Look[];
  curves: Curve[];
}

export function buildScene(graph: StoryGraph, layout: Layout, reachability: Reachability | undefined): Scene {
  const widths = graph.passages.map(labelWidth);
  return { layout, start: graph.start, widths, labels: graph.passages.map(labelOf), looks: looksOf(graph, reachability), curves: graph.edges.flatMap((edge) => curveOf(edge, layout, widths)) };
}

function looksOf(graph: StoryGraph, reachability: Reachability | undefined): Look[] {
  const looks: Look[] = graph.passages.map(() => 'passage');
  for (const id of reachability?.trapped ?? []) looks[id] = 'trapped';
  for (const { passage, certain } of reachability?.endings ?? []) if (certain) looks[passage] = 'ending';
  for (const { passage, certain } of reachability?.looseEnds ?? []) if (certain) looks[passage] = 'loose';
  for (const id of reachability?.unreachable ?? []) looks[id] = 'unreachable';
  looks[graph.start] = 'start';
  return looks;
}

function curveOf(edge: Edge, layout: Layout, widths: number[]): Curve[] {
  if (edge.from === edge.to) return [];
  const fromX = layout.x[edge.from] ?? 0;
  const fromY = layout.y[edge.from] ?? 0;
  const toX = layout.x[edge.to] ?? 0;
  const toY = layout.y[edge.to] ?? 0;
  const half = NODE_HEIGHT / 2;
  const down = toY > fromY + NODE_HEIGHT;
  let points: Curve['points'];
  if (down) {
    const reach = Math.max(24, Math.min(160, (toY - fromY) * 0.45));
    points = [fromX, fromY + half, fromX, fromY + half + reach, toX, toY - half - reach, toX, toY - half];
  } else {
    // Back and sideways ways leave and arrive at the side, so that they don't hide under those that lead on.
    const side = toX >= fromX ? 1 : -1;
    const startX = fromX + (side * (widths[edge.from] ?? 0)) / 2;
    const endX = toX + (Math.abs(toX - fromX) < 40 ? side : -side) * ((widths[edge.to] ?? 0) / 2);
    const bulge = Math.max(36, Math.min(140, Math.abs(toY - fromY) * 0.35 + 20));
    const endSide = Math.abs(toX - fromX) < 40 ? side : -side;
    points = [startX, fromY, startX + side * bulge, fromY, endX + endSide * bulge, toY, endX, toY];
  }
  const xs = [points[0], points[2], points[4], points[6]];
  const ys = [points[1], points[3], points[5], points[7]];
  return [{ edge, points, back: !down, left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) }];
}
