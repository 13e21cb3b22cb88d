import { QuillworkError } from '../errors.js';
import { millis, whole } from '../runtime/options.js';

export { millis, whole };

/** A number above `least` and at most `most`, or `ERR_INVALID_OPTION`. */
export function share(name: string, value: number, most = 1): number {
  if (!(typeof value === 'number' && value > 0 && value <= most)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is above 0 and at most ${most}, not ${String(value)}`);
  }
  return value;
}

/** A flag that a setting follows or doesn't, as `flow.wasm` reads it. */
export function optional<Value>(value: Value | undefined, write: (value: Value) => readonly number[]): readonly number[] {
  return value === undefined ? [0] : [1, ...write(value)];
}

/** A function, `undefined`, or `ERR_INVALID_OPTION`. */
export function optionalFunction<Kind>(name: string, value: Kind | undefined): Kind | undefined {
  if (value !== undefined && typeof value !== 'function') {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is a function, not ${String(value)}`);
  }
  return value;
}
