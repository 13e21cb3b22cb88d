/** A shape for each kind of passage, so that colour is never the only difference. */

import type { Look } from './scene';

/** Adds the outline of a passage centred on `x`, `y`. From far away every passage is a plain rectangle. */
export function traceNodeShape(context: Path2D, look: Look, x: number, y: number, width: number, height: number, scale: number): void {
  const left = x - width / 2;
  const right = x + width / 2;
  const top = y - height / 2;
  const bottom = y + height / 2;
  if (scale < 0.12) {
    context.rect(left, top, width, height);
    return;
  }
  switch (look) {
    case 'start':
      // A pill.
      context.roundRect(left, top, width, height, height / 2);
      return;
    case 'ending': {
      // A hexagon.
      const point = 11;
      context.moveTo(left - point / 2, y);
      context.lineTo(left + point / 2, top);
      context.lineTo(right - point / 2, top);
      context.lineTo(right + point / 2, y);
      context.lineTo(right - point / 2, bottom);
      context.lineTo(left + point / 2, bottom);
      context.closePath();
      return;
    }
    case 'loose': {
      // Torn at the lower edge.
      const teeth = Math.max(3, Math.round(width / 14));
      context.moveTo(left, top);
      context.lineTo(right, top);
      for (let tooth = 0; tooth <= teeth; tooth += 1) context.lineTo(right - (tooth * width) / teeth, tooth % 2 === 0 ? bottom : bottom - 6);
      context.closePath();
      return;
    }
    case 'trapped': {
      // Corners cut off.
      const cut = 8;
      context.moveTo(left + cut, top);
      context.lineTo(right - cut, top);
      context.lineTo(right, top + cut);
      context.lineTo(right, bottom - cut);
      context.lineTo(right - cut, bottom);
      context.lineTo(left + cut, bottom);
      context.lineTo(left, bottom - cut);
      context.lineTo(left, top + cut);
      context.closePath();
      return;
    }
    case 'unreachable':
      context.rect(left, top, width, height);
      return;
    case 'passage':
      context.roundRect(left, top, width, height, 7);
  }
}
