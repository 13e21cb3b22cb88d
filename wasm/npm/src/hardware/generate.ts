import { known, object } from '../checks.js';
import { QuillworkError } from '../errors.js';
import { hardwareCore } from '../hardware-core.js';
import type { HardwareConfig, HardwareExplanation, HardwareGpu, HardwareProfile, HardwareSettings } from './types.js';

/** In core's order: what crosses, goes and comes in it. */
const SETTINGS = [
  'memoryBudgetBytes',
  'cacheBudgetBytes',
  'bufferBudgetBytes',
  'maxWorkers',
  'minWorkers',
  'maxQueued',
  'compute',
  'wake',
  'batchItems',
  'batchBytes',
  'gpuBatchBytes',
  'prefetchMs',
] as const satisfies readonly (keyof HardwareSettings)[];

/**
 * The configuration that suits the hardware, with the reason for each value: the same that the native host generates
 * (`quillwork detect`). What is unknown is taken as on a small machine.
 *
 * `overrides` are your own values: generated ones give way where they leave no room (a smaller memory budget shrinks its parts in
 * proportion).
 *
 * Throws `ERR_INVALID_OPTION` with a line for everything that is wrong with the overrides, and for a description of the wrong types.
 *
 * ```ts
 * import { detectHardware, generateConfig } from 'quillwork';
 *
 * const config = generateConfig(await detectHardware(), { maxWorkers: 4 });
 * console.log(config.minWorkers, config.explanations.minWorkers.reason);
 * ```
 */
export function generateConfig(profile: HardwareProfile = {}, overrides: Partial<HardwareSettings> = {}): HardwareConfig {
  known(
    'generateConfig',
    overrides,
    'memoryBudgetBytes cacheBudgetBytes bufferBudgetBytes maxWorkers minWorkers maxQueued compute wake batchItems batchBytes gpuBatchBytes prefetchMs',
  );
  const given = [...ofProfile(object('the description of the hardware is', profile)), ...SETTINGS.map((setting) => ofOverride(setting, overrides[setting]))];
  const core = hardwareCore();
  core.make(given, (exports) => exports.hardware_generate());
  const floats = Array.from(core.floats.subarray(0, SETTINGS.length));
  const lines = core.text().split('\n').slice(0, -1);
  const explanations: Record<string, HardwareExplanation> = {};
  const values: Record<string, number | string> = {};
  SETTINGS.forEach((setting, at) => {
    const [formula = '', reason = ''] = (lines[at] ?? '').split('\t');
    explanations[setting] = { reason, formula };
    values[setting] = valueOf(setting, floats[at] ?? Number.NaN);
  });
  return { ...values, explanations, implausible: lines.slice(SETTINGS.length) } as unknown as HardwareConfig;
}

function valueOf(setting: keyof HardwareSettings, value: number): number | string {
  switch (setting) {
    case 'compute':
      return value === 0 ? 'cpu' : 'gpu';
    case 'wake':
      return value === 0 ? 'messages' : 'shared memory';
    default:
      return value;
  }
}

function ofProfile(profile: HardwareProfile): number[] {
  const { gpu, power, crossOriginIsolated } = profile;
  return [
    number('logicalCores', profile.logicalCores),
    number('physicalCores', profile.physicalCores),
    number('memoryBytes', profile.memoryBytes),
    number('memoryHintBytes', profile.memoryHintBytes),
    oneOf('gpu.kind', gpu?.kind, ['absent', 'software', 'hardware'] satisfies HardwareGpu['kind'][]),
    number('gpu.maxBufferBytes', gpu?.kind === 'hardware' ? gpu.maxBufferBytes : undefined),
    crossOriginIsolated === undefined ? Number.NaN : Number(crossOriginIsolated),
    oneOf('power.source', power?.source, ['mains', 'battery']),
    // Core says of a level that can't be that it can't, but for what is no number at all.
    number('power.levelRatio', power?.source === 'battery' ? power.levelRatio : undefined, -Infinity),
  ];
}

function ofOverride(setting: keyof HardwareSettings, value: number | string | undefined): number {
  switch (setting) {
    case 'compute':
      return oneOf(setting, value, ['cpu', 'gpu']);
    case 'wake':
      return oneOf(setting, value, ['messages', 'shared memory']);
    case 'prefetchMs':
      return number(setting, value);
    default:
      if (value !== undefined && !Number.isInteger(value)) {
        throw new QuillworkError('ERR_INVALID_OPTION', `${setting} is ${String(value)}: give a whole number`);
      }
      return number(setting, value);
  }
}

/** Unknown, or not set, is what is not a number. */
function number(name: string, value: unknown, least = 0): number {
  if (value === undefined) {
    return Number.NaN;
  }
  if (typeof value !== 'number' || Number.isNaN(value) || value < least) {
    throw new QuillworkError('ERR_INVALID_OPTION', `${name} is ${String(value)}: give a number of ${least === 0 ? '0 or more' : 'any size'}, or leave it out`);
  }
  return value;
}

function oneOf(name: string, value: unknown, names: readonly string[]): number {
  if (value === undefined) {
    return Number.NaN;
  }
  const at = names.indexOf(value as string);
  if (at === -1) {
    throw new QuillworkError('ERR_INVALID_OPTION', `${name} is ${JSON.stringify(value)}: give ${names.map((known) => JSON.stringify(known)).join(' or ')}`);
  }
  return at;
}
