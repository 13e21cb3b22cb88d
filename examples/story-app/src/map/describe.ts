/** A passage in words, for those who don't see the map. */

import type { Reachability } from '../analysis/structure';
import type { StoryGraph } from '../story/graph';
import { titleOf } from './labels';

/** What the analysis found about a passage, most important first. */
export function remarks(graph: StoryGraph, reachability: Reachability | undefined, id: number): string[] {
  const out: string[] = [];
  if (id === graph.start) out.push('the story begins here');
  if (!reachability) return out;
  if (reachability.unreachable.includes(id)) out.push('nothing leads here');
  const loose = reachability.looseEnds.find((end) => end.passage === id);
  if (loose) out.push(loose.certain ? 'dead end: its content runs out' : 'may run out of content when no choice is left');
  if (reachability.trapped.includes(id)) out.push('no ending can be reached from here');
  const ending = reachability.endings.find((end) => end.passage === id);
  if (ending) out.push(ending.certain ? 'the story can end here' : 'the story ends here when no choice is open');
  if (graph.passages[id]?.dynamic) out.push('goes where a variable says');
  return out;
}

export function describePassage(graph: StoryGraph, reachability: Reachability | undefined, id: number): string {
  const passage = graph.passages[id];
  if (!passage) return '';
  const ways = graph.edges.filter((edge) => edge.from === id);
  const names = [...new Set(ways.map((edge) => titleOf(graph.passages[edge.to] ?? passage)))];
  const onwards = names.length === 0 ? 'It leads nowhere.' : `It leads to ${names.slice(0, 6).join(', ')}${names.length > 6 ? ` and ${names.length - 6} more` : ''}.`;
  const notes = remarks(graph, reachability, id);
  return `${titleOf(passage)}, ${passage.kind}, ${passage.words} words${notes.length > 0 ? `; ${notes.join('; ')}` : ''}. ${onwards}`;
}
