import { abortSignal, known, millis, object, optionalFunction, shown, whole } from '../checks.js';
import { QuillworkError } from '../errors.js';

export { abortSignal, known, millis, object, optionalFunction, shown, whole };

/** What stands before the verb where the options of one call are no object. */
export const OF_CALL = 'the options of a call are';

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
