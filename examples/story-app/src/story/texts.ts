/** The words of each passage, read from the program without running it: every alternative counts. */

import type { PassageMap } from './passages';
import { CHOICE_INVISIBLE_DEFAULT, ROOT, type Program } from './program';
import { countWords } from './words';

export interface PassageText {
  /** Narration and choices in the order written. */
  text: string;
  words: number;
  choiceWords: number;
  choices: number;
  preview: string;
}

const PREVIEW_LENGTH = 160;

export function passageTexts(program: Program, map: PassageMap): PassageText[] {
  const narration: string[][] = map.passages.map(() => []);
  const everything: string[][] = map.passages.map(() => []);
  const choices = map.passages.map(() => 0);
  const choiceWords = map.passages.map(() => 0);

  const visit = (start: number): void => {
    const stack = [start];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      const container = program.containers[id];
      const passage = map.passageOf[id] ?? -1;
      if (!container) continue;
      let inString = false;
      let inTag = false;
      const children: number[] = [];
      if (passage >= 0) {
        everything[passage]?.push(' ');
        narration[passage]?.push(' ');
      }
      for (let point = container.start; point < container.start + container.length; point += 1) {
        const op = program.ops[point];
        if (op?.op === 'enter') children.push(op.container);
        else if (op?.op === 'control' && op.name === 'str') inString = true;
        else if (op?.op === 'control' && op.name === '/str') {
          inString = false;
          if (passage >= 0) everything[passage]?.push(' ');
        }
        else if (op?.op === 'control' && (op.name === '#' || op.name === '/#')) inTag = op.name === '#';
        else if (op?.op === 'choice' && passage >= 0 && (op.flags & CHOICE_INVISIBLE_DEFAULT) === 0) choices[passage] = (choices[passage] ?? 0) + 1;
        else if (op?.op === 'text' && passage >= 0 && !inTag) {
          everything[passage]?.push(op.text);
          if (inString) choiceWords[passage] = (choiceWords[passage] ?? 0) + countWords(op.text);
          else narration[passage]?.push(op.text);
        }
      }
      for (const named of container.named.values()) if (!children.includes(named)) children.push(named);
      for (let i = children.length - 1; i >= 0; i -= 1) {
        const child = children[i];
        if (child !== undefined) stack.push(child);
      }
    }
  };
  visit(ROOT);

  return map.passages.map((_, id) => {
    const told = tidy((narration[id] ?? []).join(''));
    const text = tidy((everything[id] ?? []).join(''));
    return {
      text,
      words: countWords(told),
      choiceWords: choiceWords[id] ?? 0,
      choices: choices[id] ?? 0,
      preview: told.length > PREVIEW_LENGTH ? `${told.slice(0, PREVIEW_LENGTH).replace(/\s+\S*$/, '')}…` : told,
    };
  });
}

function tidy(text: string): string {
  return text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').replace(/ ([.,;:!?])/g, '$1').trim();
}
