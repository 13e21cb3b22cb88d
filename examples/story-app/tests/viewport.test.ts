import { describe, expect, test } from 'vitest';
import { NODE_HEIGHT } from '../src/layout/geometry';
import { BAR, fit, pan, toMap } from '../src/map/camera';
import { LABEL_SIZE } from '../src/map/labels';
import { Viewport, type MapContent } from '../src/map/viewport';

const VIEW = { width: 700, height: 760 };
const HIDDEN = { width: 0, height: 0 };
const WIDTH = 120;

/** Passages one below the other, the beginning in the middle of the topmost row. */
function column(count: number, width = 3000): MapContent {
  return {
    layout: { x: new Float32Array(count).fill(width / 2), y: Float32Array.from({ length: count }, (_, id) => 17 + id * 76), width, height: count * 76 },
    widths: new Array<number>(count).fill(WIDTH),
    start: 0,
  };
}

function opened(content: MapContent, size = VIEW): Viewport {
  const viewport = new Viewport(() => true);
  viewport.resize(size, -1);
  viewport.setContent(content);
  return viewport;
}

/** Whether all of a passage can be seen beside the search bar. */
function isInView({ camera, size }: Viewport, { layout }: MapContent, passage: number): boolean {
  const [x, y] = [layout.x[passage] ?? 0, layout.y[passage] ?? 0];
  const first = toMap(camera, size, 0, BAR);
  const last = toMap(camera, size, size.width, size.height);
  return first.x <= x - WIDTH / 2 && last.x >= x + WIDTH / 2 && first.y <= y - NODE_HEIGHT / 2 && last.y >= y + NODE_HEIGHT / 2;
}

describe('the first look', () => {
  test('is the whole map, where its labels can be read so', () => {
    const small = column(4, 300);
    expect(opened(small).camera).toEqual(fit(small.layout, VIEW));
  });

  test.each([VIEW, { width: 340, height: 480 }])('is the beginning of a large map with labels that can be read, in $width × $height', (size) => {
    const large = column(60);
    const viewport = opened(large, size);
    expect(viewport.camera.scale * LABEL_SIZE).toBeGreaterThan(9);
    expect(isInView(viewport, large, 0)).toBe(true);
    expect(toMap(viewport.camera, size, 0, 0).y * viewport.camera.scale, 'no more than the bar and a margin stands above').toBeGreaterThan(-BAR - 40);
  });

  test('is taken when the map has a size, of what the reading has come to', () => {
    const content = column(60);
    const viewport = opened(content, HIDDEN);
    viewport.show(40, 0);
    viewport.resize(VIEW, 40);
    expect(isInView(viewport, content, 40)).toBe(true);
  });

  test('is that of the new story after another', () => {
    const content = column(60);
    const viewport = opened(content);
    viewport.show(59, 0);
    viewport.setContent(undefined);
    const next = column(60);
    viewport.setContent(next);
    expect(isInView(viewport, next, 0)).toBe(true);
  });
});

describe('what is in view', () => {
  const content = column(60);

  test('of the reading is what it came to while the map was hidden', () => {
    const viewport = opened(content);
    viewport.resize(HIDDEN, 0);
    viewport.show(30, 0);
    viewport.show(45, 0);
    viewport.resize(VIEW, 45);
    expect(isInView(viewport, content, 45)).toBe(true);
  });

  test('stays while the map is hidden and nothing happens', () => {
    const viewport = opened(content);
    viewport.fit(0);
    viewport.move(pan(viewport.camera, 300, -500));
    const { camera } = viewport;
    viewport.resize(HIDDEN, 0);
    viewport.resize(VIEW, 0);
    expect(viewport.camera).toEqual(camera);
  });

  test('of the reading stays so in a smaller window', () => {
    const viewport = opened(content);
    viewport.show(40, 0);
    viewport.resize({ width: 340, height: 420 }, 40);
    expect(isInView(viewport, content, 40)).toBe(true);
  });

  test('does not jump to the reading when the size changes', () => {
    const viewport = opened(content);
    const { camera } = viewport;
    viewport.resize({ width: 690, height: 700 }, 50);
    expect(viewport.camera).toEqual(camera);
  });

  test('is readable when a passage is shown from far away', () => {
    const viewport = opened(content);
    viewport.fit(0);
    expect(viewport.camera.scale * LABEL_SIZE).toBeLessThan(5);
    viewport.show(20, 0);
    expect(viewport.camera.scale * LABEL_SIZE).toBeGreaterThan(9);
    expect(isInView(viewport, content, 20)).toBe(true);
  });

  test('glides, and arrives', () => {
    const viewport = new Viewport(() => false);
    viewport.resize(VIEW, -1);
    viewport.setContent(content);
    viewport.show(30, 1000);
    viewport.advance(1100);
    expect(viewport.gliding).toBe(true);
    expect(isInView(viewport, content, 30)).toBe(false);
    viewport.advance(1300);
    expect(viewport.gliding).toBe(false);
    expect(isInView(viewport, content, 30)).toBe(true);
  });
});
