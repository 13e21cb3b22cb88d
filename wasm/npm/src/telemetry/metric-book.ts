import { known, shown } from '../checks.js';
import { QuillworkError } from '../errors.js';
import { plain } from './redact.js';
import { Sketch } from './sketch.js';
import type { CustomMetric, Tags } from './signals.js';

/** Settings of a metric. */
export interface MetricOptions {
  /** What its values count, for instance `ms`, `bytes`; at most 16 characters. */
  readonly unit?: string;
  /** What tells one series from another of the same name: at most 8, names of at most 40 characters, values cut to 80. */
  readonly tags?: Readonly<Record<string, string | number | boolean>>;
}

/** Only grows; a host hears by how much in each interval. */
export interface Counter {
  /** Adds a number of zero or more. Default 1. */
  add(by?: number): void;
}

/** What something is now; a host hears the last value of each interval in which it was set. */
export interface Gauge {
  set(value: number): void;
}

/** How values are spread: any quantile of them, within one per cent. */
export interface Histogram {
  /** Counts a value of zero or more. */
  record(value: number): void;
}

/** One series of a metric. */
interface Series {
  readonly kind: CustomMetric['kind'];
  readonly name: string;
  readonly unit: string;
  readonly tags: Tags | undefined;
  /** A counter's growth, a gauge's value. `undefined`: nothing in this interval. */
  value: number | undefined;
  sketch: Sketch | undefined;
}

/** The metrics of the app's own, a bounded number of them. */
export class MetricBook {
  readonly #series = new Map<string, Series>();
  #dropped = 0;
  #warned = false;

  /** A counter of this name and these tags; asked for again it is the same. */
  counter(name: string, options: MetricOptions = {}): Counter {
    const series = this.#find('counter', name, options);
    return {
      add: (by = 1) => {
        const growth = amount(name, by);
        this.#write(series, (written) => {
          written.value = Math.min(Number.MAX_VALUE, (written.value ?? 0) + growth);
        });
      },
    };
  }

  gauge(name: string, options: MetricOptions = {}): Gauge {
    const series = this.#find('gauge', name, options);
    return {
      set: (value) => {
        if (!Number.isFinite(value)) {
          throw new QuillworkError('ERR_INVALID_OPTION', `gauge "${name}" is set to a finite number, not ${String(value)}`);
        }
        this.#write(series, (written) => {
          written.value = value;
        });
      },
    };
  }

  histogram(name: string, options: MetricOptions = {}): Histogram {
    const series = this.#find('histogram', name, options);
    return {
      record: (value) => {
        const recorded = amount(name, value);
        this.#write(series, (written) => {
          written.sketch ??= new Sketch();
          written.sketch.record(recorded);
        });
      },
    };
  }

  /** What has a value since this was last called. */
  take(): CustomMetric[] {
    const taken: CustomMetric[] = [];
    for (const series of this.#series.values()) {
      const { kind, name, unit, tags, value, sketch } = series;
      series.value = undefined;
      series.sketch = undefined;
      const named = { name, ...(unit === '' ? {} : { unit }), ...(tags === undefined ? {} : { tags }) };
      if (kind === 'histogram') {
        if (sketch !== undefined) {
          taken.push({ ...named, kind, sketch: sketch.read() });
        }
      } else if (value !== undefined) {
        taken.push({ ...named, kind, value });
      }
    }
    return taken;
  }

  /** Values that had no place since this was last called. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** `undefined` where there are as many series as may be. */
  #find(kind: CustomMetric['kind'], name: string, options: MetricOptions): Series | undefined {
    const tags = plainTags(known(`${kind} "${String(name)}"`, options, 'unit tags').tags);
    const unit = options.unit ?? '';
    if (unit.length > LONGEST_UNIT) {
      throw new QuillworkError('ERR_INVALID_OPTION', `\`unit\` of "${name}" is at most ${LONGEST_UNIT} characters, not "${unit}"`);
    }
    const key = `${checkedName(name)}\n${JSON.stringify(tags ?? {})}`;
    const before = this.#series.get(key);
    if (before !== undefined) {
      if (before.kind !== kind) {
        throw new QuillworkError('ERR_INVALID_OPTION', `metric "${name}" is a ${before.kind} already: call the ${kind} something else`);
      }
      return before;
    }
    if (this.#series.size >= MOST_SERIES) {
      return undefined;
    }
    const made = { kind, name, unit, tags, value: undefined, sketch: undefined };
    this.#series.set(key, made);
    return made;
  }

  #write(series: Series | undefined, change: (series: Series) => void): void {
    if (series !== undefined) {
      change(series);
      return;
    }
    this.#dropped += 1;
    if (!this.#warned) {
      this.#warned = true;
      console.warn(`quillwork: there are ${MOST_SERIES} metrics by name and tags; values of further ones are dropped. Use fewer tags.`);
    }
  }
}

/** A name that a host takes, or `ERR_INVALID_OPTION`. */
export function checkedName(name: string): string {
  if (typeof name !== 'string' || !/^[A-Za-z][\w.:/-]{0,79}$/.test(name)) {
    throw new QuillworkError(
      'ERR_INVALID_OPTION',
      `a metric or span is named by a letter and then letters, digits and _ . : / -, at most 80 characters, not ${shown(name)}`,
    );
  }
  return name;
}

/** Tags as a host takes them, in the order of their names; `undefined` where there are none. Throws `ERR_INVALID_OPTION`. */
export function plainTags(tags: MetricOptions['tags']): Tags | undefined {
  const entries = Object.entries(tags ?? {}).sort(([left], [right]) => (left < right ? -1 : 1));
  if (entries.length === 0) {
    return undefined;
  }
  if (entries.length > MOST_TAGS || entries.some(([name]) => !/^[\w.-]{1,40}$/.test(name))) {
    throw new QuillworkError(
      'ERR_INVALID_OPTION',
      `\`tags\` are at most ${MOST_TAGS}, named by letters, digits and _ . -, at most 40 characters each`,
    );
  }
  return Object.fromEntries(entries.map(([name, value]) => [name, plain(String(value), LONGEST_VALUE)]));
}

function amount(name: string, value: number): number {
  if (!(Number.isFinite(value) && value >= 0)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `"${name}" counts finite numbers of zero or more, not ${String(value)}`);
  }
  return value;
}

const MOST_SERIES = 100;
const MOST_TAGS = 8;
const LONGEST_VALUE = 80;
const LONGEST_UNIT = 16;
