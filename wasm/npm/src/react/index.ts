/**
 * React hooks. Strict mode, server-side rendering and unmounting in mid-task are safe.
 *
 * ```tsx
 * import { createHooks, RuntimeProvider } from 'quillwork/react';
 *
 * const { useTask } = createHooks<Tasks>();
 *
 * function Sum({ numbers }: { numbers: number[] }) {
 *   const sum = useTask('sum');
 *   return <button onClick={() => sum.run({ numbers })}>{sum.status === 'done' ? sum.data : 'Add'}</button>;
 * }
 *
 * createRoot(element).render(<RuntimeProvider runtime={createRuntime<Tasks>({ worker })}><Sum numbers={[1, 2]} /></RuntimeProvider>);
 * ```
 */
export type { BatchItem, BatchOptions, ExecuteBatch, MapError, MapMetrics, MapProgress, MapWorker, MapWorkerOptions } from './map-types.js';
export { useDebounced, type UseDebouncedOptions } from './use-debounced.js';
export { useMapWorker } from './use-map-worker.js';
export { useMetrics, type Metrics, type MetricsOptions } from './use-metrics.js';
export { createHooks, useTask, type Hooks, type TaskHandle, type TaskStatus } from './use-task.js';
export { RuntimeProvider, useRuntime, type AnyRuntime, type RuntimeProviderProps } from './provider.js';
