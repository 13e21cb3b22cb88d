// The guides go with the package, and the pages that they name of how things are decided. What else they link to stays in the repository:
// of such a link the text is left.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const LINK = /\[([^\]]+)\]\(([^)#:\s]+)(#[^)\s]*)?\)/g;

/** Writes the pages for the package's users from one folder into another. */
export function copyDocs(from, to) {
  const read = (page) => readFileSync(join(from, page), 'utf8');
  const linked = (page) => [...read(page).matchAll(LINK)].map(([, , link]) => normalize(join(dirname(page), link)));
  const guides = guidesOf(read('README.md'));
  const pages = new Set([...guides, ...guides.flatMap(linked).filter((page) => /^(flow|pool|balance)\//.test(page))]);
  for (const page of pages) {
    const text = read(page).replace(LINK, (whole, words, link) => (pages.has(normalize(join(dirname(page), link))) ? whole : words));
    mkdirSync(dirname(join(to, page)), { recursive: true });
    writeFileSync(join(to, page), text);
  }
}

/** Pages under the heading of the package. */
function guidesOf(overview) {
  const section = overview.split(/^## /m).find((part) => part.startsWith('The npm package'));
  return [...(section ?? '').matchAll(LINK)].map(([, , link]) => link);
}
