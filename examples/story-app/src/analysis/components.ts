/** Strongly connected components: the loops of a story. */

import type { Digraph } from './adjacency';

export interface Components {
  /** Component of each node. Components are numbered in reverse topological order: edges lead to smaller numbers. */
  componentOf: number[];
  members: number[][];
}

/** Tarjan (1972), with a stack of its own so that a chain of ten thousand passages does not overflow the call stack. */
export function stronglyConnected(graph: Digraph): Components {
  const index = new Array<number>(graph.size).fill(-1);
  const low = new Array<number>(graph.size).fill(0);
  const onStack = new Array<boolean>(graph.size).fill(false);
  const componentOf = new Array<number>(graph.size).fill(-1);
  const members: number[][] = [];
  const stack: number[] = [];
  let counter = 0;

  for (let root = 0; root < graph.size; root += 1) {
    if (index[root] !== -1) continue;
    const calls: Array<{ node: number; next: number }> = [{ node: root, next: 0 }];
    while (calls.length > 0) {
      const call = calls[calls.length - 1];
      if (!call) break;
      const { node } = call;
      if (call.next === 0) {
        index[node] = low[node] = counter;
        counter += 1;
        stack.push(node);
        onStack[node] = true;
      }
      const successor = graph.successors[node]?.[call.next];
      call.next += 1;
      if (successor !== undefined) {
        if (index[successor] === -1) calls.push({ node: successor, next: 0 });
        else if (onStack[successor]) low[node] = Math.min(low[node] ?? 0, index[successor] ?? 0);
        continue;
      }
      calls.pop();
      const parent = calls[calls.length - 1];
      if (parent) low[parent.node] = Math.min(low[parent.node] ?? 0, low[node] ?? 0);
      if (low[node] === index[node]) {
        const component: number[] = [];
        for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
          onStack[member] = false;
          componentOf[member] = members.length;
          component.push(member);
          if (member === node) break;
        }
        members.push(component.sort((a, b) => a - b));
      }
    }
  }
  return { componentOf, members };
}

/** Components that a reader can go round in: more than one passage, or one that leads to itself. Largest first. */
export function loops(graph: Digraph): number[][] {
  const { members } = stronglyConnected(graph);
  return members
    .filter((component) => component.length > 1 || component.some((node) => graph.successors[node]?.includes(node)))
    .sort((a, b) => b.length - a.length || (a[0] ?? 0) - (b[0] ?? 0));
}
