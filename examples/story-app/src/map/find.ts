/** Finding passages by name or by words in their text. */

import type { Passage } from '../story/graph';
import { titleOf } from './labels';

export interface Found {
  passage: number;
  /** The words around the match where it is in the text. */
  context?: string;
}

export const MAX_FOUND = 40;
const AROUND = 36;

/** Names that begin with the query, then names that contain it, then texts that do. */
export function findPassages(passages: readonly Passage[], texts: readonly string[], query: string): Found[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return [];
  const begins: Found[] = [];
  const contains: Found[] = [];
  const inText: Found[] = [];
  for (const passage of passages) {
    const name = titleOf(passage).toLowerCase();
    const last = name.split(' › ').pop() ?? name;
    if (name.startsWith(wanted) || last.startsWith(wanted)) begins.push({ passage: passage.id });
    else if (name.includes(wanted) || passage.path.toLowerCase().includes(wanted)) contains.push({ passage: passage.id });
    else if (inText.length < MAX_FOUND) {
      const text = texts[passage.id] ?? '';
      const at = text.toLowerCase().indexOf(wanted);
      if (at >= 0) inText.push({ passage: passage.id, context: around(text, at, wanted.length) });
    }
  }
  return [...begins, ...contains, ...inText].slice(0, MAX_FOUND);
}

function around(text: string, at: number, length: number): string {
  const from = Math.max(0, at - AROUND);
  const to = Math.min(text.length, at + length + AROUND);
  return `${from > 0 ? '…' : ''}${text.slice(from, to)}${to < text.length ? '…' : ''}`;
}
