/** In a file of its own, which is loaded when telemetry starts. */
import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals';
import type { WebVital } from './signals.js';

/** Calls back with each vital whenever it changes. */
export function observeVitals(onChange: (vital: WebVital) => void): void {
  const report = ({ name, value, rating }: WebVital): void => onChange({ name, value, rating });
  for (const observe of [onCLS, onFCP, onINP, onLCP, onTTFB]) {
    observe(report, { reportAllChanges: true });
  }
}
