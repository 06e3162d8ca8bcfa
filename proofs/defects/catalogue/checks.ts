import { faults, simulation } from '../check.ts';

/** Simulated stories, judged by every invariant. */
export const STORIES = simulation(800);

/** A round of faults in which every key is sent again in the end, and a payer pays what they had cancelled. */
export const ROUND = faults({ seed: 1, round: 0 });
