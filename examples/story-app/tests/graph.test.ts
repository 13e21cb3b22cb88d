import { describe, expect, test } from 'vitest';
import { reachability } from '../src/analysis/structure';
import { OPENING } from '../src/story/graph';
import { extractStory } from '../src/story/extract';
import { compiled, extracted, graphOf, idOf, namesOf, waysOf } from './support/ink';

describe('passages', () => {
  test('are the knots and stitches in the order of the source; functions are none', () => {
    const graph = graphOf('-> b\n=== b\nText.\n-> a.two\n=== a\nOwn.\n-> two\n= one\nOne.\n-> END\n= two\n{f(1)}\n-> one\n=== function f(x)\n~ x = x + 1\n=== function g(x)\n~ return x\n');
    expect(graph.passages.map((p) => p.path)).toEqual(['b', 'a', 'a.one', 'a.two']);
    expect(graph.functions).toEqual(['f', 'g']);
  });

  test('labelled gathers and choices are part of their knot', () => {
    const graph = graphOf('-> a\n=== a\n- (top) Hello.\n* (one) [One]\n** (deep) [Deep] -> top\n* [Two] -> END\n- (last) Bye. -> END\n');
    expect(graph.passages.map((p) => p.path)).toEqual(['a']);
  });

  test('a knot that begins with its stitch is that stitch', () => {
    const graph = graphOf('-> a\n=== a\n= first\nHello. -> END\n= second\n-> a\n');
    expect(graph.passages.map((p) => p.path)).toEqual(['a.first', 'a.second']);
    expect(waysOf(graph)).toEqual(['a.second -divert-> a.first']);
  });

  test('an opening with text is a passage, one that only diverts is not', () => {
    expect(graphOf('Hello.\n-> a\n=== a\n-> END\n').passages[0]?.path).toBe(OPENING);
    const folded = graphOf('# title: A name\n-> a\n=== a\nHi.\n-> END\n');
    expect(folded.passages.map((p) => p.path)).toEqual(['a']);
    expect(folded.start).toBe(0);
  });

  test('words of narration, choices and tags are told apart', () => {
    const passage = graphOf('-> a\n=== a\nOne two three. # not counted\n* [four five] -> END\n* six[.] seven -> END\n').passages[0];
    expect(passage).toMatchObject({ words: 5, choices: 2, choiceWords: 2 });
  });
});

describe('ways', () => {
  test('diverts, choices, conditions, tunnels and threads', () => {
    const graph = graphOf('VAR x = 0\n-> a\n=== a\n{x: -> b}\n<- side\n-> tunnel ->\n* [Go] -> b\n* {x} [Maybe] -> c\n=== b\n-> c\n=== c\n-> END\n=== tunnel\n->->\n=== side\n* [Aside] -> c\n-> DONE\n');
    expect(waysOf(graph)).toEqual(['a -choice-> b', 'a -choice?-> c', 'a -divert?-> b', 'a -thread-> side', 'a -tunnel-> tunnel', 'b -divert-> c', 'side -choice-> c']);
    expect(graph.edges.find((edge) => edge.label === 'Go')).toBeDefined();
  });

  test('the text of a choice is its label, suppressed text included and hidden text left out', () => {
    const graph = graphOf('-> a\n=== a\n* "Well[."]," you say. -> b\n=== b\n-> END\n');
    expect(graph.edges[0]?.label).toBe('"Well."');
  });

  test('variable diverts lead to every target the story takes as a value, and are marked', () => {
    const graph = graphOf('VAR next = -> a\n-> hub\n=== hub\n-> next\n=== a\n~ next = -> b\n-> hub\n=== b\n-> END\n');
    expect(graph.passages[idOf(graph, 'hub')]?.dynamic).toBe(true);
    expect(waysOf(graph)).toContain('hub -dynamic-> a');
    expect(waysOf(graph)).toContain('a -dynamic-> b');
    expect(graph.reachable).toEqual([true, true, true]);
  });

  test('asking how long ago a knot was seen is no way to it', () => {
    const graph = graphOf('-> a\n=== a\n{TURNS_SINCE(-> b) > 2: long ago}\nHi. -> END\n=== b\n-> END\n');
    expect(waysOf(graph)).toEqual([]);
    expect(graph.reachable[idOf(graph, 'b')]).toBe(false);
  });

  test('a return from a tunnel to elsewhere is a way', () => {
    const graph = graphOf('-> a\n=== a\n-> t ->\nBack. -> END\n=== t\n* [Stay] ->->\n* [Leave] ->-> b\n=== b\n-> END\n');
    expect(waysOf(graph)).toContain('t -dynamic-> b');
    expect(graph.reachable[idOf(graph, 'b')]).toBe(true);
  });

  test('a chain of three hundred gathers in one knot does not overflow', () => {
    const graph = graphOf(`-> a\n=== a\n${'- Line.\n* [Next]\n'.repeat(300)}- -> b\n=== b\n-> END\n`);
    expect(waysOf(graph)).toEqual(['a -divert-> b']);
  });
});

describe('ends', () => {
  const looseOf = (source: string) => {
    const graph = graphOf(source);
    return reachability(graph).looseEnds.map((end) => `${graph.passages[end.passage]?.path}${end.certain ? '' : '?'}`);
  };

  test('content with nothing after it is a dead end; END and DONE are endings', () => {
    const graph = graphOf('-> a\n=== a\n* [b] -> b\n* [c] -> c\n* [d] -> d\n=== b\nNothing more.\n=== c\n-> END\n=== d\nDone.\n-> DONE\n');
    const found = reachability(graph);
    expect(namesOf(graph, found.looseEnds.map((e) => e.passage))).toEqual(['b']);
    expect(found.endings.map((e) => [graph.passages[e.passage]?.path, e.kind])).toEqual([['c', 'END'], ['d', 'DONE']]);
  });

  test('a turn that ends with a choice is no dead end', () => {
    expect(looseOf('-> a\n=== a\nHello.\n+ [Again] -> a\n')).toEqual([]);
  });

  test('choices that are all conditional may leave nothing', () => {
    expect(looseOf('VAR x = 0\n-> a\n=== a\n+ {x} [Again] -> a\n')).toEqual(['a?']);
    expect(looseOf('VAR x = 0\n-> a\n=== a\n+ {x} [Again] -> a\n+ -> END\n')).toEqual([]);
  });

  test('choices that can be taken once run out only where the reader comes by again', () => {
    expect(looseOf('-> a\n=== a\n* [One] -> b\n* [Two] -> b\n=== b\n-> END\n')).toEqual([]);
    expect(looseOf('-> a\n=== a\n-> b\n=== b\n* [One]\n* [Two]\n- -> a\n')).toEqual(['b?']);
  });

  test('threads may run out, and their choices count', () => {
    expect(looseOf('-> a\n=== a\n<- side\n-> DONE\n=== side\nText.\n+ [Go] -> a\n')).toEqual([]);
  });

  test('a tunnel that runs out is a dead end, one that returns is not', () => {
    expect(looseOf('-> a\n=== a\n-> t ->\n-> END\n=== t\nHi.\n')).toEqual(['t']);
    expect(looseOf('-> a\n=== a\n-> t ->\n-> END\n=== t\nHi.\n->->\n')).toEqual([]);
  });

  test('passages without a way to an ending are trapped', () => {
    const graph = graphOf('-> a\n=== a\n+ [x] -> b\n+ [y] -> END\n=== b\n+ [on] -> c\n=== c\n+ [back] -> b\n');
    expect(namesOf(graph, reachability(graph).trapped)).toEqual(['b', 'c']);
  });

  test('what nothing reaches is unreachable, though it leads on', () => {
    const graph = graphOf('-> a\n=== a\nHi.\n-> END\n=== lost\n-> a\n');
    expect(namesOf(graph, reachability(graph).unreachable)).toEqual(['lost']);
    expect(waysOf(graph)).toEqual(['lost -divert-> a']);
  });

  test('a knot that is entered only at a label in its middle is reachable', () => {
    const graph = graphOf('-> a.mid\n=== a\nNever.\n- (mid) Middle. -> END\n');
    expect(reachability(graph).unreachable).toEqual([]);
  });
});

test('JSON without flags, as other compilers may write it, gives the same passages', () => {
  const { json } = compiled('-> a\n=== a\nHi.\n* [Go] -> s\n= s\n-> END\n');
  const bare = json.replace(/,?"#f":\d+/g, '');
  expect(extractStory(bare.replace(/\{,/g, '{')).graph.passages.map((p) => p.path)).toEqual(extractStory(json).graph.passages.map((p) => p.path));
});

test('a divert to nowhere is reported, not thrown', () => {
  const { json } = compiled('-> a\n=== a\nHi.\n-> b\n=== b\n-> END\n');
  const { graph } = extractStory(json.replace('{"->":"b"}', '{"->":"gone"}'));
  expect(graph.unresolved).toEqual([{ passage: 0, target: 'gone' }]);
});

test('texts follow the passages', () => {
  const { graph, texts } = extracted('-> a\n=== a\nHello there.\n* [Go on] -> b\n=== b\nBye. -> END\n');
  expect(texts[idOf(graph, 'a')]).toBe('Hello there. Go on');
  expect(texts[idOf(graph, 'b')]).toBe('Bye.');
});
