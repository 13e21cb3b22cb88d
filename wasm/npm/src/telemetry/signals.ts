/**
 * What a page tells beside its numbers of every second: the TypeScript of `protocol/src/signals.rs`. A page leaves out what it has none
 * of.
 */

/** Frames that took 50 ms and more to come about (Long Animation Frames API). */
export interface LongAnimationFrames {
  readonly count: number;
  readonly totalMillis: number;
  /** The time of them in which input would have had to wait. */
  readonly blockingMillis: number;
  readonly maxMillis: number;
  /** What ran for longest in them, the longest first, at most 5. */
  readonly scripts: readonly SlowScript[];
}

/** A script that ran in a long animation frame. */
export interface SlowScript {
  /** Its address without query and fragment; empty where the browser doesn't tell. */
  readonly source: string;
  /** The function that was entered; empty where it has no name. */
  readonly function: string;
  /** What made it run, for instance `BUTTON.onclick` or `TimerHandler:setTimeout`. */
  readonly invoker: string;
  /** Where in the file the function stands, in characters. */
  readonly position: number | null;
  readonly durationMillis: number;
  /** The time of that in which it forced style and layout. */
  readonly layoutMillis: number;
}

/** A Core Web Vital, or one of the two that explain them, as it is now. */
export interface WebVital {
  readonly name: 'CLS' | 'FCP' | 'INP' | 'LCP' | 'TTFB';
  /** Milliseconds; for `CLS` a score. */
  readonly value: number;
  readonly rating: 'good' | 'needs-improvement' | 'poor';
}

/** Errors that nobody caught, and those that the app reported. */
export interface PageErrors {
  readonly errors: number;
  /** Promises that were rejected. */
  readonly rejections: number;
  /** What they were, each once, at most 10. */
  readonly records: readonly ErrorRecord[];
}

/** An error, and how often it came. */
export interface ErrorRecord {
  readonly kind: 'uncaught' | 'rejection' | 'reported';
  /** Its class. */
  readonly name: string;
  readonly count: number;
  /** File name of the script, without its path. */
  readonly script: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** Only with the consent `errors: 'full'`. */
  readonly message: string | null;
  /** Only with the consent `errors: 'full'`. */
  readonly stack: string | null;
}

/** Names and values that tell one series of a metric from another. */
export type Tags = Readonly<Record<string, string>>;

/** A metric of the app's own. */
export type CustomMetric = {
  readonly name: string;
  readonly unit?: string;
  readonly tags?: Tags;
} & (
  | { readonly kind: 'counter' | 'gauge'; readonly value: number }
  | { readonly kind: 'histogram'; readonly sketch: MetricSketch }
);

/** Values as a mergeable sketch (DDSketch), in the metric's unit. */
export interface MetricSketch {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly relativeAccuracy: number;
  readonly zeros: number;
  /** Pairs of bucket index and count, ascending. */
  readonly buckets: readonly (readonly [index: number, count: number])[];
}

/** Something that the app did, from its start to its end. */
export interface SpanRecord {
  readonly id: string;
  /** The span that it is a part of. */
  readonly parent: string | null;
  readonly name: string;
  readonly startUnixMillis: number;
  readonly durationMillis: number;
  /** Whether it ended without an error. */
  readonly ok: boolean;
  readonly tags?: Tags;
}

/** What was observed and not sent, because there was more of it than may be. */
export interface Dropped {
  readonly metrics: number;
  readonly spans: number;
  /** Records; the errors are counted all the same. */
  readonly errors: number;
  /** Run times of task types. */
  readonly taskTypes: number;
}
