import { QuillworkError } from '../errors.js';
import { abortSignal, millis, object, optionalFunction, shown, whole } from '../runtime/options.js';

export { abortSignal, millis, object, optionalFunction, shown, whole };

/** A number above `least` and at most `most`, or `ERR_INVALID_OPTION`. */
export function share(name: string, value: number, most = 1): number {
  if (!(typeof value === 'number' && value > 0 && value <= most)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is above 0 and at most ${most}, not ${shown(value)}`);
  }
  return value;
}

/** A flag that a setting follows or doesn't, as `flow.wasm` reads it. */
export function optional<Value>(value: Value | undefined, write: (value: Value) => readonly number[]): readonly number[] {
  return value === undefined ? [0] : [1, ...write(value)];
}
