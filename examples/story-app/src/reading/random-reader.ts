/** A reader who chooses at random: the unit of the Monte-Carlo run. */

import { randomStream } from '../analysis/random';
import type { ReaderRun } from '../analysis/tally';
import { countWords } from '../story/words';
import { MAX_TURNS } from './limits';
import { EndlessTurnError, type TracedStory } from './traced-story';

/** Reads the story once. The same `(seed, reader)` reads the same way in whatever worker, at whatever time. */
export function readAtRandom(story: TracedStory, seed: number, reader: number, maxTurns: number = MAX_TURNS): ReaderRun {
  const turns = turnsAtRandom(story, seed, reader, maxTurns);
  for (;;) {
    const { done, value } = turns.next();
    if (done) return value;
  }
}

/** As {@link readAtRandom}, but lets go after each turn: one of a large story can take a quarter of a second. */
export function* turnsAtRandom(story: TracedStory, seed: number, reader: number, maxTurns: number): Generator<undefined, ReaderRun> {
  const random = randomStream(seed, reader);
  story.begin(random.below(0x7fffffff));
  const visits = new Map<number, number>();
  const note = (): void => {
    for (const passage of story.takeEntered()) visits.set(passage, (visits.get(passage) ?? 0) + 1);
  };
  let words = 0;
  let turns = 0;
  const finish = (outcome: ReaderRun['outcome'], message?: string): ReaderRun => {
    note();
    return { outcome, at: story.currentPassage, words, turns, visits, ...(message === undefined ? {} : { message }) };
  };
  try {
    for (;;) {
      story.beginTurn();
      while (story.canContinue) words += countWords(story.Continue() ?? '');
      note();
      const error = story.takeMessages().find((message) => !message.warning);
      if (error) return /ran out of content|unexpectedly reached end/.test(error.text) ? finish('ran-out') : finish('failed', error.text);
      const { length } = story.currentChoices;
      if (length === 0) return finish('ended');
      if (turns >= maxTurns) return finish('cut-off');
      const choice = random.below(length);
      words += countWords(story.currentChoices[choice]?.text ?? '');
      story.choose(choice);
      turns += 1;
      yield;
    }
  } catch (error) {
    if (error instanceof EndlessTurnError) return finish('failed', error.message);
    return finish('failed', error instanceof Error ? error.message : String(error));
  }
}
