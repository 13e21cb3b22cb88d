// What the files in protocol/fixtures are made of.

export const page = { id: '0123456789abcdef0123456789abcdef', name: 'Story app' };

export const visibleSample = {
  atUnixMillis: 1_760_000_000_250,
  intervalMillis: 1_000.5,
  visible: true,
  framesPerSecond: 59.5,
  displayHertz: 60,
  droppedFrameRatio: 0.0083,
  longTasks: { count: 2, totalMillis: 130.5, maxMillis: 78 },
  heapUsedBytes: 12_345_678,
  heapLimitBytes: 4_294_705_152,
  wasmBytes: 1_179_648,
  pool: {
    workers: 3,
    busy: 1,
    queued: 4,
    utilisationRatio: 0.625,
    completed: 17,
    failed: 1,
    aborted: 2,
    timedOut: 1,
    crashed: 1,
    refused: 3,
    redelivered: 2,
    workersLost: 1,
  },
  cache: { hits: 40, misses: 8, evictions: 5, entries: 100 },
  response: {
    count: 20,
    sumMillis: 345.5,
    minMillis: 0,
    maxMillis: 120,
    relativeAccuracy: 0.01,
    zeros: 1,
    buckets: [
      [-12, 3],
      [115, 10],
      [240, 6],
    ],
  },
};

export const hiddenSample = {
  ...visibleSample,
  atUnixMillis: 1_760_000_001_250,
  visible: false,
  framesPerSecond: null,
  displayHertz: null,
  droppedFrameRatio: null,
  longTasks: null,
  heapUsedBytes: null,
  heapLimitBytes: null,
  pool: { ...visibleSample.pool, workers: 0, busy: 0, utilisationRatio: null },
  response: null,
};
