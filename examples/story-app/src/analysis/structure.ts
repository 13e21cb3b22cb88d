/** What the shape of a story tells without reading it: what is reachable, where it ends, where it is stuck. */

import type { StoryGraph } from '../story/graph';
import { digraph, distancesFrom, reachableFrom, reversed } from './adjacency';

export interface Reachability {
  reachable: number[];
  unreachable: number[];
  /** Shortest number of passages from the opening; -1 where there is no way. */
  depth: number[];
  /** Reachable passages in which the story can end. */
  endings: Array<{ passage: number; kind: 'END' | 'DONE'; certain: boolean }>;
  /** Reachable passages whose content has nothing after it. `certain`: on some way with no choice before it at all. */
  looseEnds: Array<{ passage: number; certain: boolean }>;
  /** Reachable passages from which no way leads to an ending, dead ends themselves left out. */
  trapped: number[];
}

export function reachability(graph: StoryGraph): Reachability {
  const size = graph.passages.length;
  const all = digraph(size, graph.edges);
  const depth = distancesFrom(all, graph.start);
  // Flow knows more than the edges: a passage may be entered at a label in its middle.
  const isReachable = (id: number): boolean => graph.reachable[id] ?? false;
  const ids = graph.passages.map((p) => p.id);
  const endings = graph.exits.flatMap((exit) => (exit.kind !== 'runs-out' && isReachable(exit.passage) ? [{ passage: exit.passage, kind: exit.kind, certain: exit.certain }] : []));
  const looseEnds = graph.exits.flatMap((exit) => (exit.kind === 'runs-out' && isReachable(exit.passage) ? [{ passage: exit.passage, certain: exit.certain }] : []));

  // Backwards from all endings at once: an extra node stands before them. A tunnel comes back to its caller, so a
  // passage that is only a tunnel is as free as the passages that call it.
  const back = reversed(all);
  const sink = size;
  const withSink = { size: size + 1, successors: [...back.successors.map((s) => [...s]), endings.map((e) => e.passage)] };
  for (const edge of graph.edges) if (edge.kind === 'tunnel' || edge.kind === 'thread') withSink.successors[edge.from]?.push(edge.to);
  const freed = reachableFrom(withSink, sink);
  return {
    reachable: ids.filter(isReachable),
    unreachable: ids.filter((id) => !isReachable(id)),
    depth,
    endings,
    looseEnds,
    trapped: ids.filter((id) => isReachable(id) && !freed[id] && !looseEnds.some((end) => end.certain && end.passage === id)),
  };
}
