import { compileInk } from '../../src/story/compile';
import { extractStory } from '../../src/story/extract';
import type { ExtractedStory, StoryGraph } from '../../src/story/graph';
import { PassageIndex } from '../../src/reading/passage-index';
import { TracedStory } from '../../src/reading/traced-story';

/** Compiles Ink that must compile. */
export function compiled(source: string): { json: string; functions: string[] } {
  const result = compileInk(source);
  if (result.kind === 'rejected') throw new Error(result.issues.map((issue) => `line ${issue.line}: ${issue.message}`).join('\n'));
  return result;
}

export function extracted(source: string): ExtractedStory {
  const { json, functions } = compiled(source);
  return extractStory(json, functions);
}

export function graphOf(source: string): StoryGraph {
  return extracted(source).graph;
}

export function traced(source: string): { story: TracedStory; graph: StoryGraph } {
  const { json, functions } = compiled(source);
  const { graph } = extractStory(json, functions);
  return { story: new TracedStory(json, new PassageIndex(graph), graph.externals), graph };
}

export function idOf(graph: StoryGraph, path: string): number {
  const passage = graph.passages.find((candidate) => candidate.path === path);
  if (!passage) throw new Error(`no passage ${path} among ${graph.passages.map((p) => p.path).join(', ')}`);
  return passage.id;
}

/** Ways as `from -> to`, with kind, sorted. */
export function waysOf(graph: StoryGraph): string[] {
  return graph.edges.map((edge) => `${graph.passages[edge.from]?.path} -${edge.kind}${edge.conditional ? '?' : ''}-> ${graph.passages[edge.to]?.path}`).sort();
}

export function namesOf(graph: StoryGraph, ids: readonly number[]): string[] {
  return ids.map((id) => graph.passages[id]?.path ?? '?');
}
