/** The reading beside the map. Each turn is a task; what the page keeps is the transcript and the states to go back to. */

import type { Line, Turn } from '../reading/turn';
import type { OpenedStory } from '../story/open';
import type { Playable } from '../tasks/playable';
import { playable } from './library';
import { explain, isAbort, type StoryRuntime } from './runtime';
import { Store } from './store';

export type Entry =
  | ({ kind: 'line' } & Line)
  | { kind: 'chosen'; text: string }
  | { kind: 'warning'; text: string };

export interface ReadingState {
  status: 'idle' | 'turning' | 'waiting' | 'over' | 'failed';
  entries: Entry[];
  /** Where the last turn begins in {@link entries}. */
  latest: number;
  choices: Turn['choices'];
  /** Passage the reader is in, -1 before the first. */
  current: number;
  /** Passages in the order they were entered. */
  visited: number[];
  end: Turn['end'];
  /** Turns that can be taken back. */
  undoable: number;
}

interface Moment {
  state: string;
  view: ReadingState;
}

/** A turn that takes longer is given up: the story is too large or goes round. */
const TURN_TIMEOUT_MILLIS = 20_000;
const MAX_UNDO = 200;
/** Characters of saved states: those of a story with ten thousand choices are megabytes each. */
const MAX_UNDO_CHARACTERS = 32_000_000;

const BLANK: ReadingState = { status: 'idle', entries: [], latest: 0, choices: [], current: -1, visited: [], end: null, undoable: 0 };

export class Reading {
  readonly store = new Store<ReadingState>(BLANK);
  #story: Playable | undefined;
  #saved = '';
  #past: Moment[] = [];
  #turn = new AbortController();

  constructor(private readonly runtime: StoryRuntime) {}

  begin(story: OpenedStory): Promise<void> {
    this.#story = playable(story);
    return this.restart();
  }

  restart(): Promise<void> {
    this.#past = [];
    this.store.set({ ...BLANK, status: 'turning' });
    return this.#take(undefined);
  }

  async choose(index: number): Promise<void> {
    const view = this.store.get();
    const choice = view.choices[index];
    if (view.status !== 'waiting' || !choice) return;
    this.#past.push({ state: this.#saved, view });
    let kept = this.#past.reduce((sum, { state }) => sum + state.length, 0);
    while (this.#past.length > 1 && (this.#past.length > MAX_UNDO || kept > MAX_UNDO_CHARACTERS)) kept -= this.#past.shift()?.state.length ?? 0;
    this.store.set({
      status: 'turning',
      entries: [...view.entries, { kind: 'chosen', text: choice.text }],
      latest: view.entries.length,
      choices: [],
      undoable: this.#past.length,
    });
    await this.#take(index);
  }

  undo(): void {
    const moment = this.#past.pop();
    if (!moment) return;
    this.#turn.abort();
    this.#saved = moment.state;
    this.store.set({ ...moment.view, undoable: this.#past.length });
  }

  async #take(choice: number | undefined): Promise<void> {
    this.#turn.abort();
    const turn = new AbortController();
    this.#turn = turn;
    const story = this.#story;
    if (!story) return;
    const before = this.store.get();
    const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
    try {
      const from = choice === undefined ? {} : { from: { state: this.#saved, passage: before.current, choice } };
      const result = await this.runtime.run('turn', { story, seed: seed & 0x7fffffff, ...from }, { priority: 10, signal: turn.signal, timeoutMs: TURN_TIMEOUT_MILLIS });
      if (this.#turn !== turn || this.#story !== story) return;
      this.#saved = result.state;
      const entries: Entry[] = [
        ...before.entries,
        ...result.lines.map((line): Entry => ({ kind: 'line', ...line })),
        ...result.warnings.map((text): Entry => ({ kind: 'warning', text })),
      ];
      this.store.set({
        status: result.end ? (result.end.kind === 'ended' ? 'over' : 'failed') : 'waiting',
        entries,
        choices: result.choices,
        current: result.passage,
        visited: [...before.visited, ...result.entered],
        end: result.end,
      });
    } catch (error) {
      if (this.#turn !== turn || isAbort(error)) return;
      this.store.set({ status: 'failed', end: { kind: 'error', message: explain(error) } });
    }
  }
}
