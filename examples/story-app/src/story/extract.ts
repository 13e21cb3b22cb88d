/** Reads the graph of passages out of compiled Ink JSON. */

import { digraph } from '../analysis/adjacency';
import { loops } from '../analysis/components';
import { followFlow, type Flow } from './flow';
import { OPENING, type Edge, type EdgeKind, type ExtractedStory, type Exit, type Passage } from './graph';
import { assignPassages, type PassageMap } from './passages';
import { CHOICE_CONDITIONAL, CHOICE_INVISIBLE_DEFAULT, CHOICE_ONCE_ONLY, DamagedStoryError, ROOT, flatten, resolve, type Op, type Program } from './program';
import { passageTexts } from './texts';

/**
 * Extracts passages, edges, exits and texts. `functions` names knots known to be functions from the source: compiled JSON
 * tells a function only by its calls.
 *
 * @throws DamagedStoryError where the JSON does not hold what Ink's runtime format promises.
 */
export function extractStory(json: string, functions: readonly string[] = []): ExtractedStory {
  const parsed: unknown = JSON.parse(json.replace(/^\uFEFF/, ''));
  if (typeof parsed !== 'object' || parsed === null || !('root' in parsed)) throw new DamagedStoryError('The story has no root.');
  const program = flatten(parsed.root);
  const map = assignPassages(program, functions);
  const dynamicTargets = targetsTakenAsValues(program);
  const flow = followFlow({ program, dynamicTargets: dynamicTargets.map((t) => t.point), functionEntries: map.functionEntries }, program.containers[ROOT]?.start ?? 0);
  const reachable = map.passages.map(() => false);
  flow.state.forEach((bits, point) => {
    const passage = map.passageOf[program.owner[point] ?? 0] ?? -1;
    if (bits !== 0 && passage >= 0) reachable[passage] = true;
  });
  // Passages that nothing reaches still lead somewhere, and their ways are drawn too. Their stops are not the story's.
  const stops = flow.stops();
  map.passages.forEach((entry, id) => {
    if (!reachable[id]) flow.explore(entry.entry);
  });

  const texts = passageTexts(program, map);
  const passages: Passage[] = map.passages.map((entry, id) => ({
    id,
    path: entry.path,
    kind: entry.kind,
    words: texts[id]?.words ?? 0,
    choiceWords: texts[id]?.choiceWords ?? 0,
    choices: texts[id]?.choices ?? 0,
    preview: texts[id]?.preview ?? '',
    dynamic: false,
  }));
  const { edges, unresolved, externals } = collectEdges(program, map, flow, passages, dynamicTargets);
  // A passage uses its choices up only if the reader comes by again. Ways that a condition or a choice guards are left out:
  // they are how authors see to it that nobody does.
  const inLoop = new Set(loops(digraph(passages.length, edges.filter((edge) => !edge.once && !edge.conditional))).flat());
  const exits = collectExits(stops, program, map, inLoop);
  const start = map.passageOf[ROOT] ?? 0;
  const extracted: ExtractedStory = {
    graph: { passages, edges, exits, start, reachable, functions: map.functions, externals, unresolved },
    texts: texts.map((t) => t.text),
  };
  return foldOpening(extracted);
}

/** Divert targets used as values (`VAR next = -> there`, `-> tunnel(-> back)`), where a variable divert may go. */
function targetsTakenAsValues(program: Program): Array<{ point: number; at: number }> {
  const out: Array<{ point: number; at: number }> = [];
  program.ops.forEach((op, at) => {
    if (op?.op !== 'target' || op.path.includes('$r')) return;
    const next = program.ops[at + 1];
    // TURNS_SINCE(-> there) and READ_COUNT(-> there) only ask about it.
    if (next?.op === 'control' && (next.name === 'turns' || next.name === 'readc')) return;
    const point = resolve(program, program.owner[at] ?? ROOT, op.path);
    if (point !== undefined) out.push({ point, at });
  });
  return out;
}

function collectEdges(program: Program, map: PassageMap, flow: Flow, passages: Passage[], dynamicTargets: Array<{ point: number; at: number }>) {
  const edges = new Map<string, Edge>();
  const unresolved: Array<{ passage: number; target: string }> = [];
  const externals = new Set<string>();
  const ways = describeContainers(program);

  const add = (from: number, point: number, kind: EdgeKind, container: number, conditional: boolean): void => {
    const to = map.passageOf[program.owner[point] ?? ROOT] ?? -1;
    if (from < 0 || to < 0) return;
    if (from === to && (point !== map.passages[to]?.entry || map.heads.has(container))) return;
    const way = ways[container];
    const throughChoice = kind === 'divert' && way?.label !== undefined;
    const shown: EdgeKind = throughChoice ? 'choice' : kind;
    const label = way?.label;
    const key = `${from} ${to} ${shown} ${label ?? ''}`;
    const sure = !(conditional || (way?.conditional ?? false));
    const known = edges.get(key);
    const once = way?.once ?? false;
    if (known) {
      known.conditional = known.conditional && !sure;
      known.once = known.once && once;
    } else edges.set(key, { from, to, kind: shown, conditional: !sure, once, ...(label ? { label } : {}) });
  };

  program.ops.forEach((op, point) => {
    if (!op || flow.state[point] === 0) return;
    const container = program.owner[point] ?? ROOT;
    const from = map.passageOf[container] ?? -1;
    if (op.op === 'external') externals.add(op.name);
    if (op.op === 'variable-divert' && op.name !== '$r') {
      const passage = passages[from];
      if (passage) passage.dynamic = true;
      for (const target of dynamicTargets) {
        const owner = map.passageOf[program.owner[target.at] ?? ROOT] ?? -1;
        // A value named in a passage is drawn from there (below); one in a declaration from where it may be used.
        if (owner < 0 || owner === from) add(from, target.point, 'dynamic', container, op.conditional);
      }
    }
    if (op.op === 'divert' && op.mode !== 'call') {
      const target = resolve(program, container, op.path);
      if (target === undefined) unresolved.push({ passage: from, target: op.path });
      else add(from, target, kindOf(op, program.ops[point - 1]), container, op.conditional);
    }
  });
  for (const target of dynamicTargets) {
    if (flow.state[target.at] === 0) continue;
    const container = program.owner[target.at] ?? ROOT;
    add(map.passageOf[container] ?? -1, target.point, 'dynamic', container, false);
  }
  // Externals are called from functions too, which no flow enters here.
  program.ops.forEach((op) => {
    if (op?.op === 'external') externals.add(op.name);
  });
  return { edges: [...edges.values()], unresolved, externals: [...externals].sort() };
}

function kindOf(op: Extract<Op, { op: 'divert' }>, before: Op | undefined): EdgeKind {
  if (op.mode === 'tunnel') return 'tunnel';
  return before?.op === 'control' && before.name === 'thread' ? 'thread' : 'divert';
}

interface Way {
  /** Text of the choice whose content this is. */
  label?: string;
  conditional: boolean;
  once: boolean;
}

/** For each container, the choice that leads into it and whether a condition does. Parents have smaller ids. */
function describeContainers(program: Program): Way[] {
  const own: Array<Partial<Way>> = program.containers.map(() => ({}));
  const mark = (point: number | undefined, way: Partial<Way>): void => {
    if (point === undefined) return;
    const container = program.containers[program.owner[point] ?? ROOT];
    if (container && container.start === point) Object.assign(own[container.id] ?? {}, way);
  };
  program.ops.forEach((op, point) => {
    const container = program.owner[point] ?? ROOT;
    if (op?.op === 'choice') {
      const label = (op.flags & CHOICE_INVISIBLE_DEFAULT) !== 0 ? '(nothing else left)' : choiceLabel(program, point);
      mark(resolve(program, container, op.path), { label, conditional: (op.flags & CHOICE_CONDITIONAL) !== 0, once: (op.flags & CHOICE_ONCE_ONLY) !== 0 });
    } else if (op?.op === 'divert' && op.mode === 'goto') {
      const branch = op.conditional || (program.containers[container]?.length === 1 && op.path === '.^.b');
      if (branch) mark(resolve(program, container, op.path), { conditional: true });
    }
  });
  const ways: Way[] = [];
  for (const container of program.containers) {
    const above = ways[container.parent];
    const here = own[container.id] ?? {};
    // A gather after choices belongs to none of them, and knots start afresh.
    const label = here.label ?? above?.label;
    ways.push({ conditional: (here.conditional ?? false) || (above?.conditional ?? false), once: (here.once ?? false) || (above?.once ?? false), ...(label === undefined ? {} : { label }) });
  }
  return ways;
}

/** Text between the previous choice and this one that stands in a string, which is how the choice is written. */
function choiceLabel(program: Program, point: number): string {
  const container = program.containers[program.owner[point] ?? ROOT];
  if (!container) return '';
  const parts: string[] = [];
  let inString = false;
  for (let at = point - 1; at >= container.start; at -= 1) {
    const op = program.ops[at];
    if (op?.op === 'choice') break;
    if (op?.op === 'control' && op.name === '/str') inString = true;
    else if (op?.op === 'control' && op.name === 'str') inString = false;
    else if (inString && op?.op === 'text') parts.unshift(op.text);
    else if (inString && op?.op === 'divert') parts.unshift(textOf(program, resolve(program, container.id, op.path)));
  }
  const label = parts.join('').replace(/\s+/g, ' ').trim();
  return label.length > 80 ? `${label.slice(0, 79)}…` : label;
}

function textOf(program: Program, start: number | undefined): string {
  let out = '';
  for (let at = start ?? program.ops.length; program.ops[at] !== undefined; at += 1) {
    const op = program.ops[at];
    if (op?.op === 'text') out += op.text;
  }
  return out;
}

function collectExits(stops: ReturnType<Flow['stops']>, program: Program, map: PassageMap, inLoop: ReadonlySet<number>): Exit[] {
  const exits = new Map<string, Exit>();
  for (const stop of stops) {
    const passage = map.passageOf[program.owner[stop.point] ?? ROOT] ?? -1;
    if (passage < 0 || (stop.onlyWhenUsedUp && !inLoop.has(passage))) continue;
    const key = `${passage} ${stop.kind}`;
    const known = exits.get(key);
    exits.set(key, { passage, kind: stop.kind, certain: (known?.certain ?? false) || stop.certain });
  }
  return [...exits.values()].sort((a, b) => a.passage - b.passage);
}

/** An opening that only diverts to the first knot is no passage of its own. */
function foldOpening(story: ExtractedStory): ExtractedStory {
  const { graph } = story;
  const opening = graph.passages[graph.start];
  const out = graph.edges.filter((edge) => edge.from === graph.start);
  const only = out[0];
  if (!opening || opening.path !== OPENING || opening.words + opening.choices > 0 || out.length !== 1 || !only || only.kind !== 'divert' || only.conditional) return story;
  const shift = (id: number): number => (id > graph.start ? id - 1 : id);
  return {
    texts: story.texts.filter((_, id) => id !== graph.start),
    graph: {
      ...graph,
      passages: graph.passages.filter((p) => p !== opening).map((p, id) => ({ ...p, id })),
      edges: graph.edges.filter((e) => e.from !== graph.start).map((e) => ({ ...e, from: shift(e.from), to: shift(e.to) })),
      exits: graph.exits.filter((e) => e.passage !== graph.start).map((e) => ({ ...e, passage: shift(e.passage) })),
      reachable: graph.reachable.filter((_, id) => id !== graph.start),
      unresolved: graph.unresolved.map((u) => ({ ...u, passage: shift(u.passage) })),
      start: shift(only.to),
    },
  };
}
