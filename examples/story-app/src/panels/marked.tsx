/** The little HTML that Ink authors write by custom, `<b>` and `<i>`; everything else stays text. */

import type { ReactNode } from 'react';

export function marked(text: string): ReactNode[] {
  return parse(text, 0, 0).nodes;
}

interface Parsed {
  nodes: ReactNode[];
  end: number;
}

/** Deeper marks are left out: no author means them, and drawing them would end in an overflow of the stack. */
const MAX_DEPTH = 8;

const TAG = /<(\/?)(b|i|em|strong)>/gi;

function parse(text: string, from: number, depth: number, until?: string): Parsed {
  const nodes: ReactNode[] = [];
  let at = from;
  for (;;) {
    TAG.lastIndex = at;
    const match = TAG.exec(text);
    if (!match) {
      nodes.push(text.slice(at));
      return { nodes, end: text.length };
    }
    const name = (match[2] ?? '').toLowerCase();
    const after = match.index + match[0].length;
    if (match.index > at) nodes.push(text.slice(at, match.index));
    if (match[1] === '/' && name === until) return { nodes, end: after };
    if (match[1] === '/' || depth >= MAX_DEPTH) {
      at = after;
      continue;
    }
    const inner = parse(text, after, depth + 1, name);
    const key = match.index;
    nodes.push(name === 'b' || name === 'strong' ? <strong key={key}>{inner.nodes}</strong> : <em key={key}>{inner.nodes}</em>);
    at = inner.end;
  }
}
