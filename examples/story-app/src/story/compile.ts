/** Ink source to Ink JSON with inkjs's compiler, and the checks of Ink JSON that came compiled. */

import { Compiler } from 'inkjs/full';
import { parseCompilerMessage, rejection, type Issue, type Rejection, type Severity } from './issues';

export interface CompiledStory {
  kind: 'compiled';
  json: string;
  issues: Issue[];
  /** Knots declared as functions; empty for stories that came compiled. */
  functions: string[];
}

/** The Ink JSON versions that inkjs 2.4 runs. */
const OLDEST_INK_VERSION = 18;
const NEWEST_INK_VERSION = 21;

/** inkjs's own error types, in its order. */
const SEVERITIES: readonly Severity[] = ['note', 'warning', 'error'];

/** Compiles Ink source. Every visit is counted, so that read counts are there for knots and stitches alike. */
export function compileInk(source: string): CompiledStory | Rejection {
  const includes = findIncludes(source);
  if (includes.length > 0) {
    const names = includes.map((include) => include.message).join(', ');
    return rejection(
      'includes',
      `This story includes other files: ${names}.`,
      'A page can’t read files beside the one you opened. Compile the story with Inky or inklecate and open the JSON, or paste the included text in place of the INCLUDE lines.',
      { issues: includes.map((i) => ({ severity: 'error', message: `INCLUDE ${i.message}`, line: i.line })), source },
    );
  }
  const issues: Issue[] = [];
  try {
    const compiler = new Compiler(source, {
      sourceFilename: null,
      pluginNames: [],
      countAllVisits: true,
      fileHandler: null,
      errorHandler: (message, type) => {
        issues.push(parseCompilerMessage(message, SEVERITIES[type] ?? 'error'));
      },
    });
    const json = compiler.Compile().ToJson();
    if (typeof json === 'string' && !issues.some((issue) => issue.severity === 'error')) return { kind: 'compiled', json, issues, functions: functionsOf(source) };
  } catch (error) {
    // The compiler throws "Compilation failed." after it has reported its errors; anything else is an error of its own.
    if (!issues.some((issue) => issue.severity === 'error')) {
      issues.push({ severity: 'error', message: `The compiler stopped: ${error instanceof Error ? error.message : String(error)}` });
    }
  }
  issues.sort((a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0));
  const errors = issues.filter((issue) => issue.severity === 'error').length;
  return rejection('compile', errors === 1 ? 'One error keeps this story from compiling.' : `${errors} errors keep this story from compiling.`, 'Correct the lines below and open the story again.', { issues, source });
}

/** Checks compiled Ink JSON without running it. */
export function checkInkJson(text: string, name: string): CompiledStory | Rejection {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return rejection('invalid-json', `“${name}” is not valid JSON.`, `The parser says: ${error instanceof Error ? error.message : String(error)}. If the file is Ink source, give it the ending .ink.`);
  }
  if (typeof value !== 'object' || value === null || !('inkVersion' in value) || !('root' in value) || !Array.isArray(value.root)) {
    return rejection('not-ink-json', `“${name}” is JSON, but no Ink story.`, 'A story compiled by Inky, inklecate or inkjs has the members “inkVersion” and “root”.');
  }
  const version = Number(value.inkVersion);
  if (!(version >= OLDEST_INK_VERSION && version <= NEWEST_INK_VERSION)) {
    return rejection('ink-version', `This story was compiled for Ink version ${String(value.inkVersion)}.`, `Versions ${OLDEST_INK_VERSION} to ${NEWEST_INK_VERSION} can be read. Compile it again with a current Inky or inklecate.`);
  }
  return { kind: 'compiled', json: text, issues: [], functions: [] };
}

/** `INCLUDE` statements outside comments, each with its file name as message. */
function findIncludes(source: string): Array<{ message: string; line: number }> {
  const found: Array<{ message: string; line: number }> = [];
  let inComment = false;
  source.split(/\r\n|\r|\n/).forEach((line, index) => {
    if (!inComment) {
      const match = /^\s*INCLUDE\s+(\S.*?)\s*$/.exec(line.replace(/\/\/.*$/, ''));
      if (match) found.push({ message: match[1] ?? '', line: index + 1 });
    }
    const opened = line.lastIndexOf('/*');
    const closed = line.lastIndexOf('*/');
    if (opened > closed) inComment = true;
    else if (closed >= 0) inComment = false;
  });
  return found;
}

function functionsOf(source: string): string[] {
  return [...source.matchAll(/^[ \t]*={2,}[ \t]*function[ \t]+(\w+)/gmu)].flatMap((match) => match[1] ?? []);
}

function rank(issue: Issue): number {
  return issue.severity === 'error' ? 0 : issue.severity === 'warning' ? 1 : 2;
}
