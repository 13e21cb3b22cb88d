/** The colours of the map, read from the style sheet so that both themes have one home. */

const NAMES = ['paper', 'ink', 'muted', 'line', 'node', 'node-line', 'accent', 'focus', 'start', 'ending', 'loose', 'unreachable', 'trapped', 'heat-0', 'heat-1'] as const;

export type Palette = Record<(typeof NAMES)[number], string> & { font: string };

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const entries = NAMES.map((name) => [name, style.getPropertyValue(`--map-${name}`).trim() || '#888888'] as const);
  return { ...(Object.fromEntries(entries) as Record<(typeof NAMES)[number], string>), font: style.fontFamily };
}

/** A colour `share` of the way between two `#rrggbb` colours. */
export function mixColours(from: string, to: string, share: number): string {
  const a = channels(from);
  const b = channels(to);
  const t = Math.min(1, Math.max(0, share));
  const mixed = a.map((value, i) => Math.round(value + ((b[i] ?? 0) - value) * t));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

function channels(colour: string): number[] {
  // A minifier writes `#fff` for `#ffffff`.
  const written = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(colour)?.[1] ?? '888888';
  const hex = written.length === 3 ? [...written].map((digit) => digit + digit).join('') : written;
  return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}
