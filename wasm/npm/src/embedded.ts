import { describe, QuillworkError, trapPlace } from './errors.js';

/** The exports that each embedded module has; what they have in common is written in `wasm/abi/src/lib.rs`. */
export interface EmbeddedExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  floats_ptr(): number;
  floats_len(): number;
  floats_reserve(floats: number): void;
  text_ptr(): number;
  text_len(): number;
}

/** Floats of one output record. */
export const RECORD = 8;
/** Output records that one call gives out; where so many came, there may be more. */
export const MAX_RECORDS = 127;
/** Where an answer stands that goes with the records. */
export const BESIDE = 1 + MAX_RECORDS * RECORD;

/** One instance of an embedded module, and the view of the memory that settings are written to and answers read from. */
export class EmbeddedCore<Exports extends EmbeddedExports> {
  readonly exports: Exports;
  readonly #module: EmbeddedModule<Exports>;
  #floats: Float64Array;
  #fault: QuillworkError | undefined;
  readonly #unused = new FinalizationRegistry<() => void>((free) => free());

  constructor(module: EmbeddedModule<Exports>, compiled: object) {
    this.#module = module;
    // The module imports nothing: clocks, timers and functions stay on this side.
    this.exports = new WebAssembly.Instance(compiled as WebAssembly.Module, {}).exports as unknown as Exports;
    this.#floats = this.#view();
  }

  /** Settings on their way in, answers on their way out. A view goes stale when the memory grows; its length is zero then. */
  get floats(): Float64Array {
    if (this.#floats.length === 0) {
      this.#floats = this.#view();
    }
    return this.#floats;
  }

  /** The floats, at least so many. */
  reserve(floats: number): Float64Array {
    if (this.floats.length < floats) {
      this.call((core) => core.floats_reserve(floats));
      this.#floats = this.#view();
    }
    return this.#floats;
  }

  /** Makes a thing of settings, which the export reads from the floats. Throws `ERR_INVALID_OPTION` with what core says of them. */
  make(settings: readonly number[], make: (exports: Exports) => number): number {
    this.reserve(settings.length).set(settings);
    const handle = this.call(make);
    if (handle === 0) {
      throw new QuillworkError('ERR_INVALID_OPTION', this.#refusal());
    }
    return handle;
  }

  /**
   * Frees a thing when `holder` is collected, or when the function returned is called. `free` must not hold on to `holder`, nor be made
   * where another closure does: closures of one scope hold on to the same things.
   */
  freeWith(holder: object, free: (exports: Exports) => void): () => void {
    const release = (): void => {
      if (this.#fault === undefined) {
        free(this.exports);
      }
    };
    this.#unused.register(holder, release, release);
    return () => {
      this.#unused.unregister(release);
      release();
    };
  }

  /** The exports, for calls that come often; a trap is to be handed to {@link fault}. Throws `ERR_INTERNAL` where the instance's state is unknown. */
  get live(): Exports {
    if (this.#fault !== undefined) {
      throw this.#fault;
    }
    return this.exports;
  }

  /** Calls an export; a trap becomes `ERR_INTERNAL`, and so does every later call: the instance's state is unknown then. */
  call<Result>(run: (exports: Exports) => Result): Result {
    if (this.#fault !== undefined) {
      throw this.#fault;
    }
    try {
      return run(this.exports);
    } catch (thrown) {
      throw this.fault(thrown);
    }
  }

  /** What a trap means. The instance is of no more use; what is made from then on gets a new one. */
  fault(thrown: unknown): QuillworkError {
    this.#module.forget(this);
    this.#fault ??= new QuillworkError('ERR_INTERNAL', `${this.#module.name} failed ${trapPlace(thrown)}. Please report this`, {
      cause: thrown,
    });
    return this.#fault;
  }

  /** Core names settings as Rust does. */
  #refusal(): string {
    return this.text().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  }

  /** The text that the module has ready. */
  text(): string {
    const { memory, text_ptr, text_len } = this.exports;
    return new TextDecoder().decode(new Uint8Array(memory.buffer, text_ptr(), text_len()));
  }

  #view(): Float64Array {
    // The pointer first: asking for one may make the memory grow, which detaches the buffer.
    const at = this.exports.floats_ptr();
    return new Float64Array(this.exports.memory.buffer, at, this.exports.floats_len());
  }
}

/** A module that is part of the package's JavaScript. It is compiled when it is first asked for. */
export class EmbeddedModule<Exports extends EmbeddedExports> {
  readonly name: string;
  readonly #text: string;
  #compiled: WebAssembly.Module | undefined;
  #current: EmbeddedCore<Exports> | undefined;

  /** Its name, and its bytes as the build writes them, a character from 0 to 255 for each. */
  constructor(name: string, text: string) {
    this.name = name;
    this.#text = text;
  }

  /** The instance that everybody shares, made when it is first asked for. Throws `ERR_WASM_LOAD` where a page forbids WebAssembly. */
  core(): EmbeddedCore<Exports> {
    if (this.#current === undefined) {
      try {
        this.#compiled ??= new WebAssembly.Module(bytesOf(this.#text));
        this.#current = new EmbeddedCore(this, this.#compiled);
      } catch (thrown) {
        throw new QuillworkError(
          'ERR_WASM_LOAD',
          `could not start ${this.name} (${describe(thrown)}); a Content-Security-Policy must allow 'wasm-unsafe-eval'`,
          { cause: thrown },
        );
      }
    }
    return this.#current;
  }

  /** An instance of no more use: the next one that asks gets another. */
  forget(core: EmbeddedCore<Exports>): void {
    if (this.#current === core) {
      this.#current = undefined;
    }
  }
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) {
    // As scripts/build.mjs turned them over.
    bytes[at] = text.charCodeAt(at) ^ 0x7a;
  }
  return bytes;
}
