/** What is needed of a `GPUDevice`; the types of WebGPU are not there everywhere. */
export interface TimedDevice<QuerySet> {
  readonly features: { has(name: string): boolean };
  createQuerySet(descriptor: { type: 'timestamp'; count: number }): QuerySet;
  createBuffer(descriptor: { size: number; usage: number }): TimedBuffer;
}

/** What is needed of a `GPUBuffer`. */
export interface TimedBuffer {
  mapAsync(mode: number, offset: number, size: number): Promise<unknown>;
  getMappedRange(offset: number, size: number): ArrayBuffer;
  unmap(): void;
}

/** What is needed of a `GPUCommandEncoder`. */
export interface TimedEncoder<QuerySet> {
  resolveQuerySet(querySet: QuerySet, first: number, count: number, to: TimedBuffer, offset: number): void;
  copyBufferToBuffer(from: TimedBuffer, fromOffset: number, to: TimedBuffer, toOffset: number, size: number): void;
}

/** Measures passes on the GPU by its own clock. One for each device. */
export interface GpuTimer<QuerySet> {
  /**
   * For the descriptor of a pass: `encoder.beginComputePass({ ...timer.next() })`. Empty where as many passes as may be are still being read:
   * that pass isn't measured.
   */
  next(): {
    readonly timestampWrites?: { querySet: QuerySet; beginningOfPassWriteIndex: number; endOfPassWriteIndex: number };
  };
  /** Before `encoder.finish()`, after the passes that `next` was called for have ended. */
  resolve(encoder: TimedEncoder<QuerySet>): void;
  /** After `queue.submit()`. The time is known a little later; nothing waits for it. */
  read(): void;
}

/** Makes a timer; `undefined` where the device was made without the feature `timestamp-query`. */
export function gpuTimer<QuerySet>(device: TimedDevice<QuerySet>, add: (millis: number) => void): GpuTimer<QuerySet> | undefined {
  return device.features.has('timestamp-query') ? new QueryTimer(device, add) : undefined;
}

/** A pair of queries for each pass of one submission, and buffers that are read back one submission later. */
class QueryTimer<QuerySet> implements GpuTimer<QuerySet> {
  readonly #add: (millis: number) => void;
  readonly #queries: QuerySet;
  readonly #resolved: TimedBuffer;
  readonly #readable: TimedBuffer;
  #passes = 0;
  #resolvedPasses = 0;
  #reading = false;

  constructor(device: TimedDevice<QuerySet>, add: (millis: number) => void) {
    this.#add = add;
    this.#queries = device.createQuerySet({ type: 'timestamp', count: 2 * MOST_PASSES });
    const size = 2 * MOST_PASSES * STAMP_BYTES;
    this.#resolved = device.createBuffer({ size, usage: QUERY_RESOLVE | COPY_SRC });
    this.#readable = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
  }

  next(): ReturnType<GpuTimer<QuerySet>['next']> {
    if (this.#reading || this.#resolvedPasses > 0 || this.#passes >= MOST_PASSES) {
      return {};
    }
    const at = 2 * this.#passes;
    this.#passes += 1;
    return {
      timestampWrites: { querySet: this.#queries, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
    };
  }

  resolve(encoder: TimedEncoder<QuerySet>): void {
    if (this.#passes > 0 && !this.#reading) {
      encoder.resolveQuerySet(this.#queries, 0, 2 * this.#passes, this.#resolved, 0);
      encoder.copyBufferToBuffer(this.#resolved, 0, this.#readable, 0, 2 * this.#passes * STAMP_BYTES);
      this.#resolvedPasses = this.#passes;
      this.#passes = 0;
    }
  }

  read(): void {
    const passes = this.#resolvedPasses;
    if (passes === 0 || this.#reading) {
      return;
    }
    this.#reading = true;
    this.#readable.mapAsync(MAP_MODE_READ, 0, 2 * passes * STAMP_BYTES).then(
      () => {
        const stamps = new BigUint64Array(this.#readable.getMappedRange(0, 2 * passes * STAMP_BYTES).slice(0));
        this.#readable.unmap();
        for (let pass = 0; pass < passes; pass += 1) {
          const took = (stamps[2 * pass + 1] ?? 0n) - (stamps[2 * pass] ?? 0n);
          // Clocks of GPUs are set back now and then.
          if (took >= 0n) {
            this.#add(Number(took) / 1e6);
          }
        }
        this.#done();
      },
      // The device is lost: there is nothing to read.
      () => this.#done(),
    );
  }

  #done(): void {
    this.#resolvedPasses = 0;
    this.#reading = false;
  }
}

const MOST_PASSES = 32;
const STAMP_BYTES = 8;
// As in the WebGPU standard; the names are not there in workers of every engine.
const MAP_READ = 0x01;
const COPY_SRC = 0x04;
const COPY_DST = 0x08;
const QUERY_RESOLVE = 0x200;
const MAP_MODE_READ = 0x01;
