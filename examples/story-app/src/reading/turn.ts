/**
 * One turn of a reading as a pure step: a saved state and a choice go in, text, choices and the next state come out. Any worker
 * can take any turn, so a worker that is lost in the middle of a story loses nothing.
 */

import { EndlessTurnError, type TracedStory } from './traced-story';

export interface Line {
  text: string;
  tags: string[];
  passage: number;
}

export interface TurnInput {
  /** Absent at the beginning. */
  from?: { state: string; passage: number; choice: number };
  /** Seed of the story's own random numbers, used at the beginning. */
  seed: number;
}

export interface Turn {
  lines: Line[];
  choices: Array<{ text: string; tags: string[] }>;
  /** Passages entered, in order. */
  entered: number[];
  passage: number;
  state: string;
  /** What stopped the story: the author's ending, or the story's own error. */
  end: { kind: 'ended' | 'ran-out' | 'error'; message: string } | null;
  warnings: string[];
}

/** Tags that describe the whole story; the header shows them. */
const ABOUT_THE_STORY = /^\s*(title|author)\s*:/i;

export function takeTurn(story: TracedStory, input: TurnInput): Turn {
  if (input.from) story.resume(input.from.state, input.from.passage);
  else story.begin(input.seed);
  const lines: Line[] = [];
  let failure: string | undefined;
  try {
    story.beginTurn();
    if (input.from) story.choose(input.from.choice);
    while (story.canContinue) {
      const text = (story.Continue() ?? '').trim();
      if (text !== '') lines.push({ text, tags: (story.currentTags ?? []).filter((tag) => !ABOUT_THE_STORY.test(tag)), passage: story.currentPassage });
    }
  } catch (error) {
    failure = error instanceof EndlessTurnError || error instanceof Error ? error.message : String(error);
  }
  const messages = story.takeMessages();
  const error = failure ?? messages.find((message) => !message.warning)?.text;
  const choices = failure === undefined ? story.currentChoices.map((choice) => ({ text: choice.text, tags: choice.tags ?? [] })) : [];
  return {
    lines,
    choices,
    entered: story.takeEntered(),
    passage: story.currentPassage,
    state: failure === undefined ? story.state.ToJson() : (input.from?.state ?? ''),
    end: endOf(error, choices.length),
    warnings: messages.filter((message) => message.warning).map((message) => message.text),
  };
}

function endOf(error: string | undefined, choices: number): Turn['end'] {
  if (error !== undefined) {
    return /ran out of content|unexpectedly reached end/.test(error)
      ? { kind: 'ran-out', message: 'The story runs out of content here: nothing follows, and it doesn’t say END or DONE.' }
      : { kind: 'error', message: error };
  }
  return choices === 0 ? { kind: 'ended', message: 'The end.' } : null;
}
