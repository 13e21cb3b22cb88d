import type { Core } from '../abi.js';
import { QuillworkError } from '../errors.js';

/** How a runtime records what happens to its pool. */
export interface RecordOptions {
  /** The largest log, 1,024 bytes to 1 GiB: what comes later is not in it. A task takes about 15 bytes. Default 16 MiB. */
  readonly maxBytes?: number;
}

/**
 * What happened to a pool: when tasks were submitted, workers answered and were lost, with their numbers, and no payloads or names. Replayed in
 * Rust (`quillwork_core::pool::recording`) it leads to the same decisions.
 */
export interface Recording {
  /** The log up to now. */
  readonly log: Uint8Array<ArrayBuffer>;
  /** How many inputs are in it. */
  readonly inputs: number;
  /** A digest of everything that was decided, 16 hexadecimal digits: a replay that gives the same decided the same. */
  readonly decisions: string;
  /** Whether nothing is missing: the log has not reached its largest size. */
  readonly complete: boolean;
}

/** Reads a pool's recording. Throws `ERR_INVALID_OPTION` where nothing is recorded. */
export function readRecording(core: Core, pool: number): Recording {
  const bytes = core.isFull ? core.call(({ pool_recording }) => pool_recording(pool)) : 0;
  if (bytes === 0) {
    throw new QuillworkError('ERR_INVALID_OPTION', 'nothing was recorded: make the runtime with `record: true`');
  }
  const [inputs = 0, upper = 0, lower = 0, full = 0] = core.floats;
  const at = core.call(({ pool_log_ptr }) => pool_log_ptr());
  return {
    log: new Uint8Array(core.exports.memory.buffer, at, bytes).slice(),
    inputs,
    decisions: [upper, lower].map((half) => half.toString(16).padStart(8, '0')).join(''),
    complete: full === 0,
  };
}
