/** @internal What is built into a file of its own: bundlers leave whole files out, and so an app that balances gets no pool. */
export * from './load-balancer.js';
export * from './registry.js';
export * from './strategies.js';
