import { MAX_DROPPED, type Core } from './abi.js';
import { millis, whole } from './checks.js';
import { QuillworkError } from './errors.js';
import type { Clock } from './pool/clock.js';

/** Settings of a cache. */
export interface CacheOptions {
  /** How many entries it keeps, 1 to 16,777,216. */
  readonly maxEntries: number;
  /** How long an entry lives from its last `set`. Default: for ever. */
  readonly ttlMs?: number;
}

/** What a cache has done since it was made. */
export interface CacheStats {
  readonly hits: number;
  readonly misses: number;
  readonly insertions: number;
  /** Entries that had to make room. */
  readonly evictions: number;
  /** Entries whose time was over. */
  readonly expirations: number;
  readonly entries: number;
}

/**
 * A bounded cache. The core decides what stays, by S3-FIFO: entries that were read again outlive those that were only once of use,
 * so one scan over everything doesn't empty it.
 */
export interface Cache<Key extends string, Value> {
  /** The value, counted as a hit or a miss. */
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
  /** Whether there is a value, without counting. */
  has(key: Key): boolean;
  /** Returns whether there was a value. */
  delete(key: Key): boolean;
  clear(): void;
  stats(): CacheStats;
}

/** A cache whose decisions come from the core. */
export class CoreCache<Key extends string, Value> implements Cache<Key, Value> {
  readonly #core: Core;
  readonly #clock: Clock;
  readonly #cache: number;
  readonly #entries = new Map<Key, { readonly id: number; value: Value }>();
  readonly #keys = new Map<number, Key>();

  constructor(core: Core, clock: Clock, { maxEntries, ttlMs }: CacheOptions) {
    this.#core = core;
    this.#clock = clock;
    const ttl = ttlMs === undefined ? Infinity : millis('ttlMs', ttlMs, 1);
    this.#cache = core.exports.cache_new(whole('maxEntries', maxEntries, 1, 1 << 24), ttl);
    if (this.#cache === 0) {
      throw new QuillworkError('ERR_INVALID_OPTION', core.text());
    }
  }

  get(key: Key): Value | undefined {
    const entry = this.#entries.get(key);
    const answer = this.#core.call((core) => core.cache_get(this.#cache, this.#clock.now(), entry?.id ?? NO_KEY));
    this.#drop(answer >>> 1);
    return (answer & 1) === 1 ? entry?.value : undefined;
  }

  set(key: Key, value: Value): void {
    const id = this.#entries.get(key)?.id ?? hash(key);
    this.#drop(this.#core.call((core) => core.cache_set(this.#cache, this.#clock.now(), id)) >>> 1);
    const other = this.#keys.get(id);
    if (other !== undefined && other !== key) {
      // Two keys with one hash: they share a place, and the newer has it.
      this.#entries.delete(other);
    }
    this.#keys.set(id, key);
    this.#entries.set(key, { id, value });
  }

  has(key: Key): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#core.call((core) => core.cache_has(this.#cache, this.#clock.now(), entry.id)) === 1;
  }

  delete(key: Key): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      return false;
    }
    const live = this.has(key);
    this.#core.call((core) => core.cache_remove(this.#cache, entry.id));
    this.#entries.delete(key);
    this.#keys.delete(entry.id);
    return live;
  }

  clear(): void {
    this.#core.call((core) => core.cache_clear(this.#cache));
    this.#entries.clear();
    this.#keys.clear();
  }

  stats(): CacheStats {
    this.#drop(this.#core.call((core) => core.cache_drain(this.#cache, this.#clock.now())) >>> 1);
    this.#core.call((core) => core.cache_stats(this.#cache));
    const [hits = 0, misses = 0, insertions = 0, evictions = 0, expirations = 0, entries = 0] = this.#core.floats;
    return { hits, misses, insertions, evictions, expirations, entries };
  }

  /** Lets go of the values that the core dropped in the last call. */
  #drop(count: number): void {
    for (let at = 0; at < count; at += 1) {
      const id = this.#core.floats[at] ?? NO_KEY;
      const key = this.#keys.get(id);
      if (key !== undefined) {
        this.#keys.delete(id);
        this.#entries.delete(key);
      }
    }
    if (count === MAX_DROPPED) {
      this.#drop(this.#core.call((core) => core.cache_drain(this.#cache, this.#clock.now())) >>> 1);
    }
  }
}

/** No key has this hash. */
const NO_KEY = 2 ** 53 - 1;

/**
 * 52 bits of a string: the core recognises keys that it dropped a while ago, so a key must have the same number each time.
 * Two lanes of multiply and rotate with the finaliser of MurmurHash3 (Appleby).
 */
function hash(key: string): number {
  let low = 0x9e3779b9;
  let high = 0x85ebca6b;
  for (let at = 0; at < key.length; at += 1) {
    const unit = key.charCodeAt(at);
    low = Math.imul(low ^ unit, 0xcc9e2d51);
    low = (low << 15) | (low >>> 17);
    high = Math.imul(high ^ unit, 0x1b873593);
    high = (high << 13) | (high >>> 19);
  }
  return (finish(high ^ low) >>> 12) * 2 ** 32 + finish(low ^ key.length);
}

function finish(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
