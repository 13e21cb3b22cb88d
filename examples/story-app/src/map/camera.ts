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

/** Height of the search bar that lies over the top of the view. */
const BAR = 40;

/** Shows all of `content`, never larger than life. */
export function fit(content: Size, view: Size): Camera {
  const margin = Math.min(28, view.width / 14);
  const scale = clampScale(Math.min(1.1, (view.width - 2 * margin) / Math.max(1, content.width), (view.height - 2 * margin - BAR) / Math.max(1, content.height)));
  return { x: content.width / 2, y: content.height / 2 - BAR / 2 / scale, scale };
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

/** Brings a point into view with the least movement, keeping `margin` pixels from the edge. */
export function reveal(camera: Camera, view: Size, x: number, y: number, margin: number): Camera {
  const halfWidth = Math.max(0, view.width / 2 - margin) / camera.scale;
  const halfHeight = Math.max(0, view.height / 2 - margin) / camera.scale;
  return {
    ...camera,
    x: Math.min(x + halfWidth, Math.max(x - halfWidth, camera.x)),
    y: Math.min(y + halfHeight, Math.max(y - halfHeight, camera.y)),
  };
}

export function between(from: Camera, to: Camera, share: number): Camera {
  const eased = 1 - (1 - share) ** 3;
  return {
    x: from.x + (to.x - from.x) * eased,
    y: from.y + (to.y - from.y) * eased,
    scale: from.scale * (to.scale / from.scale) ** eased,
  };
}
