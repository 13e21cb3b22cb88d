/** Words of a passage, normalised so that forms of one word count as one. */

/** The commonest English function words, which say nothing about what a passage is about. */
const STOP_WORDS = new Set(
  'a about after again all am an and any are as at be because been before being but by can could did do does down each even for from get go had has have he her here him his how i if in into is it its just like me more my no not now of off on once one only or other our out over own said same say says she should so some still such than that the their them then there these they this those through to too under until up upon us very was we were what when where which while who whom why will with would you your yours'.split(
    ' ',
  ),
);

/** Lower case, accents removed, stemmed; words of one letter and function words are left out. */
export function tokens(text: string): string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}+/gu, '').toLowerCase();
  const out: string[] = [];
  for (const [word] of plain.matchAll(/[\p{L}\p{N}]+(?:['’][\p{L}]+)*/gu)) {
    const base = word.replace(/['’].*$/u, '');
    if (base.length > 1 && !STOP_WORDS.has(base)) out.push(stem(base));
  }
  return out;
}

/**
 * A light stemmer for English: step 1 of Porter (1980), which removes plurals, `-ed` and `-ing` where a vowel remains and repairs
 * what that leaves behind. It is enough to bring the forms of a word together and does not need a dictionary.
 */
export function stem(word: string): string {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word;
  let base = word;
  if (base.endsWith('sses')) base = base.slice(0, -2);
  else if (base.endsWith('ies')) base = `${base.slice(0, -3)}i`;
  else if (base.endsWith('s') && !base.endsWith('ss') && !base.endsWith('us')) base = base.slice(0, -1);

  const shortened = strip(base, 'ing') ?? (base.endsWith('eed') ? undefined : strip(base, 'ed'));
  if (shortened !== undefined) {
    if (/(at|bl|iz)$/.test(shortened)) base = `${shortened}e`;
    else if (/([^aeiouylsz])\1$/.test(shortened)) base = shortened.slice(0, -1);
    else if (/^[^aeiou]*[aeiouy][^aeiouwxy]$/.test(shortened)) base = `${shortened}e`;
    else base = shortened;
  }
  if (/[^aeiou]y$/.test(base) && base.length > 3) base = `${base.slice(0, -1)}i`;
  // `make` and `making` both end as `mak`: a final e carries no meaning once endings are gone.
  return base.length > 3 && base.endsWith('e') ? base.slice(0, -1) : base;
}

function strip(word: string, ending: string): string | undefined {
  if (!word.endsWith(ending)) return undefined;
  const rest = word.slice(0, -ending.length);
  return rest.length > 1 && /[aeiouy]/.test(rest) ? rest : undefined;
}
