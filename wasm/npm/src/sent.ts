import { describe, QuillworkError, UNREADABLE, type QuillworkErrorCode } from './errors.js';

/**
 * Something thrown, in a form that survives the way between threads. `structuredClone` alone keeps neither own fields nor the
 * classes of errors, and throws on what it can't clone. Errors that refer to each other, even in rings, do so as one object each.
 */
export type Sent = { readonly value: unknown } | SentError;

interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** A `DOMException`, whose class JavaScript can't tell from its name. */
  readonly dom: boolean;
  cause?: Sent;
  errors?: readonly Sent[];
  readonly fields: Record<string, Sent>;
}

/** Causes deeper than this are described, not sent. */
const MAX_DEPTH = 50;

/** A map, since an error may call itself `constructor`. */
const NATIVE_ERRORS: ReadonlyMap<string, ErrorConstructor> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((native) => [native.name, native]),
);

/** Makes anything thrown sendable. Never throws itself. */
export function toSent(thrown: unknown): Sent {
  return send(thrown, 0, new Map());
}

/** The counterpart of {@link toSent}. */
export function fromSent(sent: Sent): unknown {
  return receive(sent, new Map());
}

function send(thrown: unknown, depth: number, known: Map<Error, Sent>): Sent {
  try {
    if (!isError(thrown)) {
      return { value: snapshot(thrown) };
    }
    return known.get(thrown) ?? (depth < MAX_DEPTH ? sendError(thrown, depth, known) : { value: describe(thrown) });
  } catch {
    // A getter, a proxy or a toString of the app's threw.
    return sendError(new Error(UNREADABLE), depth, known);
  }
}

function sendError(error: Error, depth: number, known: Map<Error, Sent>): SentError {
  const sent: SentError = {
    name: String(error.name),
    message: String(error.message),
    dom: isDomException(error),
    stack: typeof error.stack === 'string' ? error.stack : undefined,
    fields: Object.create(null) as Record<string, Sent>,
  };
  known.set(error, sent);
  if ('cause' in error && error.cause !== undefined) {
    sent.cause = send(error.cause, depth + 1, known);
  }
  const errors: unknown = Reflect.get(error, 'errors');
  if (Array.isArray(errors)) {
    sent.errors = errors.map((inner) => send(inner, depth + 1, known));
  }
  for (const key of Object.keys(error)) {
    if (key !== 'name' && key !== 'message' && key !== 'stack' && key !== 'cause' && key !== 'errors') {
      sent.fields[key] = send(Reflect.get(error, key), depth + 1, known);
    }
  }
  return sent;
}

function receive(sent: Sent, known: Map<Sent, Error>): unknown {
  if ('value' in sent) {
    return sent.value;
  }
  const there = known.get(sent);
  if (there !== undefined) {
    return there;
  }
  const error = construct(sent);
  known.set(sent, error);
  if (error.name !== sent.name) {
    define(error, 'name', sent.name);
  }
  if (sent.stack !== undefined) {
    define(error, 'stack', sent.stack);
  }
  if (sent.cause !== undefined) {
    define(error, 'cause', receive(sent.cause, known));
  }
  if (sent.errors !== undefined) {
    define(error, 'errors', sent.errors.map((inner) => receive(inner, known)));
  }
  for (const [key, field] of Object.entries(sent.fields)) {
    if (!(error instanceof QuillworkError && key === 'code')) {
      Object.defineProperty(error, key, { value: receive(field, known), configurable: true, enumerable: true, writable: true });
    }
  }
  return error;
}

function construct({ name, message, dom, errors, fields }: SentError): Error {
  if (errors !== undefined) {
    return new AggregateError([], message);
  }
  if (name === 'QuillworkError') {
    const code = fields['code'];
    return new QuillworkError(
      (code !== undefined && 'value' in code ? code.value : 'ERR_INTERNAL') as QuillworkErrorCode,
      message,
    );
  }
  if (dom && typeof DOMException === 'function') {
    return new DOMException(message, name);
  }
  return new (NATIVE_ERRORS.get(name) ?? Error)(message);
}

function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || isDomException(thrown);
}

function isDomException(thrown: unknown): boolean {
  return typeof DOMException === 'function' && thrown instanceof DOMException;
}

/** The value as it is now, or as text where it can't be cloned: what is sent must be no getter's second answer. */
function snapshot(value: unknown): unknown {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')) {
    return value;
  }
  try {
    return structuredClone(value);
  } catch {
    return String(value);
  }
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, enumerable: false, writable: true });
}
