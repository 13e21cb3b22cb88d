/** The plane of the map. Units are CSS pixels at a scale of 1. */

export interface Layout {
  /** Centre of each passage. */
  x: Float32Array;
  y: Float32Array;
  width: number;
  height: number;
}

export const NODE_HEIGHT = 34;
