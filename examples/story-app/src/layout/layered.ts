/** Places passages in layers from the opening downwards. */

import { Graph, layout as dagreLayout } from '@dagrejs/dagre';
import { digraph, distancesFrom } from '../analysis/adjacency';
import { NODE_HEIGHT, type Layout } from './geometry';

export interface LayoutInput {
  widths: number[];
  edges: ReadonlyArray<{ from: number; to: number }>;
  start: number;
}

const LAYER_GAP = 42;
const NODE_GAP = 16;

/**
 * Up to this many passages and edges dagre lays the story out (Gansner et al. 1993: network simplex, crossing minimisation,
 * Brandes-Köpf coordinates); above, it takes minutes, and {@link bands} takes milliseconds.
 */
const MAX_FOR_DAGRE = 700;

export function layoutPassages(input: LayoutInput): Layout {
  const edges = input.edges.filter((edge) => edge.from !== edge.to);
  return input.widths.length + edges.length <= MAX_FOR_DAGRE ? withDagre(input, edges) : bands(input);
}

function withDagre(input: LayoutInput, edges: LayoutInput['edges']): Layout {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'TB', nodesep: NODE_GAP, ranksep: LAYER_GAP, edgesep: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  // Passages enter in the order of reading, so that dagre's cycle removal turns round the edges that lead back.
  const depth = distancesFrom(digraph(input.widths.length, edges), input.start);
  const order = input.widths.map((_, id) => id).sort((a, b) => late(depth[a]) - late(depth[b]) || a - b);
  for (const id of order) graph.setNode(String(id), { width: input.widths[id] ?? 100, height: NODE_HEIGHT });
  for (const { from, to } of edges) graph.setEdge(String(from), String(to));
  dagreLayout(graph);
  const placed = blank(input.widths.length);
  for (const id of order) {
    const node = graph.node(String(id));
    placed.x[id] = node.x ?? 0;
    placed.y[id] = node.y ?? 0;
  }
  return bounded(placed, input.widths);
}

/**
 * Layers by distance from the opening, wrapped into rows so that the map stays about twice as wide as high; within a layer
 * four sweeps of the barycentre heuristic (Sugiyama 1981). Passages without a way from the opening come last.
 */
export function bands(input: LayoutInput): Layout {
  const count = input.widths.length;
  const graph = digraph(count, input.edges);
  const depth = distancesFrom(graph, input.start);
  const layers: number[][] = [];
  const deepest = depth.reduce((most, steps) => Math.max(most, steps), 0);
  for (let id = 0; id < count; id += 1) {
    const steps = depth[id] ?? -1;
    (layers[steps < 0 ? deepest + 1 : steps] ??= []).push(id);
  }
  const position = new Float64Array(count);
  const settle = (layer: number[]): void => layer.forEach((id, i) => (position[id] = (i + 0.5) / layer.length));
  layers.forEach(settle);
  const neighbours: number[][] = Array.from({ length: count }, () => []);
  graph.successors.forEach((list, from) =>
    list.forEach((to) => {
      neighbours[from]?.push(to);
      neighbours[to]?.push(from);
    }),
  );
  for (let sweep = 0; sweep < 4; sweep += 1) {
    for (const layer of sweep % 2 === 0 ? layers : [...layers].reverse()) {
      if (!layer) continue;
      const wanted = new Map(layer.map((id) => [id, mean((neighbours[id] ?? []).map((other) => position[other] ?? 0.5), position[id] ?? 0.5)]));
      layer.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0) || a - b);
      settle(layer);
    }
  }

  const area = input.widths.reduce((sum, width) => sum + (width + NODE_GAP) * (NODE_HEIGHT + LAYER_GAP), 0);
  const rowWidth = Math.max(1200, Math.sqrt(area * 2));
  const placed = blank(count);
  let y = 24 + NODE_HEIGHT / 2;
  for (const layer of layers) {
    if (!layer) continue;
    for (const row of wrap(layer, input.widths, rowWidth)) {
      const total = row.reduce((sum, id) => sum + (input.widths[id] ?? 100) + NODE_GAP, -NODE_GAP);
      let x = (rowWidth - total) / 2;
      for (const id of row) {
        const width = input.widths[id] ?? 100;
        placed.x[id] = x + width / 2;
        placed.y[id] = y;
        x += width + NODE_GAP;
      }
      y += NODE_HEIGHT + LAYER_GAP / 2;
    }
    y += LAYER_GAP / 2;
  }
  return bounded(placed, input.widths);
}

function wrap(layer: number[], widths: number[], limit: number): number[][] {
  const total = layer.reduce((sum, id) => sum + (widths[id] ?? 100) + NODE_GAP, 0);
  const rows = Math.max(1, Math.ceil(total / limit));
  const perRow = Math.ceil(layer.length / rows);
  return Array.from({ length: rows }, (_, row) => layer.slice(row * perRow, (row + 1) * perRow)).filter((row) => row.length > 0);
}

function blank(count: number): { x: Float32Array; y: Float32Array } {
  return { x: new Float32Array(count), y: new Float32Array(count) };
}

/** Moves everything so that it begins at 0, 0. */
function bounded({ x, y }: { x: Float32Array; y: Float32Array }, widths: number[]): Layout {
  let left = Number.POSITIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  x.forEach((centre, id) => {
    const half = (widths[id] ?? 100) / 2;
    left = Math.min(left, centre - half);
    right = Math.max(right, centre + half);
    top = Math.min(top, (y[id] ?? 0) - NODE_HEIGHT / 2);
    bottom = Math.max(bottom, (y[id] ?? 0) + NODE_HEIGHT / 2);
  });
  if (x.length === 0) return { x, y, width: 0, height: 0 };
  return { x: x.map((value) => value - left), y: y.map((value) => value - top), width: right - left, height: bottom - top };
}

function mean(values: number[], otherwise: number): number {
  return values.length === 0 ? otherwise : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function late(depth: number | undefined): number {
  return depth === undefined || depth < 0 ? Number.MAX_SAFE_INTEGER : depth;
}
