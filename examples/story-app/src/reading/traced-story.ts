/** An inkjs story that tells which passages it enters, and that can't run in circles for ever. */

import { Story } from 'inkjs/full';
import type { Container } from 'inkjs/engine/Container';
import { MAX_LINES_PER_TURN, MAX_PIECES_PER_LINE, MAX_STEPS_PER_TURN } from './limits';
import type { PassageIndex } from './passage-index';

export class EndlessTurnError extends Error {
  override name = 'EndlessTurnError';
  constructor(readonly passage: number) {
    super('The story goes round without ever offering a choice or ending. Look for diverts that lead back to each other.');
  }
}

export class TracedStory extends Story {
  private passageIndex: PassageIndex | undefined;
  private places = new WeakMap<Container, Place>();
  private stepsInTurn = 0;
  private linesInTurn = 0;
  private isAbandoned = false;
  private passage = -1;
  private entered: number[] = [];
  private beforeLookahead: { current: number; entered: number } | undefined;
  /** What the runtime said since the last {@link takeMessages}. */
  private messages: Array<{ text: string; warning: boolean }> = [];

  constructor(json: string, index: PassageIndex, externals: readonly string[]) {
    super(json);
    this.passageIndex = index;
    this.onError = (text, type) => {
      this.messages.push({ text: plain(text), warning: type !== 2 });
    };
    // The game that would answer is not here: every external function answers 0, which the reader is told.
    for (const name of externals) this.BindExternalFunctionGeneral(name, () => 0, true);
  }

  /** Back to the beginning with the story's own random numbers seeded. */
  begin(seed: number): void {
    this.ResetState();
    this.state.storySeed = seed;
    this.state.previousRandom = 0;
    this.messages = [];
    this.entered = [];
    this.passage = -1;
    if (this.passageIndex && this.passageIndex.opening >= 0) this.enter(this.passageIndex.opening);
  }

  /** Goes on from a saved state. */
  resume(state: string, passage: number): void {
    this.state.LoadJson(state);
    this.messages = [];
    this.entered = [];
    this.passage = passage;
  }

  /** The passage the flow is in. */
  get currentPassage(): number {
    return this.passage;
  }

  /** Allows another turn's worth of steps. */
  beginTurn(): void {
    this.stepsInTurn = 0;
    this.linesInTurn = 0;
  }

  /** Whether a turn was broken off in its middle. The runtime can't be used again then: it keeps what the turn left behind. */
  get isBroken(): boolean {
    return this.isAbandoned;
  }

  override Continue(): string | null {
    this.linesInTurn += 1;
    if (this.linesInTurn > MAX_LINES_PER_TURN) this.abandon();
    try {
      return super.Continue();
    } catch (error) {
      this.isAbandoned = true;
      throw error;
    }
  }

  choose(index: number): void {
    const choice = this.currentChoices[index];
    if (choice && this.passageIndex) {
      const passage = this.passageIndex.at(choice.sourcePath);
      if (passage >= 0) this.passage = passage;
    }
    this.ChooseChoiceIndex(index);
  }

  /** Passages entered since the last call, in order; a return from a tunnel or thread enters nothing. */
  takeEntered(): number[] {
    const entered = this.entered;
    this.entered = [];
    return entered;
  }

  takeMessages(): Array<{ text: string; warning: boolean }> {
    const messages = this.messages;
    this.messages = [];
    return messages;
  }

  override Step(): void {
    this.stepsInTurn += 1;
    if (this.stepsInTurn > MAX_STEPS_PER_TURN || (this.stepsInTurn % 256 === 0 && this.state.outputStream.length > MAX_PIECES_PER_LINE)) this.abandon();
    this.noticeEntry();
    const { callStack } = this.state;
    const thread = callStack.currentThread;
    const depth = thread.callstack.length;
    super.Step();
    if (callStack !== this.state.callStack) return;
    const now = callStack.currentThread;
    if (now !== thread || now.callstack.length < depth) {
      const { passage } = this.placeOf(this.state.currentPointer.container);
      if (passage >= 0) this.passage = passage;
    }
  }

  // The runtime looks past the end of a line for glue and goes back if there is none; what it entered meanwhile is undone.
  override StateSnapshot(): void {
    super.StateSnapshot();
    this.beforeLookahead = { current: this.passage, entered: this.entered.length };
  }

  override RestoreStateSnapshot(): void {
    super.RestoreStateSnapshot();
    if (!this.beforeLookahead) return;
    this.passage = this.beforeLookahead.current;
    this.entered.length = this.beforeLookahead.entered;
  }

  /**
   * The first slot of a passage is run once each time the flow comes to its beginning, also from within it, which Ink's own read
   * counts leave out; any other slot of another passage means that the flow came into its middle.
   */
  private noticeEntry(): void {
    const { container, index } = this.state.currentPointer;
    const place = this.placeOf(container);
    if (place.passage < 0 || place.isAlias) return;
    if ((place.isHead && index <= 0) || place.passage !== this.passage) this.enter(place.passage);
  }

  private abandon(): never {
    this.isAbandoned = true;
    throw new EndlessTurnError(this.passage);
  }

  private enter(passage: number): void {
    this.passage = passage;
    this.entered.push(passage);
  }

  private placeOf(container: Container | null): Place {
    if (!container || !this.passageIndex) return NOWHERE;
    const known = this.places.get(container);
    if (known) return known;
    const path = container.path.toString();
    const place: Place = { passage: this.passageIndex.at(path), isHead: this.passageIndex.isPassage(path), isAlias: this.passageIndex.isAlias(path) };
    this.places.set(container, place);
    return place;
  }
}

/** Where a container lies: it may be a passage's own container, or a knot that only leads to its first stitch. */
interface Place {
  passage: number;
  isHead: boolean;
  isAlias: boolean;
}

const NOWHERE: Place = { passage: -1, isHead: false, isAlias: false };

/** Ink's messages carry a prefix and a pointer into compiled code; an author needs neither. */
function plain(message: string): string {
  return message.replace(/^(RUNTIME )?(ERROR|WARNING):\s*/, '').replace(/^\([^)]*\):\s*/, '').trim();
}
