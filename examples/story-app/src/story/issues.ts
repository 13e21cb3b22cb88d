/** What the opening of a story has to say to its author. */

export type Severity = 'error' | 'warning' | 'note';

export interface Issue {
  severity: Severity;
  message: string;
  /** 1-based line of the source, where the compiler names one. */
  line?: number;
}

export type RejectionCode =
  | 'empty'
  | 'too-large'
  | 'binary'
  | 'invalid-json'
  | 'not-ink-json'
  | 'ink-version'
  | 'damaged-json'
  | 'includes'
  | 'compile';

/** Why a story can't be opened, in words that say what to do about it. */
export interface Rejection {
  kind: 'rejected';
  code: RejectionCode;
  title: string;
  advice: string;
  issues: Issue[];
  /** The source text, so that the lines the issues name can be shown. Absent for compiled stories. */
  source?: string;
}

export function rejection(
  code: RejectionCode,
  title: string,
  advice: string,
  details: { issues?: Issue[]; source?: string } = {},
): Rejection {
  return { kind: 'rejected', code, title, advice, issues: details.issues ?? [], ...(details.source === undefined ? {} : { source: details.source }) };
}

const COMPILER_MESSAGE = /^(?:(ERROR|WARNING|TODO|AUTHOR):\s*)?(?:'[^']*'\s*)?line (\d+):\s*([\s\S]*)$/;

/** Reads a line number out of a message of the Ink compiler, for instance `ERROR: line 2: Divert target not found`. */
export function parseCompilerMessage(text: string, severity: Severity): Issue {
  const match = COMPILER_MESSAGE.exec(text.trim());
  if (!match) return { severity, message: text.replace(/^(ERROR|WARNING|TODO):\s*/, '').trim() };
  return { severity, message: (match[3] ?? '').trim(), line: Number(match[2]) };
}

export interface ExcerptLine {
  number: number;
  text: string;
  marked: boolean;
}

/** The lines around `line` (1-based), for showing an issue in its place. */
export function excerpt(source: string, line: number, context = 2): ExcerptLine[] {
  const lines = source.split(/\r\n|\r|\n/);
  const first = Math.max(1, line - context);
  const last = Math.min(lines.length, line + context);
  const out: ExcerptLine[] = [];
  for (let number = first; number <= last; number += 1) {
    const text = lines[number - 1] ?? '';
    out.push({ number, text: text.length > 400 ? `${text.slice(0, 400)}…` : text, marked: number === line });
  }
  return out;
}
