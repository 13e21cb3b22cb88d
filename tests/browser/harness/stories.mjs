// Stories for the tests: those of this repository, generated ones, and those of a folder that somebody names.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The bytes of a story in `stories/`. */
export function shipped(name) {
  return readFile(new URL(`../stories/${name}`, import.meta.url));
}

/** Ink source of at least `bytes` bytes: knots in a ring, each with a way on, a way back and a way out. */
export function largeStory(bytes) {
  const paragraph = 'The lamp went out over the harbour, and nobody on the long wet quay said a word about it. '.repeat(60);
  const knot = (index, count) =>
    `=== knot_${index} ===\n${paragraph}\n+ [On.] -> knot_${(index + 1) % count}\n+ [Back.] -> knot_${Math.floor(index / 2)}\n* [Out.] -> END\n`;
  const count = Math.ceil(bytes / knot(0, 1).length);
  const knots = Array.from({ length: count }, (_, index) => knot(index, count));
  return { source: `# title: A Large Story\n-> knot_0\n${knots.join('')}`, knots: count };
}

/** The Ink stories in the folder that QUILLWORK_STORIES names, or undefined where it names none. */
export async function furtherStories() {
  const folder = process.env.QUILLWORK_STORIES;
  if (!folder) return undefined;
  const names = (await readdir(folder)).filter((name) => /\.(ink|ink\.json)$/.test(name)).sort();
  return Promise.all(names.map(async (name) => ({ name, content: await readFile(join(folder, name)) })));
}
