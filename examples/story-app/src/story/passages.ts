/** Which containers of a compiled story are passages: knots and stitches, but not functions, and the opening before them. */

import { OPENING, type Passage } from './graph';
import { ROOT, isWeavePoint, resolve, type Container, type Program } from './program';

export interface PassageEntry {
  path: string;
  kind: Passage['kind'];
  /** The point at which the passage begins. */
  entry: number;
}

export interface PassageMap {
  passages: PassageEntry[];
  /** Passage of each container, -1 in functions and global declarations. */
  passageOf: number[];
  functions: string[];
  functionEntries: Set<number>;
  /** Knots that hold nothing of their own before their first stitch. */
  heads: Set<number>;
}

/** The container of global variables, which Ink names so. */
const DECLARATIONS = 'global decl';

export function assignPassages(program: Program, functionNames: readonly string[]): PassageMap {
  const passages: PassageEntry[] = [];
  const passageOf = program.containers.map(() => -1);
  const functions: string[] = [];
  const functionEntries = new Set<number>();
  const heads = new Set<number>();
  const root = program.containers[ROOT];
  if (!root) return { passages, passageOf, functions, functionEntries, heads };

  const functionKnots = findFunctions(program, root, functionNames);
  passages.push({ path: OPENING, kind: 'opening', entry: root.start });
  passageOf[ROOT] = 0;
  const excluded = new Set<number>();
  // Parents have smaller ids than their children, so one pass in order sees each parent first.
  for (const container of program.containers) {
    if (container.id === ROOT) continue;
    const isTopLevel = container.parent === ROOT && container.slot < 0;
    if (isTopLevel && container.name === DECLARATIONS) {
      excluded.add(container.id);
    } else if (isTopLevel && functionKnots.has(container.id)) {
      excluded.add(container.id);
      functions.push(container.name ?? '');
      functionEntries.add(container.start);
    }
    if (excluded.has(container.id) || excluded.has(container.parent)) {
      excluded.add(container.id);
      continue;
    }
    const above = passageOf[container.parent] ?? 0;
    const knot = program.containers[container.parent];
    const isStitch = !isTopLevel && container.slot < 0 && knot?.parent === ROOT && knot.slot < 0 && !isWeavePoint(container);
    if (isTopLevel && leadsToOwnStitch(program, container)) {
      // A knot that begins with its first stitch is that stitch; it gets its number when the stitch comes.
      passageOf[container.id] = -1;
      heads.add(container.id);
      continue;
    }
    if (isTopLevel || isStitch) {
      passageOf[container.id] = passages.length;
      const path = isStitch ? `${knot?.name ?? ''}.${container.name ?? ''}` : (container.name ?? '');
      passages.push({ path, kind: isStitch ? 'stitch' : 'knot', entry: container.start });
      if (isStitch && knot && passageOf[knot.id] === -1 && firstStitch(program, knot) === container.id) passageOf[knot.id] = passages.length - 1;
    } else {
      passageOf[container.id] = above;
    }
  }
  return inSourceOrder(program, { passages, passageOf, functions: functions.sort(), functionEntries, heads });
}

/** Renumbers the passages as they stand in the source: each knot, then its stitches. */
function inSourceOrder(program: Program, map: PassageMap): PassageMap {
  const order: number[] = [0];
  const take = (id: number): void => {
    const passage = map.passageOf[id] ?? -1;
    if (passage > 0 && !order.includes(passage, order.length - 2)) order.push(passage);
  };
  for (const knot of program.containers[ROOT]?.named.values() ?? []) {
    if (!map.heads.has(knot)) take(knot);
    for (const stitch of program.containers[knot]?.named.values() ?? []) if (map.passageOf[stitch] !== map.passageOf[knot] || map.heads.has(knot)) take(stitch);
  }
  const taken = [...new Set(order)];
  const renumbered = new Map(taken.map((old, id) => [old, id]));
  return {
    ...map,
    passages: taken.flatMap((old) => map.passages[old] ?? []),
    passageOf: map.passageOf.map((old) => renumbered.get(old) ?? -1),
  };
}

/** Knots that are called, or that return a value, and that nothing diverts to. */
function findFunctions(program: Program, root: Container, known: readonly string[]): Set<number> {
  const called = new Set<number>(known.flatMap((name) => root.named.get(name) ?? []));
  const diverted = new Set<number>();
  program.ops.forEach((op, point) => {
    const owner = program.owner[point] ?? ROOT;
    if (op?.op === 'divert') {
      const target = resolve(program, owner, op.path);
      const id = target === undefined ? undefined : topLevelOf(program, program.owner[target] ?? ROOT);
      if (id === undefined) return;
      if (op.mode === 'call') called.add(id);
      else if (topLevelOf(program, owner) !== id) diverted.add(id);
    } else if (op?.op === 'control' && op.name === '~ret') {
      const id = topLevelOf(program, owner);
      if (id !== undefined) called.add(id);
    }
  });
  return new Set([...called].filter((id) => !diverted.has(id) && program.containers[id]?.parent === root.id));
}

function topLevelOf(program: Program, from: number): number | undefined {
  let container = program.containers[from];
  while (container && container.parent !== ROOT && container.id !== ROOT) container = program.containers[container.parent];
  return container && container.id !== ROOT && container.slot < 0 ? container.id : undefined;
}

function leadsToOwnStitch(program: Program, knot: Container): boolean {
  return knot.length === 1 && firstStitch(program, knot) !== undefined;
}

function firstStitch(program: Program, knot: Container): number | undefined {
  const op = program.ops[knot.start];
  if (op?.op !== 'divert' || op.mode !== 'goto' || op.conditional) return undefined;
  const target = resolve(program, knot.id, op.path);
  const owner = target === undefined ? undefined : program.containers[program.owner[target] ?? ROOT];
  return owner && owner.parent === knot.id && owner.slot < 0 ? owner.id : undefined;
}
