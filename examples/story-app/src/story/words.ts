/** Counting words the way a reader would. */

/** Silent reading of fiction in English: Brysbaert (2019), a meta-analysis of 190 studies, gives 260 words a minute. */
export const WORDS_PER_MINUTE = 260;

/** Runs of letters and digits; apostrophes and hyphens inside a word don't split it. */
export function countWords(text: string): number {
  let words = 0;
  let inside = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const letter = isWordUnit(code);
    if (letter && !inside) words += 1;
    // An apostrophe or hyphen keeps a word open; a dash or space closes it.
    inside = letter || (inside && (code === 0x27 || code === 0x2019 || code === 0x2d));
  }
  return words;
}

function isWordUnit(code: number): boolean {
  if (code < 0x80) return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  // Latin-1 punctuation, general punctuation, CJK punctuation; everything else beyond ASCII counts as a letter.
  if (code <= 0xbf) return code === 0xaa || code === 0xb5 || code === 0xba;
  return !(code >= 0x2000 && code <= 0x206f) && !(code >= 0x3000 && code <= 0x303f) && code !== 0xd7 && code !== 0xf7;
}

export function minutes(words: number): number {
  return words / WORDS_PER_MINUTE;
}
