/** From bytes to text: encodings, binary files, and whether the text is Ink source or compiled Ink JSON. */

import { rejection, type Issue, type Rejection } from './issues';

/** Larger files are refused before they are read: the largest Ink games known are a few megabytes of source. */
export const MAX_DOCUMENT_BYTES = 32 * 1024 * 1024;

export interface StoryDocument {
  kind: 'ink' | 'json';
  text: string;
  encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
  notes: Issue[];
}

/** Decodes a file. A byte-order mark decides; without one it is UTF-8, else Windows-1252 with a warning. */
export function readDocument(bytes: Uint8Array, name: string): StoryDocument | Rejection {
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    const megabytes = (bytes.length / 1024 / 1024).toFixed(0);
    return rejection('too-large', `“${name}” has ${megabytes} MB.`, 'The largest file that opens here has 32 MB. Open the story’s own .ink or .json file, or split it.');
  }
  const notes: Issue[] = [];
  const encoding = encodingOf(bytes);
  if (encoding === 'utf-8' && looksBinary(bytes)) {
    return rejection('binary', `“${name}” is not a text file.`, 'Open Ink source (.ink) or a story compiled to Ink JSON (.json). A packaged game has to be unpacked first.');
  }
  let text: string;
  let used: StoryDocument['encoding'] = encoding;
  try {
    text = new TextDecoder(encoding, { fatal: encoding === 'utf-8' }).decode(bytes);
  } catch {
    used = 'windows-1252';
    text = new TextDecoder('windows-1252').decode(bytes);
    notes.push({ severity: 'warning', message: 'The file is not UTF-8. It was read as Windows-1252: check accents and quotation marks, and save it as UTF-8.' });
  }
  if (used === 'utf-16le' || used === 'utf-16be') {
    notes.push({ severity: 'note', message: 'The file is UTF-16. It was converted; inkle’s own compiler expects UTF-8.' });
  }
  return classify(text, name, used, notes);
}

/** As {@link readDocument}, for text that was pasted or ships with the app. */
export function readText(text: string, name: string): StoryDocument | Rejection {
  if (text.length > MAX_DOCUMENT_BYTES) {
    return rejection('too-large', 'The pasted text is too long.', 'The largest story that opens here has 32 MB.');
  }
  if (text.includes('\u0000')) {
    return rejection('binary', 'The pasted text contains binary data.', 'Paste Ink source or a story compiled to Ink JSON.');
  }
  return classify(text, name, 'utf-8', []);
}

function classify(raw: string, name: string, encoding: StoryDocument['encoding'], notes: Issue[]): StoryDocument | Rejection {
  const text = raw.replace(/^\uFEFF/, '');
  if (text.trim() === '') {
    return rejection('empty', `“${name}” is empty.`, 'Write a line of text in it, or open another story.');
  }
  const kind = /\.json$/i.test(name.trim()) || /^\s*\{\s*"[^"]*"\s*:/.test(text) ? 'json' : 'ink';
  return { kind, text, encoding, notes };
}

function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** A NUL byte, or more than 2 % control characters in the first 64 KB, is no prose. */
function looksBinary(bytes: Uint8Array): boolean {
  const window = bytes.subarray(0, 65_536);
  let control = 0;
  for (const byte of window) {
    if (byte === 0) return true;
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x0c) control += 1;
  }
  return control > window.length * 0.02;
}
