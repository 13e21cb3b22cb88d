/** @internal What is built into a file of its own: bundlers leave whole files out, and so an app that asks for nothing else gets nothing else. */
export * from './detect.js';
export * from './generate.js';
export * from './types.js';
