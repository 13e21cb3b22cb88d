/** What `apps/use.js` gives where everything works. */
export const RESULT = {
  words: 4,
  lengths: [1, 2, 3],
  inWorker: true,
  failures: ['down', 'down', 'ERR_CIRCUIT_OPEN'],
  heard: 'last',
  chosen: 'free',
};
