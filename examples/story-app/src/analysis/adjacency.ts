/** A directed graph as successor lists, the form that the analyses share. */

export interface Digraph {
  size: number;
  successors: number[][];
}

export function digraph(size: number, edges: ReadonlyArray<{ from: number; to: number }>): Digraph {
  const seen = Array.from({ length: size }, () => new Set<number>());
  for (const { from, to } of edges) if (from < size && to < size) seen[from]?.add(to);
  return { size, successors: seen.map((set) => [...set].sort((a, b) => a - b)) };
}

/** Everything that some way from `start` reaches, `start` included. */
export function reachableFrom(graph: Digraph, start: number): boolean[] {
  const reached = new Array<boolean>(graph.size).fill(false);
  const open = start < graph.size ? [start] : [];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (reached[node]) continue;
    reached[node] = true;
    for (const next of graph.successors[node] ?? []) if (!reached[next]) open.push(next);
  }
  return reached;
}

/** Steps from `start` along the shortest way; -1 where there is none. */
export function distancesFrom(graph: Digraph, start: number): number[] {
  const distance = new Array<number>(graph.size).fill(-1);
  if (start >= graph.size) return distance;
  distance[start] = 0;
  const queue = [start];
  for (const node of queue) {
    for (const next of graph.successors[node] ?? []) {
      if (distance[next] !== -1) continue;
      distance[next] = (distance[node] ?? 0) + 1;
      queue.push(next);
    }
  }
  return distance;
}

export function reversed(graph: Digraph): Digraph {
  const successors: number[][] = Array.from({ length: graph.size }, () => []);
  graph.successors.forEach((list, from) => list.forEach((to) => successors[to]?.push(from)));
  return { size: graph.size, successors };
}
