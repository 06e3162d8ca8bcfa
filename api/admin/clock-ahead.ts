import { z } from 'zod';

/** How far the test clock of an object is ahead. */
export const ClockAhead = z.int().describe('The seconds by which its test clock is ahead of the real time. 0 in LIVE.');
