/** The “This device” panel: measuring, and losing the GPU on purpose. */

import type { DeviceReport } from '../tasks/device';
import { explain, isAbort, type StoryRuntime } from './runtime';
import { Store } from './store';

export interface DeviceState {
  status: 'idle' | 'running' | 'done' | 'failed';
  step: string;
  report: DeviceReport | undefined;
  error: string | undefined;
  /** What losing the device came to. */
  lost: string | undefined;
}

export class Device {
  readonly store = new Store<DeviceState>({ status: 'idle', step: '', report: undefined, error: undefined, lost: undefined });

  constructor(private readonly runtime: StoryRuntime) {}

  async measure(sizes: number[]): Promise<void> {
    if (this.store.get().status === 'running') return;
    this.store.set({ status: 'running', step: 'Waiting for the worker that owns the GPU', error: undefined });
    try {
      const report = await this.runtime.run(
        'device',
        { sizes },
        { priority: 4, capabilities: ['gpu'], timeoutMs: 120_000, onProgress: ({ size, device }) => this.store.set({ step: `${size} × ${size} on the ${device.toUpperCase()}` }) },
      );
      this.store.set({ status: 'done', report, step: '' });
    } catch (error) {
      this.store.set(isAbort(error) ? { status: 'idle', step: '' } : { status: 'failed', error: explain(error), step: '' });
    }
  }

  /** Destroys the device, then measures again to show that the work still completes. */
  async lose(sizes: number[]): Promise<void> {
    if (this.store.get().status === 'running') return;
    try {
      const info = await this.runtime.run('loseDevice', null, { priority: 4, capabilities: ['gpu'], redeliver: false });
      this.store.set({ lost: info.reason });
      await this.measure(sizes);
    } catch (error) {
      this.store.set({ status: 'failed', error: explain(error) });
    }
  }

  /** Asks for the GPU again and measures with what came of it. */
  async reacquire(sizes: number[]): Promise<void> {
    if (this.store.get().status === 'running') return;
    try {
      await this.runtime.run('reacquireDevice', null, { priority: 4, capabilities: ['gpu'] });
      this.store.set({ lost: undefined });
      await this.measure(sizes);
    } catch (error) {
      this.store.set({ status: 'failed', error: explain(error) });
    }
  }
}
