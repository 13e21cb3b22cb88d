import { describe, expect, test } from 'vitest';
import { addRun, emptyTally, mergeTally, type Tally } from '../src/analysis/tally';
import { readAtRandom, turnsAtRandom } from '../src/reading/random-reader';
import { takeTurn } from '../src/reading/turn';
import { chunked } from '../src/state/readers';
import { idOf, namesOf, traced } from './support/ink';

describe('a turn', () => {
  const source = 'VAR gold = 0\n-> start\n=== start\nAt the gate.\n* [In] -> hall\n* [Away] -> END\n=== hall\n~ gold = gold + 1\nGold: {gold}.\n+ [Again] -> hall\n+ [Out] -> END\n';

  test('goes on from any saved state, so an earlier turn can be taken back', () => {
    const { story } = traced(source);
    const first = takeTurn(story, { seed: 1 });
    expect(first.choices.map((c) => c.text)).toEqual(['In', 'Away']);
    const second = takeTurn(story, { seed: 1, from: { state: first.state, passage: first.passage, choice: 0 } });
    const third = takeTurn(story, { seed: 1, from: { state: second.state, passage: second.passage, choice: 0 } });
    expect(third.lines.map((l) => l.text)).toEqual(['Gold: 2.']);
    const again = takeTurn(story, { seed: 1, from: { state: first.state, passage: first.passage, choice: 0 } });
    expect(again.lines.map((l) => l.text)).toEqual(['Gold: 1.']);
  });

  test('tells the end from content that runs out', () => {
    const ended = traced('-> a\n=== a\nThe end.\n-> END\n').story;
    expect(takeTurn(ended, { seed: 1 }).end?.kind).toBe('ended');
    const loose = traced('-> a\n=== a\nOops.\n').story;
    expect(takeTurn(loose, { seed: 1 }).end?.kind).toBe('ran-out');
  });

  test('a story that goes round for ever is stopped and says so', () => {
    const { story } = traced('-> a\n=== a\n-> b\n=== b\n-> a\n');
    const turn = takeTurn(story, { seed: 1 });
    expect(turn.end).toMatchObject({ kind: 'error', message: expect.stringContaining('goes round') });
  });

  test('so is one whose line never ends, and one that never stops adding lines', () => {
    for (const source of ['-> a\n=== a\nHi <>\n-> a\n', '-> a\n=== a\nHi.\n-> a\n']) {
      const { story } = traced(source);
      const turn = takeTurn(story, { seed: 1 });
      expect(turn.end).toMatchObject({ kind: 'error', message: expect.stringContaining('goes round') });
      expect(turn.lines.length).toBeLessThanOrEqual(3000);
      expect(story.isBroken).toBe(true);
    }
  });

  test('an external function answers 0 instead of stopping the story', () => {
    const { story } = traced('EXTERNAL bell(n)\n-> a\n=== a\nIt rang {bell(3)} times.\n-> END\n');
    expect(takeTurn(story, { seed: 1 }).lines[0]?.text).toBe('It rang 0 times.');
  });

  test('a division by zero is shown, not thrown', () => {
    const { story } = traced('VAR x = 0\n-> a\n=== a\nBefore.\n{x == 0: {LIST_MIN(x)}}\n-> END\n');
    expect(takeTurn(story, { seed: 1 }).end?.kind).toBe('error');
  });
});

describe('passages entered', () => {
  const entered = (source: string, choices: number[] = []): string[] => {
    const { story, graph } = traced(source);
    let turn = takeTurn(story, { seed: 1 });
    const all = [...turn.entered];
    for (const choice of choices) {
      turn = takeTurn(story, { seed: 1, from: { state: turn.state, passage: turn.passage, choice } });
      all.push(...turn.entered);
    }
    return namesOf(graph, all);
  };

  test('each once, though the runtime looks ahead over the end of a line and comes back', () => {
    expect(entered('-> a\n=== a\nOne.\n-> b\n=== b\nTwo.\n-> c\n=== c\nThree.\n-> END\n')).toEqual(['a', 'b', 'c']);
  });

  test('those without text too', () => {
    expect(entered('VAR x = 1\n-> a\n=== a\nHi.\n-> logic\n=== logic\n~ x = 2\n-> b\n=== b\nBye.\n-> END\n')).toEqual(['a', 'logic', 'b']);
  });

  test('a tunnel counts, the return from it does not', () => {
    expect(entered('-> a\n=== a\nBefore.\n-> t ->\nAfter.\n- (lab) Still here.\n-> END\n=== t\nInside.\n->->\n')).toEqual(['a', 't']);
  });

  test('a thread counts, the way back does not, and its choice goes on in it', () => {
    expect(entered('-> a\n=== a\nHi.\n<- side\n- (lab) More.\n* [Own] -> b\n-> DONE\n=== side\nAside.\n* [Aside] Chosen. -> b\n-> DONE\n=== b\nBye. -> END\n', [0])).toEqual(['a', 'side', 'b']);
  });

  test('a knot that leads back to itself counts again', () => {
    expect(entered('-> a\n=== a\nHi.\n+ [Again] -> a\n', [0, 0])).toEqual(['a', 'a', 'a']);
  });

  test('a stitch, and not the knot around it', () => {
    expect(entered('-> a.two\n=== a\n= one\nOne. -> END\n= two\nTwo. -> one\n')).toEqual(['a.two', 'a.one']);
    expect(entered('-> a\n=== a\n= one\nOne. -> END\n')).toEqual(['a.one']);
  });
});

describe('random readers', () => {
  const maze = 'VAR seen = 0\n-> hub\n=== hub\n~ seen = seen + 1\n{~Left|Right|Ahead}, says the voice. {RANDOM(1, 6)}.\n+ [North] -> north\n+ [South] -> south\n+ {seen > 3} [Out] -> out\n=== north\nSnow.\n+ [Back] -> hub\n* [Fall] -> pit\n=== south\nSand.\n-> hub\n=== pit\nDark.\n=== out\nFree.\n-> END\n';

  const run = (source: string, seed: number, parts: Array<{ first: number; count: number }>): Tally => {
    const total = emptyTally(traced(source).graph.passages.length);
    for (const { first, count } of parts) {
      const { story, graph } = traced(source);
      const part = emptyTally(graph.passages.length);
      for (let reader = first; reader < first + count; reader += 1) addRun(part, readAtRandom(story, seed, reader));
      mergeTally(total, part);
    }
    return total;
  };

  test('the same seed gives the same totals in one piece, in many, and in another order', () => {
    const whole = run(maze, 42, [{ first: 0, count: 120 }]);
    expect(run(maze, 42, chunked(120, 5))).toEqual(whole);
    expect(run(maze, 42, chunked(120, 2).reverse())).toEqual(whole);
    expect(whole.readers).toBe(120);
    expect(run(maze, 43, [{ first: 0, count: 120 }])).not.toEqual(whole);
  });

  test('find the dead end and the ending', () => {
    const { graph } = traced(maze);
    const tally = run(maze, 1, [{ first: 0, count: 200 }]);
    expect(tally.stops[`ran-out:${idOf(graph, 'pit')}`]).toBeGreaterThan(0);
    expect(tally.stops[`ended:${idOf(graph, 'out')}`]).toBeGreaterThan(0);
    expect(tally.outcomes['ran-out'] + tally.outcomes.ended).toBe(200);
  });

  test('are stopped after a number of turns', () => {
    const { story } = traced('-> a\n=== a\nHi.\n+ [Again] -> a\n');
    expect(readAtRandom(story, 1, 1, 25)).toMatchObject({ outcome: 'cut-off', turns: 25 });
    // It lets go after each of them, so that a cancelled run ends soon however long one reading takes.
    expect([...turnsAtRandom(story, 1, 1, 25)]).toHaveLength(25);
  });

  test('choose evenly', () => {
    const source = '-> a\n=== a\nHi.\n+ [One] -> one\n+ [Two] -> two\n=== one\n-> END\n=== two\n-> END\n';
    const tally = run(source, 5, [{ first: 0, count: 1000 }]);
    // Four standard deviations of a fair coin; the seed is fixed.
    expect(Math.abs((tally.readersAt[1] ?? 0) - 500)).toBeLessThan(64);
  });

  test('words read are counted as shown, the chosen text included', () => {
    const { story } = traced('-> a\n=== a\nOne two three.\n+ [four five] Six. -> END\n');
    expect(readAtRandom(story, 1, 1).words).toBe(6);
  });
});

test('chunks cover every reader once', () => {
  for (const readers of [1, 3, 200, 1000, 20_000]) {
    for (const workers of [1, 2, 8]) {
      const covered = chunked(readers, workers).flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));
      expect(covered).toEqual(Array.from({ length: readers }, (_, i) => i));
    }
  }
});
