/** The built-in strategies, in core's order. What each chooses is written at its class, for instance {@link LeastLoadedStrategy}. */
export const STRATEGY_NAMES = [
  'round-robin',
  'least-loaded',
  'capability-based',
  'performance-based',
  'best-score',
  'random',
  'power-of-two',
  'peak-ewma',
  'shortest-expected-delay',
  'consistent-hash',
  'adaptive',
] as const;

/** The name of a built-in strategy. */
export type StrategyName = (typeof STRATEGY_NAMES)[number];

/** What `adaptive` mixes, in core's order. */
export const EXPERT_NAMES = [
  'shortest-expected-delay',
  'least-loaded',
  'peak-ewma',
  'performance-based',
  'capability-based',
] as const satisfies readonly StrategyName[];

/** The weights of `adaptive`'s strategies, which sum to 1. */
export type AdaptiveWeights = Readonly<Record<(typeof EXPERT_NAMES)[number], number>>;
