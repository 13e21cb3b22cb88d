/**
 * Follows the flow of a flattened story from a point through everything it can do next: an abstract interpretation in which
 * every condition may hold and every choice may be taken. Beside reachability it keeps, at each point, whether the reader
 * may arrive there with no choice offered yet: content that ends in that state runs out.
 */

import { CHOICE_CONDITIONAL, CHOICE_ONCE_ONLY, RETURN_ADDRESS, afterEnd, resolve, type Op, type Program } from './program';

/** What may have been offered to the reader since their last choice. */
const NOTHING = 1;
/** Only choices with conditions. */
const PERHAPS = 2;
/** Choices that can be taken once: none may be left on a later visit. */
const ONCE = 4;
const SURELY = 8;
const OFFERS = NOTHING | PERHAPS | ONCE | SURELY;

/** How the flow got here: a tunnel must return, a thread may run out. Each context has four bits of offers. */
const CONTEXTS = ['main', 'tunnel', 'thread'] as const;
type Context = (typeof CONTEXTS)[number];
const shiftOf = (context: Context): number => CONTEXTS.indexOf(context) * 4;

export interface FlowStop {
  point: number;
  kind: 'END' | 'DONE' | 'runs-out';
  /** On some way nothing was offered at all. */
  certain: boolean;
  /** It takes a later visit, on which the choices that can be taken once are gone. */
  onlyWhenUsedUp: boolean;
}

export interface Flow {
  /** Bits of context and offers at each point; 0 where no flow arrives. */
  state: Uint16Array;
  stops(): FlowStop[];
  /** Continues from another entry, keeping what is known: used for passages that nothing reaches. */
  explore(point: number): void;
}

export interface FlowInputs {
  program: Program;
  /** Points that variable diverts may reach: every divert target the story takes as a value. */
  dynamicTargets: readonly number[];
  /** Entry points of functions: they return, and never run out. */
  functionEntries: ReadonlySet<number>;
}

export function followFlow({ program, dynamicTargets, functionEntries }: FlowInputs, entry: number): Flow {
  const state = new Uint16Array(program.ops.length);
  const queued = new Uint8Array(program.ops.length);
  const work: number[] = [];
  const threadOffers = new Map<number, number>();
  const stops = new Map<string, { point: number; kind: FlowStop['kind']; offers: number }>();

  const arrive = (point: number | undefined, bits: number): void => {
    if (point === undefined || bits === 0) return;
    const before = state[point] ?? 0;
    if ((before | bits) === before) return;
    state[point] = before | bits;
    if (!queued[point]) {
      queued[point] = 1;
      work.push(point);
    }
  };

  const stop = (point: number, kind: FlowStop['kind'], bits: number): void => {
    // END ends whatever is offered. DONE and the end of content end a turn, and the story only where nothing was offered;
    // in a thread they end the thread.
    const own = kind === 'END' ? NOTHING : (bits | (bits >> shiftOf('tunnel'))) & OFFERS;
    if ((own & ~SURELY) === 0) return;
    const key = `${point}:${kind}`;
    stops.set(key, { point, kind, offers: (stops.get(key)?.offers ?? 0) | own });
  };

  const step = (point: number): void => {
    const bits = state[point] ?? 0;
    const owner = program.containers[program.owner[point] ?? 0];
    if (!owner) return;
    const op = program.ops[point];
    if (!op) {
      const next = afterEnd(program, owner);
      if (next !== undefined) arrive(next, bits);
      else stop(point, 'runs-out', bits);
      return;
    }
    const next = point + 1;
    switch (op.op) {
      case 'enter':
        arrive(program.containers[op.container]?.start, bits);
        return;
      case 'divert':
        divert(op, resolve(program, owner.id, op.path), next, bits, point);
        return;
      case 'variable-divert':
        // `$r` returns from the text of a choice to the place that asked for it.
        if (op.name === RETURN_ADDRESS) return;
        for (const target of dynamicTargets) divert(op, target, next, bits, point);
        if (dynamicTargets.length === 0 || op.mode !== 'goto' || op.conditional) arrive(next, bits);
        return;
      case 'choice': {
        const offered = offerOf(op.flags);
        arrive(resolve(program, owner.id, op.path), chosen(bits));
        arrive(next, offer(bits, offered));
        return;
      }
      case 'control':
        if (op.name === 'end') stop(point, 'END', bits);
        else if (op.name === 'done') stop(point, 'DONE', bits);
        else if (op.name === '->->') tunnelReturn(point, owner.id);
        else if (op.name !== '~ret') arrive(next, bits);
        return;
      default:
        arrive(next, bits);
    }
  };

  const divert = (op: Extract<Op, { op: 'divert' | 'variable-divert' }>, target: number | undefined, next: number, bits: number, point: number): void => {
    if (op.mode === 'call') {
      arrive(next, bits);
      return;
    }
    if (op.mode === 'tunnel') {
      arrive(target, inContext(bits, 'tunnel'));
      // What the tunnel offered is not followed back: it may have ended a turn or not.
      arrive(next, bits);
      return;
    }
    const before = program.ops[point - 1];
    if (before?.op === 'control' && before.name === 'thread') {
      arrive(target, inContext(bits, 'thread'));
      const offered = target === undefined ? 0 : offersWithin(target);
      arrive(next, offered === 0 ? bits : offer(bits, offered));
      return;
    }
    const setsReturn = [program.ops[point - 1], program.ops[point - 2]].some((o) => o?.op === 'control' && o.name === RETURN_ADDRESS);
    if (target !== undefined && !functionEntries.has(target)) arrive(target, bits);
    if (op.conditional || setsReturn) arrive(next, bits);
  };

  /** `->-> elsewhere` returns from the tunnel and diverts: the target stands before the return. */
  const tunnelReturn = (point: number, owner: number): void => {
    const value = program.ops[point - 2];
    if (value?.op === 'target') arrive(resolve(program, owner, value.path), NOTHING << shiftOf('main'));
  };

  /** What a thread that starts at `entry` offers, read from its text alone. */
  const offersWithin = (entry: number): number => {
    const known = threadOffers.get(entry);
    if (known !== undefined) return known;
    let offered = 0;
    const open = [program.owner[entry] ?? 0];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const container = program.containers[id];
      if (!container) continue;
      for (let point = container.start; point < container.start + container.length; point += 1) {
        const op = program.ops[point];
        if (op?.op === 'choice') offered = Math.max(offered, offerOf(op.flags));
        if (op?.op === 'enter') open.push(op.container);
      }
    }
    threadOffers.set(entry, offered);
    return offered;
  };

  const run = (): void => {
    for (let point = work.pop(); point !== undefined; point = work.pop()) {
      queued[point] = 0;
      step(point);
    }
  };

  const explore = (point: number): void => {
    arrive(point, NOTHING << shiftOf('main'));
    run();
  };
  explore(entry);

  return {
    state,
    explore,
    stops: () => [...stops.values()].map(({ point, kind, offers }) => ({ point, kind, certain: (offers & NOTHING) !== 0, onlyWhenUsedUp: (offers & (NOTHING | PERHAPS)) === 0 })),
  };
}

/** After a choice nothing is offered any more; a thread's choice goes on as the main flow. */
function chosen(bits: number): number {
  let out = 0;
  for (const context of CONTEXTS) {
    if (((bits >> shiftOf(context)) & OFFERS) === 0) continue;
    out |= NOTHING << shiftOf(context === 'thread' ? 'main' : context);
  }
  return out;
}

function offerOf(flags: number): number {
  if ((flags & CHOICE_CONDITIONAL) !== 0) return PERHAPS;
  return (flags & CHOICE_ONCE_ONLY) !== 0 ? ONCE : SURELY;
}

/** One more choice: the better offer counts. */
function offer(bits: number, offered: number): number {
  let out = 0;
  for (const context of CONTEXTS) {
    const here = (bits >> shiftOf(context)) & OFFERS;
    for (const before of [NOTHING, PERHAPS, ONCE, SURELY]) {
      if ((here & before) !== 0) out |= Math.max(before, offered) << shiftOf(context);
    }
  }
  return out;
}

/** The same offers, arriving in another context. */
function inContext(bits: number, context: Context): number {
  let offers = 0;
  for (const from of CONTEXTS) offers |= (bits >> shiftOf(from)) & OFFERS;
  return offers << shiftOf(context);
}
