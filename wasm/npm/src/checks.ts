import { describe, QuillworkError } from './errors.js';

/** The words of a text. */
type Words<Text extends string> = Text extends `${infer First} ${infer Rest}` ? First | Words<Rest> : Text;

/** What the members of a union may be called. */
type Names<Options> = Options extends unknown ? keyof Options & string : never;

/** The text, where it names all options and nothing else: a table can't fall behind its type. */
type Table<Options, Text extends string> = [Names<Options>, Words<Text>] extends [Words<Text>, Names<Options>] ? Text : never;

/**
 * The options, where they are an object and each of them has a name that is known; `undefined` is as left out. Throws
 * `ERR_INVALID_OPTION` with the name, where it stands, and what it may have been meant for.
 */
export function known<Options extends object, const Text extends string>(
  where: string,
  options: Options,
  names: Text & Table<Options, Text>,
): Options {
  if (typeof options !== 'object' || options === null) {
    throw new QuillworkError('ERR_INVALID_OPTION', `the options of ${where} are an object (of ${list(names)}), not ${shown(options)}`);
  }
  let table = TABLES.get(names);
  if (table === undefined) {
    table = new Set(names.split(' '));
    TABLES.set(names, table);
  }
  for (const name in options) {
    if (!table.has(name) && options[name] !== undefined && Object.hasOwn(options, name)) {
      const meant = nearest(name, table);
      const hint = meant === undefined ? `, which takes ${list(names)}` : `: did you mean \`${meant}\`?`;
      throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is no option of ${where}${hint}`);
    }
  }
  return options;
}

/** Names in a message. */
function list(names: string): string {
  return `\`${names.replaceAll(' ', '`, `')}\``;
}

/** A value in a message: `"2"` is not `2`. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : describe(value);
}

/** A whole number of `least..=most`, or `ERR_INVALID_OPTION`. */
export function whole(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is a whole number from ${least} to ${most}, not ${shown(value)}`);
  }
  return value;
}

/** Milliseconds of `least` or more, infinity too, or `ERR_INVALID_OPTION`. */
export function millis(name: string, value: number, least: number): number {
  if (!(typeof value === 'number' && value >= least)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is ${least} milliseconds or more, not ${shown(value)}`);
  }
  return value;
}

/** A signal, `undefined`, or `ERR_INVALID_OPTION`: before anything listens to what can't be listened to. */
export function abortSignal<Given extends AbortSignal | undefined>(signal: Given): Given {
  if (signal !== undefined && (typeof signal?.aborted !== 'boolean' || typeof signal.addEventListener !== 'function')) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`signal\` is an AbortSignal (the \`signal\` of a controller, not the controller itself), not ${shown(signal)}`);
  }
  return signal;
}

/** A list, or `ERR_INVALID_OPTION`: a text is none, though it has a length and can be iterated. */
export function array<Item>(name: string, what: string, value: readonly Item[]): readonly Item[] {
  if (!Array.isArray(value)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is a list of ${what}, not ${shown(value)}`);
  }
  return value;
}

/** A function, `undefined`, or `ERR_INVALID_OPTION`. */
export function optionalFunction<Kind>(name: string, value: Kind | undefined): Kind | undefined {
  if (value !== undefined && typeof value !== 'function') {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is a function, not ${shown(value)}`);
  }
  return value;
}

/** An object, or `ERR_INVALID_OPTION`, whose text begins with the subject and its verb. */
export function object<Kind extends object>(what: string, value: Kind): Kind {
  if (typeof value !== 'object' || value === null) {
    throw new QuillworkError('ERR_INVALID_OPTION', `${what} an object, not ${shown(value)}`);
  }
  return value;
}

/** The name that takes the fewest edits, where these are few for its length. */
function nearest(name: string, table: ReadonlySet<string>): string | undefined {
  let best: string | undefined;
  let fewest = Infinity;
  for (const candidate of table) {
    const most = 0.4 * Math.max(name.length, candidate.length);
    // Names that differ much in length need not be compared, however long they are.
    const edits = Math.abs(name.length - candidate.length) > most ? Infinity : distance(name.toLowerCase(), candidate.toLowerCase());
    if (edits <= most && edits < fewest) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

/** How many letters must be put in, left out or replaced (Levenshtein), row by row. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 0; at < one.length; at += 1) {
    const next = [at + 1];
    for (let to = 0; to < other.length; to += 1) {
      const [skipped = 0, kept = 0, added = 0] = [row[to + 1], row[to], next[to]];
      next.push(Math.min(skipped + 1, added + 1, kept + (one[at] === other[to] ? 0 : 1)));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}

/** Each list of names is taken apart once: those of a task are looked at with each. */
const TABLES = new Map<string, ReadonlySet<string>>();
