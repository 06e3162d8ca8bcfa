import { defineQuery, defineSignal } from '@temporalio/workflow';

/** Something may be due: the next pass begins at once, also of a loop that is paused. */
export const wakeSignal = defineSignal('wake');
/** No pass begins until `resume`. A pass that runs is finished. */
export const pauseSignal = defineSignal('pause');
export const resumeSignal = defineSignal('resume');

export interface LoopProgress {
  readonly state: 'passing' | 'waiting' | 'paused';
  /** The passes of this run that have ended, including those that failed. */
  readonly passes: number;
}
export const loopProgressQuery = defineQuery<LoopProgress>('progress');
