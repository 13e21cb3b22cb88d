export * from './tasks.mjs';
