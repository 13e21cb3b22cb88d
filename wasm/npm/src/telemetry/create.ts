import { telemetrySettings, type TelemetryOptions } from './options.js';
import { PageTelemetry, type Telemetry } from './telemetry.js';

/**
 * Measures the page and reports to a Quillwork host, on a page without a pool. With one, the option `telemetry` of `createRuntime` measures
 * the pool and its caches as well.
 *
 * ```ts
 * const telemetry = createTelemetry({ name: 'Shop', consent: { errors: 'basic' } });
 * telemetry.counter('orders').add();
 * await telemetry.span('checkout', async () => { ... });
 * ```
 *
 * @throws QuillworkError `ERR_INVALID_OPTION`.
 */
export function createTelemetry(options: TelemetryOptions = {}): Telemetry {
  return new PageTelemetry(telemetrySettings(options), undefined);
}
