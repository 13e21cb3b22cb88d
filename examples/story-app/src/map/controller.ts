/** The canvas, the camera and the fingers on it. React hands in what to show and hears what was picked. */

import { NODE_HEIGHT } from '../layout/geometry';
import { pan, toMap, zoomAt, type Camera } from './camera';
import { passageAt } from './navigate';
import { paint, type View } from './painter';
import { readPalette, type Palette } from './palette';
import type { Scene } from './scene';
import { Viewport } from './viewport';

/** Movement in pixels beyond which a press is a drag, not a click. */
const DRAG_PIXELS = 5;

export class MapController {
  #scene: Scene | undefined;
  #view: View = { selected: -1, current: -1, visited: new Set(), walked: new Set(), heat: undefined, focused: false };
  readonly #viewport = new Viewport(() => matchMedia('(prefers-reduced-motion: reduce)').matches);
  /** Pixels of the screen to one of the page, as the canvas is sized for. */
  #ratio = 1;
  #palette: Palette;
  #frame = 0;
  #pointers = new Map<number, { x: number; y: number }>();
  #travelled = 0;
  readonly #resize: ResizeObserver;
  readonly #abort = new AbortController();

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly onPick: (passage: number) => void,
    private readonly onHover: (passage: number | undefined, x: number, y: number) => void,
  ) {
    this.#palette = readPalette(canvas);
    this.#resize = new ResizeObserver(() => this.#measure());
    observePixels(this.#resize, canvas);
    const options = { signal: this.#abort.signal };
    canvas.addEventListener('pointerdown', (event) => this.#down(event), options);
    canvas.addEventListener('pointermove', (event) => this.#move(event), options);
    canvas.addEventListener('pointerup', (event) => this.#up(event), options);
    canvas.addEventListener('pointercancel', (event) => this.#pointers.delete(event.pointerId), options);
    canvas.addEventListener('lostpointercapture', (event) => this.#pointers.delete(event.pointerId), options);
    canvas.addEventListener('pointerleave', () => this.onHover(undefined, 0, 0), options);
    canvas.addEventListener('wheel', (event) => this.#wheel(event), { ...options, passive: false });
    this.#measure();
  }

  destroy(): void {
    this.#abort.abort();
    this.#resize.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  setScene(scene: Scene | undefined): void {
    this.#scene = scene;
    this.#viewport.setContent(scene);
    this.#draw();
  }

  setView(view: View): void {
    this.#view = view;
    this.#draw();
  }

  refreshPalette(): void {
    this.#palette = readPalette(this.canvas);
    this.#draw();
  }

  fit(): void {
    this.#viewport.fit(performance.now());
    this.#draw();
  }

  zoom(factor: number): void {
    this.#viewport.zoom(factor, performance.now());
    this.#draw();
  }

  /** Brings a passage into view, near enough to read. */
  show(passage: number): void {
    this.#viewport.show(passage, performance.now());
    this.#draw();
  }

  #measure(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.#viewport.resize({ width, height }, this.#view.current);
    this.#ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.#ratio);
    this.canvas.height = Math.round(height * this.#ratio);
    // The canvas was just cleared: draw in the same frame, or it would flicker.
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#paint(performance.now());
  }

  #draw(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#paint(now));
  }

  #paint(now: number): void {
    this.#frame = 0;
    // Not every browser tells of another density.
    if ((window.devicePixelRatio || 1) !== this.#ratio) {
      this.#measure();
      return;
    }
    const context = this.canvas.getContext('2d');
    const { size } = this.#viewport;
    if (!context || size.width === 0) return;
    if (!this.#scene) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, this.canvas.width, this.canvas.height);
      return;
    }
    this.#viewport.advance(now);
    if (this.#viewport.gliding) this.#draw();
    paint(context, this.#scene, this.#view, this.#viewport.camera, size, this.#ratio, this.#palette);
  }

  #moveCamera(camera: Camera): void {
    this.#viewport.move(camera);
    this.#draw();
  }

  #at(event: MouseEvent): { x: number; y: number } {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #passageAt(x: number, y: number, tolerance: number): number | undefined {
    if (!this.#scene) return undefined;
    const point = toMap(this.#viewport.camera, this.#viewport.size, x, y);
    return passageAt(this.#scene.layout, this.#scene.widths, NODE_HEIGHT, point.x, point.y, tolerance / this.#viewport.camera.scale);
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, this.#at(event));
    if (this.#pointers.size === 1) this.#travelled = 0;
  }

  #move(event: PointerEvent): void {
    const here = this.#at(event);
    const before = this.#pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === 'mouse') this.onHover(this.#passageAt(here.x, here.y, 0), here.x, here.y);
      return;
    }
    const others = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    this.#pointers.set(event.pointerId, here);
    this.#travelled += Math.hypot(here.x - before.x, here.y - before.y);
    const other = others[0];
    if (other) {
      // Two fingers: the point between them stays, their distance zooms.
      const factor = Math.hypot(here.x - other.x, here.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
      const moved = pan(this.#viewport.camera, (here.x - before.x) / 2, (here.y - before.y) / 2);
      this.#moveCamera(zoomAt(moved, this.#viewport.size, (here.x + other.x) / 2, (here.y + other.y) / 2, factor));
    } else if (this.#travelled > DRAG_PIXELS) {
      this.onHover(undefined, 0, 0);
      this.#moveCamera(pan(this.#viewport.camera, here.x - before.x, here.y - before.y));
    }
  }

  #up(event: PointerEvent): void {
    const wasDown = this.#pointers.delete(event.pointerId);
    if (!wasDown || this.#pointers.size > 0 || this.#travelled > DRAG_PIXELS) return;
    const { x, y } = this.#at(event);
    const passage = this.#passageAt(x, y, event.pointerType === 'touch' ? 8 : 2);
    if (passage !== undefined) this.onPick(passage);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const { x, y } = this.#at(event);
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
    if (event.shiftKey) this.#moveCamera(pan(this.#viewport.camera, -pixels - event.deltaX, 0));
    else this.#moveCamera(zoomAt(this.#viewport.camera, this.#viewport.size, x, y, Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0016))));
  }
}

/** In pixels of the screen where the browser knows them: the window may move to one of another density without a change of its size. */
function observePixels(observer: ResizeObserver, canvas: Element): void {
  try {
    observer.observe(canvas, { box: 'device-pixel-content-box' });
  } catch {
    observer.observe(canvas);
  }
}
