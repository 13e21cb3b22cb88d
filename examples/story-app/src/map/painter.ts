/** Draws the map on a canvas. Only what can be seen is drawn, and less of it the further away it is. */

import { NODE_HEIGHT } from '../layout/geometry';
import type { Camera, Size } from './camera';
import { LABEL_SIZE, READABLE_PIXELS } from './labels';
import { mixColours, type Palette } from './palette';
import { traceNodeShape } from './shapes';
import type { Curve, Scene } from './scene';

export interface View {
  selected: number;
  current: number;
  visited: ReadonlySet<number>;
  /** Ways walked, as `from to`. */
  walked: ReadonlySet<string>;
  /** 0 to 1 for each passage where the map is coloured by a number. */
  heat: ArrayLike<number> | undefined;
  focused: boolean;
}

/** Scales below which labels, arrow heads and curves are not worth drawing. */
const LABELS_FROM = 0.34;
const ARROWS_FROM = 0.55;
const CURVES_FROM = 0.12;
const MANY_EDGES = 1200;
const CURVES_FROM_IF_MANY = 0.3;

export function paint(context: CanvasRenderingContext2D, scene: Scene, view: View, camera: Camera, size: Size, pixelRatio: number, palette: Palette): void {
  context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  context.translate(size.width / 2, size.height / 2);
  context.scale(camera.scale, camera.scale);
  context.translate(-camera.x, -camera.y);
  const halfWidth = size.width / 2 / camera.scale;
  const halfHeight = size.height / 2 / camera.scale;
  const box = { left: camera.x - halfWidth, right: camera.x + halfWidth, top: camera.y - halfHeight, bottom: camera.y + halfHeight };
  paintEdges(context, scene, view, camera, box, palette);
  paintNodes(context, scene, view, camera, box, palette);
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function paintEdges(context: CanvasRenderingContext2D, scene: Scene, view: View, camera: Camera, box: Box, palette: Palette): void {
  // Thousands of ways seen from far away are a texture: straight hairs tell as much as curves.
  const curved = camera.scale >= (scene.curves.length > MANY_EDGES ? CURVES_FROM_IF_MANY : CURVES_FROM);
  const plain = new Path2D();
  const dashed = new Path2D();
  const dotted = new Path2D();
  const walked = new Path2D();
  const near = new Path2D();
  const arrows: Array<{ curve: Curve; colour: string }> = [];
  for (const curve of scene.curves) {
    if (curve.right < box.left || curve.left > box.right || curve.bottom < box.top || curve.top > box.bottom) continue;
    const { edge } = curve;
    const isNear = edge.from === view.selected || edge.to === view.selected;
    const isWalked = view.walked.has(`${edge.from} ${edge.to}`);
    const path = isWalked ? walked : isNear ? near : edge.kind === 'tunnel' || edge.kind === 'thread' || edge.kind === 'dynamic' ? dotted : edge.conditional ? dashed : plain;
    trace(path, curve, curved);
    if (camera.scale >= ARROWS_FROM) arrows.push({ curve, colour: isWalked ? palette.accent : isNear ? palette.ink : palette.line });
  }
  const hair = Math.max(1.1, 0.7 / camera.scale) / Math.max(1, Math.sqrt(camera.scale));
  context.lineCap = curved ? 'round' : 'butt';
  stroke(context, plain, palette.line, hair, []);
  stroke(context, dashed, palette.line, hair, camera.scale > 0.25 ? [6, 5] : []);
  stroke(context, dotted, palette.line, hair * 1.2, camera.scale > 0.25 ? [1, 5] : []);
  stroke(context, near, palette.ink, hair * 1.2, []);
  stroke(context, walked, palette.accent, hair * 1.9, []);
  for (const { curve, colour } of arrows) arrowHead(context, curve, colour);
}

function trace(path: Path2D, { points }: Curve, curved: boolean): void {
  path.moveTo(points[0], points[1]);
  if (curved) path.bezierCurveTo(points[2], points[3], points[4], points[5], points[6], points[7]);
  else path.lineTo(points[6], points[7]);
}

function stroke(context: CanvasRenderingContext2D, path: Path2D, colour: string, width: number, dash: number[]): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.stroke(path);
  context.setLineDash([]);
}

function arrowHead(context: CanvasRenderingContext2D, { points }: Curve, colour: string): void {
  const [, , , , controlX, controlY, x, y] = points;
  const angle = Math.atan2(y - controlY, x - controlX);
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - 7 * Math.cos(angle - 0.42), y - 7 * Math.sin(angle - 0.42));
  context.lineTo(x - 7 * Math.cos(angle + 0.42), y - 7 * Math.sin(angle + 0.42));
  context.closePath();
  context.fill();
}

interface Batch {
  path: Path2D;
  fill: string;
  stroke: string;
  width: number;
  dashed: boolean;
}

function paintNodes(context: CanvasRenderingContext2D, scene: Scene, view: View, camera: Camera, box: Box, palette: Palette): void {
  const { layout, widths, looks, labels } = scene;
  const visible: number[] = [];
  // Passages that look alike are filled and stroked together: a thousand small paths cost more than one large one.
  const batches = new Map<string, Batch>();
  const bold = 1 / (camera.scale > 1 ? Math.sqrt(camera.scale) : Math.max(0.35, camera.scale));
  for (let id = 0; id < layout.x.length; id += 1) {
    const x = layout.x[id] ?? 0;
    const y = layout.y[id] ?? 0;
    const width = widths[id] ?? 0;
    if (x + width / 2 < box.left || x - width / 2 > box.right || y + NODE_HEIGHT < box.top || y - NODE_HEIGHT > box.bottom) continue;
    visible.push(id);
    const look = looks[id] ?? 'passage';
    const heat = view.heat?.[id];
    const level = heat === undefined ? -1 : Math.round(heat * HEAT_LEVELS);
    const reached = id === view.current || view.visited.has(id);
    const key = `${look} ${level} ${id === view.current ? 2 : reached ? 1 : 0}`;
    let batch = batches.get(key);
    if (!batch) {
      const tone = look === 'passage' ? palette['node-line'] : palette[look];
      const fill = level < 0 ? mixColours(palette.node, tone, look === 'passage' ? 0 : 0.14) : mixColours(palette['heat-0'], palette['heat-1'], level / HEAT_LEVELS);
      batch = { path: new Path2D(), fill, stroke: reached ? palette.accent : tone, width: (id === view.current ? 3 : look === 'passage' && !reached ? 1.2 : 1.8) * bold, dashed: look === 'unreachable' };
      batches.set(key, batch);
    }
    traceNodeShape(batch.path, look, x, y, width, NODE_HEIGHT, camera.scale);
  }
  for (const { path, fill, stroke: colour, width, dashed } of batches.values()) {
    context.fillStyle = fill;
    context.fill(path);
    stroke(context, path, colour, width, dashed ? [5, 4] : []);
  }
  if (camera.scale >= LABELS_FROM) {
    const letters = new Letters(context, palette.font, camera.scale);
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (const id of visible) {
      context.fillStyle = (view.heat?.[id] ?? 0) > 0.55 ? palette.paper : palette.ink;
      letters.draw(labels[id] ?? '', layout.x[id] ?? 0, (layout.y[id] ?? 0) + 0.5, widths[id] ?? 0);
    }
  }
  for (const id of visible) {
    const x = layout.x[id] ?? 0;
    const y = layout.y[id] ?? 0;
    if (id === view.current) halo(context, x, y, widths[id] ?? 0, 5, palette.accent, camera.scale, []);
    if (id === view.selected) halo(context, x, y, widths[id] ?? 0, id === view.current ? 10 : 5, palette.focus, camera.scale, view.focused ? [] : [4, 3]);
  }
}

/** Steps of colour: finer ones can't be told apart. */
const HEAT_LEVELS = 24;

/** Labels keep a readable size on the screen for as long as they fit into their passage. */
class Letters {
  #size = 0;

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly family: string,
    private readonly scale: number,
  ) {}

  draw(label: string, x: number, y: number, width: number): void {
    const wanted = Math.min(LARGEST_LABEL, Math.max(LABEL_SIZE, READABLE_PIXELS / this.scale));
    this.#use(LABEL_SIZE);
    const natural = this.context.measureText(label).width;
    this.#use(Math.min(wanted, Math.floor((2 * LABEL_SIZE * (width - 8)) / natural) / 2));
    this.context.fillText(label, x, y);
  }

  #use(size: number): void {
    if (size === this.#size) return;
    this.#size = size;
    this.context.font = `500 ${size}px ${this.family}`;
  }
}

const LARGEST_LABEL = 15.5;

function halo(context: CanvasRenderingContext2D, x: number, y: number, width: number, distance: number, colour: string, scale: number, dash: number[]): void {
  const gap = distance / Math.min(1, Math.max(0.3, scale));
  context.strokeStyle = colour;
  context.lineWidth = 2 / Math.min(1, Math.max(0.25, scale));
  context.setLineDash(dash);
  context.beginPath();
  context.roundRect(x - width / 2 - gap, y - NODE_HEIGHT / 2 - gap, width + 2 * gap, NODE_HEIGHT + 2 * gap, 9 + gap / 2);
  context.stroke();
  context.setLineDash([]);
}
