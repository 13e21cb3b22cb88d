/**
 * Compiled Ink JSON as a flat program: every container becomes a run of numbered points, one per content slot and one for
 * its end, so that flow can be followed by numbers. The format is described in inkle's `ink_JSON_runtime_format.md`.
 */

export type Op =
  | { op: 'nop' }
  | { op: 'text'; text: string }
  | { op: 'enter'; container: number }
  | { op: 'divert'; path: string; mode: 'goto' | 'tunnel' | 'call'; conditional: boolean }
  | { op: 'variable-divert'; name: string; mode: 'goto' | 'tunnel' | 'call'; conditional: boolean }
  | { op: 'choice'; path: string; flags: number }
  | { op: 'target'; path: string }
  | { op: 'external'; name: string }
  | { op: 'control'; name: string };

/** Flags of a choice point, as the runtime format numbers them. */
export const CHOICE_CONDITIONAL = 1;
export const CHOICE_INVISIBLE_DEFAULT = 8;
export const CHOICE_ONCE_ONLY = 16;

/** `#f` of a container: counts its visits; counts them only at its start (weave points, never knots or stitches). */
export const COUNTS_VISITS = 1;
const COUNTS_AT_START_ONLY = 4;

export interface Container {
  id: number;
  parent: number;
  /** Slot in the parent's content, or -1 where it is reachable by name only: then flow runs out at its end. */
  slot: number;
  name: string | undefined;
  flags: number;
  /** Number of the point of its first content slot; the point after its last slot is its end. */
  start: number;
  length: number;
  named: Map<string, number>;
}

export interface Program {
  containers: Container[];
  /** The operation at each point; `undefined` at the end of a container. */
  ops: Array<Op | undefined>;
  /** The container each point lies in. */
  owner: number[];
}

export const ROOT = 0;

/** Stores where the text of a choice returns to; the divert into that text follows. */
export const RETURN_ADDRESS = '$r';

/** Ink JSON that doesn't hold what the format promises. */
export class DamagedStoryError extends Error {
  override name = 'DamagedStoryError';
}

/** Flattens the `root` of compiled Ink JSON. Uses a stack of its own: gathers nest as deep as a scene is long. */
export function flatten(root: unknown): Program {
  const program: Program = { containers: [], ops: [], owner: [] };
  if (!Array.isArray(root)) throw new DamagedStoryError('The root of the story is not a container.');
  const pending: Array<{ json: unknown[]; id: number }> = [];

  const declare = (json: unknown[], parent: number, slot: number, name: string | undefined): number => {
    const id = program.containers.length;
    const extras = namedPart(json);
    const ownName = typeof extras?.['#n'] === 'string' ? extras['#n'] : name;
    const container: Container = { id, parent, slot, name: ownName, flags: typeof extras?.['#f'] === 'number' ? extras['#f'] : 0, start: -1, length: Math.max(0, json.length - 1), named: new Map() };
    program.containers.push(container);
    pending.push({ json, id });
    const above = program.containers[parent];
    if (above && above.id !== id && ownName !== undefined) above.named.set(ownName, id);
    return id;
  };

  declare(root, -1, -1, undefined);
  for (let index = 0; index < pending.length; index += 1) {
    const next = pending[index];
    if (!next) break;
    const container = program.containers[next.id];
    if (!container) throw new DamagedStoryError('A container is missing.');
    container.start = program.ops.length;
    for (let slot = 0; slot < container.length; slot += 1) {
      const value = next.json[slot];
      const op: Op = Array.isArray(value) ? { op: 'enter', container: declare(value, container.id, slot, undefined) } : decode(value);
      program.ops.push(op);
      program.owner.push(container.id);
    }
    program.ops.push(undefined);
    program.owner.push(container.id);
    for (const [name, value] of Object.entries(namedPart(next.json) ?? {})) {
      if (Array.isArray(value)) declare(value, container.id, -1, name);
    }
  }
  return program;
}

/** Resolves a path from the container that holds the operation. Answers the point it names. */
export function resolve(program: Program, from: number, path: string): number | undefined {
  let parts = path.split('.');
  let container = program.containers[ROOT];
  if (path.startsWith('.')) {
    // A relative path begins with the parent of the operation itself, which is the container that holds it.
    parts = parts.slice(2);
    container = program.containers[from];
  }
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i] ?? '';
    if (!container) return undefined;
    if (part === '^') {
      container = program.containers[container.parent];
    } else if (/^\d+$/.test(part)) {
      const slot = Number(part);
      if (slot > container.length) return undefined;
      const point: number = container.start + slot;
      const op: Op | undefined = program.ops[point];
      if (op?.op === 'enter') container = program.containers[op.container];
      else return i === parts.length - 1 ? point : undefined;
    } else {
      const named: number | undefined = container.named.get(part);
      if (named === undefined) return undefined;
      container = program.containers[named];
    }
  }
  return container?.start;
}

/** Where flow goes on when it runs past the end of a container: a point, or `undefined` where it runs out. */
export function afterEnd(program: Program, container: Container): number | undefined {
  const parent = program.containers[container.parent];
  if (!parent || container.slot < 0) return undefined;
  return parent.start + container.slot + 1;
}

/** Whether a container is a knot or a stitch by its flags: weave points count visits at their start only. */
export function isWeavePoint(container: Container): boolean {
  return (container.flags & COUNTS_AT_START_ONLY) !== 0;
}

function namedPart(json: unknown[]): Record<string, unknown> | undefined {
  const last = json[json.length - 1];
  return isRecord(last) ? last : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decode(value: unknown): Op {
  if (typeof value === 'string') {
    if (value.startsWith('^')) return { op: 'text', text: value.slice(1) };
    if (value === '\n') return { op: 'text', text: '\n' };
    return { op: 'control', name: value };
  }
  if (!isRecord(value)) return { op: 'nop' };
  const conditional = value.c === true;
  for (const [key, mode] of DIVERTS) {
    const path = value[key];
    if (typeof path !== 'string') continue;
    return value.var === true ? { op: 'variable-divert', name: path, mode, conditional } : { op: 'divert', path, mode, conditional };
  }
  if (typeof value['*'] === 'string') return { op: 'choice', path: value['*'], flags: typeof value.flg === 'number' ? value.flg : 0 };
  if (typeof value['^->'] === 'string') return { op: 'target', path: value['^->'] };
  if (value['temp='] === '$r') return { op: 'control', name: RETURN_ADDRESS };
  if (typeof value['x()'] === 'string') return { op: 'external', name: value['x()'] };
  return { op: 'nop' };
}

const DIVERTS: ReadonlyArray<readonly [string, 'goto' | 'tunnel' | 'call']> = [
  ['->', 'goto'],
  ['->t->', 'tunnel'],
  ['f()', 'call'],
];
