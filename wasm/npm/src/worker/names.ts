import { QuillworkError } from '../errors.js';

/** The names of the functions in a set of tasks. Throws `ERR_INVALID_OPTION` where there is none. */
export function taskNames(tasks: object): string[] {
  const names = Object.keys(tasks ?? {}).filter((name) => typeof Reflect.get(tasks, name) === 'function');
  if (names.length === 0) {
    throw new QuillworkError('ERR_INVALID_OPTION', 'there is no task: pass an object with at least one function');
  }
  return names;
}
