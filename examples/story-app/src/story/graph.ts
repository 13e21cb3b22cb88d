/** The story as a graph: passages (knots, stitches and the opening) and the ways between them. */

export type EdgeKind = 'divert' | 'choice' | 'tunnel' | 'thread' | 'dynamic';

export interface Passage {
  /** Position in {@link StoryGraph.passages}. */
  id: number;
  /** Ink's own path, `knot` or `knot.stitch`; the opening before the first knot is called `(opening)`. */
  path: string;
  kind: 'opening' | 'knot' | 'stitch';
  /** Words of the narration, and of choices that vanish when chosen. */
  words: number;
  choiceWords: number;
  /** Choices written in it. */
  choices: number;
  /** The first words, for a label and a tooltip. */
  preview: string;
  /** Goes where a variable says: its ways out are all that the story ever assigns. */
  dynamic: boolean;
}

export interface Edge {
  from: number;
  to: number;
  kind: EdgeKind;
  /** Taken only if a condition holds. */
  conditional: boolean;
  /** Behind a choice that can be taken once, so no loop goes through it for long. */
  once: boolean;
  /** Text of the choice that leads there. */
  label?: string;
}

/** Where the reader stops. */
export interface Exit {
  passage: number;
  /** `END` and `DONE` are endings; `runs-out` is content with nothing after it, an error when a reader gets there. */
  kind: 'END' | 'DONE' | 'runs-out';
  /** On some way no choice is offered at all; else it takes choices that are used up or whose conditions fail. */
  certain: boolean;
}

export interface StoryGraph {
  passages: Passage[];
  edges: Edge[];
  exits: Exit[];
  start: number;
  /** Passages that some way from the opening reaches. */
  reachable: boolean[];
  /** Names of knots that are functions: they are no passages. */
  functions: string[];
  /** External functions the story expects of its game. */
  externals: string[];
  /** Diverts whose target does not exist. */
  unresolved: Array<{ passage: number; target: string }>;
}

/** Passages and, beside the graph because they are large, their texts. */
export interface ExtractedStory {
  graph: StoryGraph;
  /** Narration and choices of each passage, in the order written. */
  texts: string[];
}

export const OPENING = '(opening)';
