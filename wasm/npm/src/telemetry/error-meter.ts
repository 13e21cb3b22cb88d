import type { Cost } from './cost.js';
import { plainText, scriptName } from './redact.js';
import type { ErrorRecord, PageErrors } from './signals.js';

interface Place {
  readonly script: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

/**
 * Errors that nobody caught. Without consent it keeps their class and where they came from; what they say may name a person.
 */
export class ErrorMeter {
  readonly #cost: Cost;
  /** Whether messages and stacks may be kept. */
  #full: boolean;
  #listening = false;
  #errors = 0;
  #rejections = 0;
  #dropped = 0;
  readonly #records = new Map<string, ErrorRecord>();
  readonly #onError = (event: { error?: unknown; filename?: string; lineno?: number; colno?: number; message?: string }): void =>
    this.#cost.measure(() => {
      const at = { script: scriptName(event.filename), line: place(event.lineno), column: place(event.colno) };
      this.#see('uncaught', event.error ?? event.message, at);
    });
  readonly #onRejection = (event: { reason?: unknown }): void =>
    this.#cost.measure(() => this.#see('rejection', event.reason, undefined));

  constructor(cost: Cost, full: boolean) {
    this.#cost = cost;
    this.#full = full;
  }

  start(): void {
    if (!this.#listening) {
      this.#listening = true;
      globalThis.addEventListener?.('error', this.#onError as EventListener);
      globalThis.addEventListener?.('unhandledrejection', this.#onRejection as EventListener);
    }
  }

  stop(): void {
    this.#listening = false;
    globalThis.removeEventListener?.('error', this.#onError as EventListener);
    globalThis.removeEventListener?.('unhandledrejection', this.#onRejection as EventListener);
  }

  /** Whether messages and stacks may be kept from now on. Those that may not be any more are forgotten. */
  consent(full: boolean): void {
    this.#full = full;
    if (!full) {
      for (const [key, record] of this.#records) {
        this.#records.set(key, { ...record, message: null, stack: null });
      }
    }
  }

  /** Notes an error that the app caught. */
  report(error: unknown): void {
    this.#see('reported', error, undefined);
  }

  /** The errors since this was last called; `null` where there were none. */
  take(): PageErrors | null {
    if (this.#errors + this.#rejections === 0) {
      return null;
    }
    const taken = { errors: this.#errors, rejections: this.#rejections, records: [...this.#records.values()] };
    this.#errors = 0;
    this.#rejections = 0;
    this.#records.clear();
    return taken;
  }

  /** Records that had no place since this was last called. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  #see(kind: ErrorRecord['kind'], thrown: unknown, known: Place | undefined): void {
    if (kind === 'rejection') {
      this.#rejections += 1;
    } else {
      this.#errors += 1;
    }
    const { name, message, stack } = read(thrown);
    const at = known?.script != null ? known : placeIn(stack);
    const key = `${kind}\n${name}\n${at.script}\n${at.line}\n${at.column}`;
    const record = this.#records.get(key);
    if (record !== undefined) {
      this.#records.set(key, { ...record, count: record.count + 1 });
    } else if (this.#records.size < MOST_RECORDS) {
      this.#records.set(key, {
        kind,
        name,
        count: 1,
        ...at,
        message: this.#full ? plainText(message, LONGEST_MESSAGE) : null,
        stack: this.#full ? plainText(stack, LONGEST_STACK) : null,
      });
    } else {
      this.#dropped += 1;
    }
  }
}

/** What an error says of itself, whatever it is: its getters may throw. */
function read(thrown: unknown): { name: string; message: string; stack: string } {
  try {
    if (thrown instanceof Error || (typeof DOMException === 'function' && thrown instanceof DOMException)) {
      const name = /^[\w$.]{1,80}$/.test(thrown.name) ? thrown.name : 'Error';
      return { name, message: String(thrown.message), stack: String(thrown.stack ?? '').slice(0, LONGEST_STACK) };
    }
    return { name: typeof thrown, message: String(thrown), stack: '' };
  } catch {
    return { name: 'unknown', message: '', stack: '' };
  }
}

/** The place of the first line of a stack that has one: `at f (https://host/app.js?v=1:10:5)`, `f@https://host/app.js:10:5`. */
function placeIn(stack: string): Place {
  for (const line of stack.split('\n', 20)) {
    const found = /([^\s()@]{1,500}):(\d{1,9}):(\d{1,9})\)?$/.exec(line.trimEnd());
    if (found !== null) {
      return { script: scriptName(found[1]), line: place(Number(found[2])), column: place(Number(found[3])) };
    }
  }
  return { script: null, line: null, column: null };
}

function place(number: number | undefined): number | null {
  return number !== undefined && Number.isInteger(number) && number > 0 && number < 2 ** 31 ? number : null;
}

const MOST_RECORDS = 10;
const LONGEST_MESSAGE = 500;
/** Longer ones cost more to search than they tell. */
const LONGEST_STACK = 2_000;
