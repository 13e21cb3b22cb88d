import { known, shown } from '../checks.js';
import { QuillworkError } from '../errors.js';
import { checkedName, plainTags, type MetricOptions } from './metric-book.js';
import { randomId } from './random-id.js';
import type { SpanRecord } from './signals.js';

/** Settings of a span. */
export interface SpanOptions {
  /** The span that it is a part of. Default: the one whose function is being called just now, if any. */
  readonly parent?: Span;
  /** As {@link MetricOptions.tags}. */
  readonly tags?: MetricOptions['tags'];
}

/** Something that the app does, from its start until it is ended. */
export interface Span {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** Ends it, once; `ok` says whether it did what it should. Default `true`. */
  end(ok?: boolean): void;
}

/** Spans that have ended, a bounded number of them. */
export class SpanBook {
  #ended: SpanRecord[] = [];
  #dropped = 0;
  /** The span whose function is being called. */
  #current: Span | undefined;

  /** Starts a span. In DevTools it is a measure of the User Timing API. */
  start(name: string, options: SpanOptions = {}): Span {
    checkedName(name);
    const tags = plainTags(known(`span "${name}"`, options, 'parent tags').tags);
    const parent = (options.parent ?? this.#current)?.id ?? null;
    const id = randomId().slice(0, 16);
    const startedAt = performance.now();
    const startUnixMillis = Date.now();
    let open = true;
    return {
      id,
      end: (ok = true) => {
        if (!open) {
          return;
        }
        open = false;
        const durationMillis = Math.min(LONGEST_MS, Math.max(0, performance.now() - startedAt));
        this.#add({ id, parent, name, startUnixMillis, durationMillis, ok, ...(tags === undefined ? {} : { tags }) });
        showMeasure(name, startedAt, durationMillis, { id, parent, ok });
      },
    };
  }

  /** Calls a function within a span, which ends with it, or with the promise that it returns. */
  run<Result>(name: string, call: (span: Span) => Result, options?: SpanOptions): Result {
    if (typeof call !== 'function') {
      throw new QuillworkError('ERR_INVALID_OPTION', `span "${String(name)}" is around a function, not ${shown(call)}: \`startSpan\` begins one that is ended by hand`);
    }
    const span = this.start(name, options);
    const outer = this.#current;
    this.#current = span;
    let result: Result;
    try {
      result = call(span);
    } catch (thrown) {
      span.end(false);
      throw thrown;
    } finally {
      this.#current = outer;
    }
    if (isPromise(result)) {
      result.then(
        () => span.end(),
        () => span.end(false),
      );
    } else {
      span.end();
    }
    return result;
  }

  /** The spans that ended since this was last called. */
  take(): SpanRecord[] {
    const taken = this.#ended;
    this.#ended = [];
    return taken;
  }

  /** Spans that had no place since this was last called. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  #add(record: SpanRecord): void {
    if (this.#ended.length < MOST_SPANS) {
      this.#ended.push(record);
    } else {
      this.#dropped += 1;
    }
  }
}

/** For DevTools and whoever observes measures. The browser would keep each for ever. */
function showMeasure(name: string, start: number, duration: number, detail: object): void {
  try {
    const measure = `quillwork: ${name}`;
    performance.measure(measure, { start, duration, detail });
    performance.clearMeasures(measure);
  } catch {
    // A page that replaced the API has its own idea of it.
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

const MOST_SPANS = 50;
/** A host takes no longer ones. */
const LONGEST_MS = 86_400_000;
