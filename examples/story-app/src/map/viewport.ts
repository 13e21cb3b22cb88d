/** Which part of the map is in view, and the glide from one to another. */

import { NODE_HEIGHT } from '../layout/geometry';
import { between, firstLook, fit, reveal, sees, zoomAt, type Camera, type Place, type Size } from './camera';
import { COMFORTABLE_SCALE, READABLE_SCALE } from './labels';
import type { Scene } from './scene';

export type MapContent = Pick<Scene, 'layout' | 'widths' | 'start'>;

const SCALES = { readable: READABLE_SCALE, comfortable: COMFORTABLE_SCALE };
const GLIDE_MILLIS = 260;
/** Pixels between a passage that is shown and the edge: its halo has room there. */
const MARGIN = 36;

/** Times are milliseconds of one monotonic clock. */
export class Viewport {
  #content: MapContent | undefined;
  #size: Size = { width: 0, height: 0 };
  #camera: Camera = { x: 0, y: 0, scale: 1 };
  #glide: { from: Camera; to: Camera; began: number } | undefined;
  /** Whether somebody has seen this content. */
  #looked = false;
  /** Belongs into view as soon as there is something to see it in. */
  #awaited: number | undefined;

  /** `isStill` tells whether the person wants no motion. */
  constructor(private readonly isStill: () => boolean) {}

  get camera(): Camera {
    return this.#camera;
  }

  get size(): Size {
    return this.#size;
  }

  get gliding(): boolean {
    return this.#glide !== undefined;
  }

  /** Another story begins with a first look; the same with more known about it stays as it is. */
  setContent(content: MapContent | undefined): void {
    const isNew = content?.layout !== this.#content?.layout;
    this.#content = content;
    if (!isNew) return;
    this.#looked = false;
    this.#awaited = undefined;
    this.#settle();
  }

  /** Takes the size of the canvas, 0 while it is hidden. What could be seen of passage `kept` can be seen afterwards. */
  resize(size: Size, kept: number): void {
    const place = this.#place(kept);
    const seen = this.#isReady() && place !== undefined && sees(this.#target(), this.#size, place);
    if (seen && (size.width !== this.#size.width || size.height !== this.#size.height)) this.#awaited ??= kept;
    this.#size = size;
    this.#settle();
  }

  fit(now: number): void {
    if (this.#content && this.#isReady()) this.#glideTo(fit(this.#content.layout, this.#size), now);
  }

  zoom(factor: number, now: number): void {
    this.#glideTo(zoomAt(this.#target(), this.#size, this.#size.width / 2, this.#size.height / 2, factor), now);
  }

  /** Brings a passage into view, near enough to read; where nothing can be seen yet, as soon as it can. */
  show(passage: number, now: number): void {
    const place = this.#place(passage);
    const target = this.#target();
    if (!this.#isReady()) this.#awaited = passage;
    else if (place) this.#glideTo(this.#reveal({ ...target, scale: Math.max(target.scale, READABLE_SCALE) }, place), now);
  }

  /** Moves at once. */
  move(camera: Camera): void {
    this.#glide = undefined;
    this.#camera = camera;
  }

  /** Goes on with a glide. */
  advance(now: number): void {
    if (!this.#glide) return;
    const share = Math.min(1, Math.max(0, (now - this.#glide.began) / GLIDE_MILLIS));
    this.#camera = between(this.#glide.from, this.#glide.to, share);
    if (share >= 1) this.#glide = undefined;
  }

  #isReady(): boolean {
    return this.#looked && this.#size.width > 0 && this.#size.height > 0;
  }

  /** Where the camera belongs as soon as there are a story and a size. */
  #settle(): void {
    if (!this.#content || this.#size.width === 0 || this.#size.height === 0) return;
    if (!this.#looked) {
      this.#looked = true;
      const beginning = this.#place(this.#content.start);
      this.move(beginning ? firstLook(this.#content.layout, this.#size, beginning, SCALES) : fit(this.#content.layout, this.#size));
    }
    const awaited = this.#awaited === undefined ? undefined : this.#place(this.#awaited);
    this.#awaited = undefined;
    if (awaited) this.move(this.#reveal(this.#target(), awaited));
  }

  #reveal(camera: Camera, place: Place): Camera {
    return reveal(camera, this.#size, place, Math.min(MARGIN, this.#size.width / 12));
  }

  #target(): Camera {
    return this.#glide?.to ?? this.#camera;
  }

  #glideTo(to: Camera, now: number): void {
    if (this.isStill()) this.move(to);
    else this.#glide = { from: this.#camera, to, began: now };
  }

  #place(passage: number): Place | undefined {
    const x = this.#content?.layout.x[passage];
    const y = this.#content?.layout.y[passage];
    return x === undefined || y === undefined ? undefined : { x, y, width: this.#content?.widths[passage] ?? 0, height: NODE_HEIGHT };
  }
}
