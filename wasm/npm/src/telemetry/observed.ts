import { shown } from '../checks.js';
import { QuillworkError } from '../errors.js';
import { checkedName, type MetricBook } from './metric-book.js';

/** Numbers by name, in objects within objects; what isn't a number is not looked at. */
export interface Readings {
  readonly [key: string]: unknown;
}

/** A function that reads an object of the app's and sets a gauge for each number in it. */
export function observeAll(metrics: MetricBook, name: string, read: () => Readings): () => void {
  checkedName(name);
  if (typeof read !== 'function') {
    throw new QuillworkError('ERR_INVALID_OPTION', `what is observed as "${name}" is read by a function, not ${shown(read)}`);
  }
  return () => setAll(metrics, name, read(), 0);
}

function setAll(metrics: MetricBook, path: string, readings: object, depth: number): void {
  for (const [key, value] of Object.entries(readings)) {
    const name = `${path}.${key}`;
    if (typeof value === 'number' && Number.isFinite(value)) {
      metrics.gauge(name).set(value);
    } else if (typeof value === 'boolean') {
      metrics.gauge(name).set(value ? 1 : 0);
    } else if (typeof value === 'object' && value !== null && depth < DEEPEST) {
      setAll(metrics, name, value, depth + 1);
    }
  }
}

const DEEPEST = 3;
