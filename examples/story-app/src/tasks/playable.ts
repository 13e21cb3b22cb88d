/** Stories ready to run, kept in the worker between tasks: parsing one takes longer than most turns. */

import { PassageIndex, type PassageName } from '../reading/passage-index';
import { TracedStory } from '../reading/traced-story';

/** What a task needs to run a story. */
export interface Playable {
  hash: string;
  json: string;
  passages: PassageName[];
  externals: string[];
}

const KEPT = 2;
const idle: Array<{ hash: string; story: TracedStory }> = [];

/** Takes a story out of the store, so that no two tasks share one, and puts it back afterwards unless it broke. */
export async function withStory<Result>(playable: Playable, use: (story: TracedStory) => Result | Promise<Result>): Promise<Result> {
  const at = idle.findIndex((entry) => entry.hash === playable.hash);
  const [kept] = at >= 0 ? idle.splice(at, 1) : [];
  const story = kept?.story ?? new TracedStory(playable.json, new PassageIndex(playable), playable.externals);
  const result = await use(story);
  if (story.isBroken) return result;
  idle.push({ hash: playable.hash, story });
  if (idle.length > KEPT) idle.shift();
  return result;
}
