/**
 * For tests of code that uses Quillwork: no threads and no waiting. {@link createTestRuntime} runs the real core and the app's real task
 * functions on a clock that the test moves, with faults on demand; {@link virtualClock} does for debounce, throttle, retry and whatever else
 * waits. Made for every test runner, and needs none.
 */
export { createTestRuntime, type TestRuntime, type TestRuntimeOptions } from './test-runtime.js';
export { virtualClock, type VirtualClock, type VirtualClockOptions } from './virtual-clock.js';
