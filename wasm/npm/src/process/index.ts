/** Items through stages, in this thread and in workers, with bounds for what is on its way. */
export { process } from './process.js';
export { stage, workerStage, type BatchStageOptions, type StageOptions, type WorkerStageOptions } from './stage.js';
export type {
  OnError,
  Processed,
  ProcessMetrics,
  ProcessOptions,
  Source,
  Stage,
  StageContext,
  StageMetrics,
  Step,
} from './types.js';
