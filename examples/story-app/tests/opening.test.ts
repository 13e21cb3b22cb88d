import { describe, expect, test } from 'vitest';
import { excerpt } from '../src/story/issues';
import { openStory, type OpenedStory } from '../src/story/open';
import type { Rejection } from '../src/story/issues';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const open = (content: Uint8Array | string, name = 'story.ink'): OpenedStory | Rejection => openStory({ name, content }, () => undefined);
const refused = (content: Uint8Array | string, name?: string): Rejection => {
  const result = open(content, name);
  if (result.kind !== 'rejected') throw new Error('it opened');
  return result;
};
const opened = (content: Uint8Array | string, name?: string): OpenedStory => {
  const result = open(content, name);
  if (result.kind !== 'opened') throw new Error(result.title);
  return result;
};

const SMALL = 'Hello there.\n* [Go] -> END\n';

describe('what can’t be opened says why', () => {
  test.each([
    ['nothing', new Uint8Array(), 'empty'],
    ['white space', bytes(' \n\t\n'), 'empty'],
    ['comments only', bytes('// nothing here\n'), 'empty'],
    ['functions only', bytes('=== function f(x)\n~ return x\n'), 'empty'],
    ['a picture', new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13]), 'binary'],
    ['control characters', new Uint8Array(300).fill(3), 'binary'],
  ])('%s', (_, content, code) => {
    expect(refused(content).code).toBe(code);
  });

  test.each([
    ['{"a":1}', 'not-ink-json'],
    ['[1,2]', 'not-ink-json'],
    ['{"inkVersion":21', 'invalid-json'],
    ['{"inkVersion":3,"root":[],"listDefs":{}}', 'ink-version'],
  ])('JSON %s', (text, code) => {
    expect(refused(text, 'story.json').code).toBe(code);
  });

  test('INCLUDE names the files and the lines; one in a comment is none', () => {
    const result = refused('Hi.\nINCLUDE other.ink\n-> END\n');
    expect(result).toMatchObject({ code: 'includes', issues: [{ line: 2 }] });
    expect(result.title).toContain('other.ink');
    expect(opened('/*\nINCLUDE other.ink\n*/\n// INCLUDE more.ink\nHi.\n-> END\n').kind).toBe('opened');
  });

  test('errors come with their lines, before warnings', () => {
    const result = refused('Hello.\n=== a\nText\n=== b\n-> nowhere\n-> elsewhere\n');
    expect(result.code).toBe('compile');
    const severities = result.issues.map((issue) => issue.severity);
    expect(severities).toEqual([...severities].sort((a, b) => (a === b ? 0 : a === 'error' ? -1 : 1)));
    expect(result.issues[0]).toMatchObject({ severity: 'error', line: 5, message: expect.stringContaining('nowhere') });
    expect(excerpt(result.source ?? '', 5, 1)).toEqual([
      { number: 4, text: '=== b', marked: false },
      { number: 5, text: '-> nowhere', marked: true },
      { number: 6, text: '-> elsewhere', marked: false },
    ]);
  });

  test('a file larger than the limit, without decoding it', () => {
    expect(refused(new Uint8Array(33 * 1024 * 1024)).code).toBe('too-large');
  });
});

describe('what opens', () => {
  test('UTF-8 with and without a byte-order mark is the same story', () => {
    expect(opened(bytes(`\uFEFF${SMALL}`)).hash).toBe(opened(bytes(SMALL)).hash);
  });

  test('UTF-16 is converted, with a note', () => {
    const units = Uint16Array.from(`\uFEFF${SMALL}`, (c) => c.charCodeAt(0));
    const story = opened(new Uint8Array(units.buffer));
    expect(story.encoding).toBe('utf-16le');
    expect(story.texts[0]).toBe('Hello there. Go');
    expect(story.issues[0]?.message).toContain('UTF-16');
  });

  test('Latin letters that are not UTF-8 are read, with a warning', () => {
    const story = opened(new Uint8Array([...bytes('Caf'), 0xe9, ...bytes('.\n-> END\n')]));
    expect(story.texts[0]).toBe('Café.');
    expect(story.issues[0]?.severity).toBe('warning');
  });

  test('compiled JSON, its byte-order mark included, is the story it was compiled from', () => {
    const fromSource = opened(SMALL);
    const fromJson = opened(bytes(`\uFEFF${fromSource.json}`), 'story.ink.json');
    expect(fromJson.hash).toBe(fromSource.hash);
    expect(fromJson.graph).toEqual(fromSource.graph);
    expect(fromJson.title).toBe('story');
  });

  test('warnings and the author’s notes come along', () => {
    const story = opened('-> a\n=== a\nTODO: finish this\nHi.\n=== b\nOops.\n');
    expect(story.issues.map((issue) => [issue.severity, issue.line])).toEqual(expect.arrayContaining([['note', 3], ['warning', 6]]));
  });

  test('the title is the story’s own, else the file’s name', () => {
    expect(opened(`# title: The Lamp\n${SMALL}`).title).toBe('The Lamp');
    expect(opened(SMALL, 'the_red-door.ink').title).toBe('the red door');
    expect(opened(opened(`# title: The Lamp\n${SMALL}`).json, 'x.json').title).toBe('The Lamp');
  });

  test('Ink that begins with a brace is not taken for JSON', () => {
    expect(opened('{true: Hello.}\n-> END\n').kind).toBe('opened');
  });

  test('a story of five megabytes', () => {
    const knots = 900;
    const paragraph = 'The lamp went out over the harbour and nobody said a word about it. '.repeat(84);
    let source = '-> k0\n';
    for (let i = 0; i < knots; i += 1) source += `=== k${i}\n${paragraph}\n+ [On] -> k${(i + 1) % knots}\n+ [Stop] -> END\n`;
    expect(source.length).toBeGreaterThan(5_000_000);
    const story = opened(source);
    expect(story.graph.passages).toHaveLength(knots);
    expect(story.graph.edges).toHaveLength(knots);
  });
});
