/** Where the eye is over the map. */

export interface Camera {
  /** Point of the map in the middle of the view. */
  x: number;
  y: number;
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

export const MIN_SCALE = 0.02;
export const MAX_SCALE = 3;

export function clampScale(scale: number): number {
  return Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale));
}

/** A rectangle of the map around its centre. */
export interface Place extends Size {
  x: number;
  y: number;
}

/** Height of what the search bar covers at the top of the view. */
export const BAR = 50;

/** Shows all of `content`, never larger than life. */
export function fit(content: Size, view: Size): Camera {
  const margin = Math.min(28, view.width / 14);
  const scale = clampScale(Math.min(1.1, (view.width - 2 * margin) / Math.max(1, content.width), (view.height - 2 * margin - BAR) / Math.max(1, content.height)));
  return { x: content.width / 2, y: content.height / 2 - BAR / 2 / scale, scale };
}

/** The first look: all of `content` where that leaves it at the scale `readable` or more, and else its beginning at the scale `comfortable`. */
export function firstLook(content: Size, view: Size, beginning: Place, { readable, comfortable: scale }: { readable: number; comfortable: number }): Camera {
  const whole = fit(content, view);
  if (whole.scale >= readable) return whole;
  const margin = Math.min(28, view.width / 14) / scale;
  const bar = BAR / scale;
  const [width, height] = [view.width / scale, view.height / scale];
  return {
    scale,
    x: within(beginning.x, width / 2 - margin, content.width - width / 2 + margin),
    y: within(beginning.y - beginning.height / 2 + height / 2 - bar - margin, height / 2 - bar - margin, content.height - height / 2 + margin),
  };
}

/** `value`, or the end of the range that it exceeds; the middle where the range is turned round. */
function within(value: number, least: number, most: number): number {
  return least > most ? (least + most) / 2 : Math.min(most, Math.max(least, value));
}

/** Zooms by `factor` so that the point of the map under (`px`, `py`) of the view stays there. */
export function zoomAt(camera: Camera, view: Size, px: number, py: number, factor: number): Camera {
  const scale = clampScale(camera.scale * factor);
  const dx = px - view.width / 2;
  const dy = py - view.height / 2;
  return { scale, x: camera.x + dx / camera.scale - dx / scale, y: camera.y + dy / camera.scale - dy / scale };
}

export function pan(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale };
}

export function toMap(camera: Camera, view: Size, px: number, py: number): { x: number; y: number } {
  return { x: camera.x + (px - view.width / 2) / camera.scale, y: camera.y + (py - view.height / 2) / camera.scale };
}

/** Brings a place into view with the least movement, `margin` pixels from the edges and from the search bar. */
export function reveal(camera: Camera, view: Size, place: Place, margin: number): Camera {
  const { scale } = camera;
  const side = Math.max(0, view.width / 2 - margin - (place.width / 2) * scale) / scale;
  const below = Math.max(0, view.height / 2 - margin - (place.height / 2) * scale) / scale;
  const above = Math.max(-below, below - BAR / scale);
  return { scale, x: within(camera.x, place.x - side, place.x + side), y: within(camera.y, place.y - below, place.y + above) };
}

/** Whether the centre of a place can be seen. */
export function sees(camera: Camera, view: Size, place: Place): boolean {
  const x = (place.x - camera.x) * camera.scale + view.width / 2;
  const y = (place.y - camera.y) * camera.scale + view.height / 2;
  return x >= 0 && x <= view.width && y >= BAR && y <= view.height;
}

export function between(from: Camera, to: Camera, share: number): Camera {
  const eased = 1 - (1 - share) ** 3;
  return {
    x: from.x + (to.x - from.x) * eased,
    y: from.y + (to.y - from.y) * eased,
    scale: from.scale * (to.scale / from.scale) ** eased,
  };
}
