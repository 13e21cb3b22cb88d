/** What stands on a passage of the map, and how wide that is. */

import { OPENING, type Passage } from '../story/graph';

/** Size of the letters, in units of the map. */
export const LABEL_SIZE = 13.5;
/** Pixels of the screen below which letters are hard to read. */
export const READABLE_PIXELS = 9.5;
/** The least scale at which every label can be read. */
export const READABLE_SCALE = READABLE_PIXELS / LABEL_SIZE;
/** Where not all of a map can be read at once, a part of it is seen from this near. */
export const COMFORTABLE_SCALE = 11 / LABEL_SIZE;

const CHARACTER = 8.2;
const PADDING = 22;
const LONGEST = 26;

/** The stitch's own name, or the knot's, with underscores as spaces. */
export function labelOf(passage: Pick<Passage, 'path' | 'kind'>): string {
  if (passage.path === OPENING) return 'opening';
  const name = passage.kind === 'stitch' ? (passage.path.split('.')[1] ?? passage.path) : passage.path;
  const words = name.replace(/_+/g, ' ').trim() || passage.path;
  return words.length > LONGEST ? `${words.slice(0, LONGEST - 1)}…` : words;
}

/** The whole path in words, for lists and announcements. */
export function titleOf(passage: Pick<Passage, 'path' | 'kind'>): string {
  return passage.path === OPENING ? 'Opening' : passage.path.replace(/_+/g, ' ').replace('.', ' › ');
}

/** Width of a passage on the map, in its own units, from the number of characters. */
export function labelWidth(passage: Pick<Passage, 'path' | 'kind'>): number {
  return Math.max(68, Math.round(labelOf(passage).length * CHARACTER + PADDING));
}
