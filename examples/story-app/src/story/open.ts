/** Opens a story: bytes or text in, a playable story with its graph out, or a rejection that says what to do. */

import { checkInkJson, compileInk } from './compile';
import { readDocument, readText, type StoryDocument } from './document';
import { extractStory } from './extract';
import type { StoryGraph } from './graph';
import { contentHash } from './hash';
import { rejection, type Issue, type Rejection } from './issues';

export interface OpenInput {
  name: string;
  content: Uint8Array | string;
}

export interface OpenedStory {
  kind: 'opened';
  name: string;
  title: string;
  /** Key of everything that is derived from the story. */
  hash: string;
  json: string;
  source: string | undefined;
  encoding: StoryDocument['encoding'];
  issues: Issue[];
  graph: StoryGraph;
  texts: string[];
}

export const OPENING_STEPS = ['Reading', 'Compiling', 'Mapping'] as const;

export type OpeningProgress = { step: number; of: number; name: (typeof OPENING_STEPS)[number] };

export function openStory(input: OpenInput, onProgress: (progress: OpeningProgress) => void): OpenedStory | Rejection {
  const report = (step: number): void => onProgress({ step, of: OPENING_STEPS.length, name: OPENING_STEPS[step] ?? 'Mapping' });
  report(0);
  const document = typeof input.content === 'string' ? readText(input.content, input.name) : readDocument(input.content, input.name);
  if (document.kind === 'rejected') return document;
  report(1);
  const compiled = document.kind === 'ink' ? compileInk(document.text) : checkInkJson(document.text, input.name);
  if (compiled.kind === 'rejected') return compiled;
  report(2);
  const extracted = extract(compiled.json, compiled.functions, input.name);
  if ('kind' in extracted) return extracted;
  const { graph, texts } = extracted;
  if (graph.passages.every((passage) => passage.words + passage.choiceWords === 0)) {
    return rejection('empty', `There is nothing to read in “${input.name}”.`, 'It compiles, but it holds no text and no choices. Write some outside comments and functions.', document.kind === 'ink' ? { source: document.text } : {});
  }
  const issues = [...document.notes, ...compiled.issues];
  for (const { passage, target } of graph.unresolved) {
    issues.push({ severity: 'warning', message: `${graph.passages[passage]?.path ?? 'The story'} diverts to “${target}”, which does not exist.` });
  }
  if (graph.externals.length > 0) {
    issues.push({ severity: 'note', message: `The story asks its game for ${graph.externals.map((name) => `${name}()`).join(', ')}. Here each of them answers 0.` });
  }
  return {
    kind: 'opened',
    name: input.name,
    title: titleOf(document, input.name),
    hash: contentHash(compiled.json),
    json: compiled.json,
    source: document.kind === 'ink' ? document.text : undefined,
    encoding: document.encoding,
    issues,
    graph,
    texts,
  };
}

function extract(json: string, functions: string[], name: string): ReturnType<typeof extractStory> | Rejection {
  try {
    return extractStory(json, functions);
  } catch (error) {
    return rejection('damaged-json', `“${name}” is damaged.`, `It looks like an Ink story, but its contents can’t be followed (${error instanceof Error ? error.message : String(error)}). Compile it again.`);
  }
}

/** The story's own `# title:` tag, else the file's name without its ending. */
function titleOf(document: StoryDocument, name: string): string {
  const tag = document.kind === 'ink' ? /^[ \t]*#[ \t]*title:[ \t]*(.+)$/im.exec(document.text) : /"#","\^title:\s*([^"\\]+)"/i.exec(document.text);
  return tag?.[1]?.trim() || name.replace(/\.ink\.json$|\.ink$|\.json$/i, '').replace(/[-_]+/g, ' ').trim() || 'Untitled';
}
