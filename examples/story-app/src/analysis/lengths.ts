/** How long the ways through a story are, read from its shape. */

import type { StoryGraph } from '../story/graph';
import { digraph } from './adjacency';
import { stronglyConnected } from './components';

/**
 * Bounds in words, each passage counted whole (all its alternatives): `shortest` is the lightest way from the opening to an
 * ending; `longest` the heaviest with every loop gone through once. Readers see fewer words than a passage holds, so the
 * numbers compare ways through one story; what readers really read is measured by the random readers.
 */
export interface WayLengths {
  shortest: { words: number; passages: number[] } | undefined;
  longest: { words: number; passages: number } | undefined;
  /** Words of all passages together. */
  total: number;
}

export function wayLengths(graph: StoryGraph): WayLengths {
  const size = graph.passages.length;
  const words = graph.passages.map((p) => p.words + p.choiceWords);
  const total = words.reduce((sum, w) => sum + w, 0);
  const ends = new Set(graph.exits.filter((exit) => exit.kind !== 'runs-out').map((exit) => exit.passage));
  const ways = digraph(size, graph.edges);
  return { shortest: shortestWay(ways.successors, words, graph.start, ends), longest: longestWay(graph, words, ends), total };
}

/** Dijkstra with a binary heap; the weight of a passage is paid on entering it. */
function shortestWay(successors: number[][], words: number[], start: number, ends: ReadonlySet<number>): WayLengths['shortest'] {
  const cost = new Array<number>(successors.length).fill(Number.POSITIVE_INFINITY);
  const previous = new Array<number>(successors.length).fill(-1);
  const heap: Array<[number, number]> = [];
  if (start >= successors.length) return undefined;
  cost[start] = words[start] ?? 0;
  push(heap, [cost[start] ?? 0, start]);
  for (let top = pop(heap); top; top = pop(heap)) {
    const [here, node] = top;
    if (here > (cost[node] ?? 0)) continue;
    if (ends.has(node)) {
      const passages: number[] = [];
      for (let at = node; at >= 0; at = previous[at] ?? -1) passages.unshift(at);
      return { words: here, passages };
    }
    for (const next of successors[node] ?? []) {
      const there = here + (words[next] ?? 0);
      if (there >= (cost[next] ?? 0)) continue;
      cost[next] = there;
      previous[next] = node;
      push(heap, [there, next]);
    }
  }
  return undefined;
}

/** Over the condensed graph: components come in reverse topological order, so one pass from the last to the first suffices. */
function longestWay(graph: StoryGraph, words: number[], ends: ReadonlySet<number>): WayLengths['longest'] {
  const ways = digraph(graph.passages.length, graph.edges);
  const { componentOf, members } = stronglyConnected(ways);
  const weight = members.map((component) => component.reduce((sum, node) => sum + (words[node] ?? 0), 0));
  const best = new Array<{ words: number; passages: number } | undefined>(members.length).fill(undefined);
  members.forEach((component, id) => {
    let after: { words: number; passages: number } | undefined = component.some((node) => ends.has(node)) ? { words: 0, passages: 0 } : undefined;
    for (const node of component) {
      for (const next of ways.successors[node] ?? []) {
        const target = componentOf[next] ?? -1;
        const candidate = target === id ? undefined : best[target];
        if (candidate && (!after || candidate.words > after.words)) after = candidate;
      }
    }
    best[id] = after ? { words: after.words + (weight[id] ?? 0), passages: after.passages + component.length } : undefined;
  });
  return best[componentOf[graph.start] ?? -1];
}

function push(heap: Array<[number, number]>, item: [number, number]): void {
  heap.push(item);
  let child = heap.length - 1;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    const above = heap[parent];
    if (!above || above[0] <= item[0]) break;
    heap[child] = above;
    heap[parent] = item;
    child = parent;
  }
}

function pop(heap: Array<[number, number]>): [number, number] | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (!top || !last || heap.length === 0) return top;
  let parent = 0;
  for (;;) {
    let child = parent * 2 + 1;
    const left = heap[child];
    if (!left) break;
    const right = heap[child + 1];
    if (right && right[0] < left[0]) child += 1;
    const smaller = heap[child];
    if (!smaller || smaller[0] >= last[0]) break;
    heap[parent] = smaller;
    parent = child;
  }
  heap[parent] = last;
  return top;
}
