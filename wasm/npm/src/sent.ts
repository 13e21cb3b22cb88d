import { describe, QuillworkError, type QuillworkErrorCode } from './errors.js';

/**
 * Something thrown, in a form that survives the way between threads. `structuredClone` alone keeps neither own fields nor the
 * classes of errors, and throws on what it can't clone.
 */
export type Sent =
  | { readonly value: unknown }
  | {
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      /** A `DOMException`, whose class JavaScript can't tell from its name. */
      readonly dom: boolean;
      readonly cause?: Sent;
      readonly errors?: readonly Sent[];
      readonly fields: Readonly<Record<string, Sent>>;
    };

/** Causes deeper than this are described, not sent: a chain may be a ring. */
const MAX_DEPTH = 8;

const NATIVE_ERRORS: Readonly<Record<string, ErrorConstructor>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Makes anything thrown sendable. Never throws itself. */
export function toSent(thrown: unknown, depth = 0): Sent {
  try {
    if (isError(thrown)) {
      return depth < MAX_DEPTH ? errorToSent(thrown, depth) : { value: describe(thrown) };
    }
    return { value: cloneable(thrown) ? thrown : String(thrown) };
  } catch {
    // A getter, a proxy or a toString of the app's threw.
    return { value: 'an error that could not be read' };
  }
}

/** The counterpart of {@link toSent}. */
export function fromSent(sent: Sent): unknown {
  if ('value' in sent) {
    return sent.value;
  }
  const error = construct(sent);
  if (error.name !== sent.name) {
    define(error, 'name', sent.name);
  }
  if (sent.stack !== undefined) {
    define(error, 'stack', sent.stack);
  }
  if (sent.cause !== undefined) {
    define(error, 'cause', fromSent(sent.cause));
  }
  for (const [key, field] of Object.entries(sent.fields)) {
    if (!(error instanceof QuillworkError && key === 'code')) {
      Object.defineProperty(error, key, { value: fromSent(field), configurable: true, enumerable: true, writable: true });
    }
  }
  return error;
}

function errorToSent(error: Error, depth: number): Sent {
  const fields: Record<string, Sent> = Object.create(null) as Record<string, Sent>;
  for (const key of Object.keys(error)) {
    if (key !== 'name' && key !== 'message' && key !== 'stack' && key !== 'cause' && key !== 'errors') {
      fields[key] = toSent(Reflect.get(error, key), depth + 1);
    }
  }
  const errors: unknown = Reflect.get(error, 'errors');
  return {
    name: String(error.name),
    message: String(error.message),
    dom: isDomException(error),
    stack: typeof error.stack === 'string' ? error.stack : undefined,
    ...('cause' in error && error.cause !== undefined ? { cause: toSent(error.cause, depth + 1) } : undefined),
    ...(Array.isArray(errors) ? { errors: errors.map((inner) => toSent(inner, depth + 1)) } : undefined),
    fields,
  };
}

function construct({ name, message, dom, errors, fields }: Exclude<Sent, { readonly value: unknown }>): Error {
  if (errors !== undefined) {
    return new AggregateError(errors.map(fromSent), message);
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
  return new (NATIVE_ERRORS[name] ?? Error)(message);
}

function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || isDomException(thrown);
}

function isDomException(thrown: unknown): boolean {
  return typeof DOMException === 'function' && thrown instanceof DOMException;
}

function cloneable(value: unknown): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')) {
    return true;
  }
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, enumerable: false, writable: true });
}
