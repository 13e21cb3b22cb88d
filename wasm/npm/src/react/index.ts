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
export { createHooks, useTask, type Hooks, type TaskHandle, type TaskStatus } from './use-task.js';
export { RuntimeProvider, useRuntime, type RuntimeProviderProps } from './provider.js';
