/** What is left of texts that may hold something personal. */

/** An address without query, fragment and credentials. */
export function plainUrl(address: string): string {
  return address.slice(0, LONGEST_ADDRESS).replace(/[?#].*$/s, '').replace(/^([a-z][a-z\d+.-]*:\/\/)[^/@]*@/i, '$1');
}

/** The file name of a script's address; `null` where there is none. */
export function scriptName(address: string | undefined): string | null {
  const path = plainUrl(address ?? '');
  const name = path.startsWith('data:') || path.startsWith('blob:') ? '' : path.slice(path.lastIndexOf('/') + 1);
  return name === '' ? null : plain(name, 80);
}

/** A text whose addresses have lost their queries, cut to a length. */
export function plainText(text: string, longest: number): string {
  return plain(text.slice(0, longest).replace(/[?#][^\s)'"<>:]*/g, ''), longest);
}

/**
 * What made a script run, as the browser words it (`BUTTON#pay.onclick`, `IMG[src=https://...].onload`, an address), without what names
 * one element or one person.
 */
export function invokerName(invoker: string): string {
  if (invoker.includes('://') && !invoker.includes('[')) {
    return scriptName(invoker) ?? '';
  }
  const target = /^([\w-]+)[#[.]/.exec(invoker)?.[1];
  const handler = /\.on\w+$/.exec(invoker)?.[0];
  return plain(target !== undefined && handler !== undefined ? `${target}${handler}` : invoker.replace(/[#[].*$/s, ''), 80);
}

/** Without control characters but line ends, and halves of characters, which a host refuses. */
export function plain(text: string, longest: number): string {
  const clean = text.slice(0, 2 * longest).replace(/[^\P{Cc}\n]|\p{Cs}/gu, ' ');
  return clean.length <= longest ? clean : [...clean].slice(0, longest).join('');
}

const LONGEST_ADDRESS = 500;
