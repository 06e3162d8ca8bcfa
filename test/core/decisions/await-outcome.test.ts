import { expect, test } from '@jest/globals';
import { awaitOutcome } from '../../../core/decisions/await-outcome.ts';

function reading(...statuses: string[]) {
  const read = { times: 0 };
  return {
    read,
    next: () => {
      const status = statuses[Math.min(read.times, statuses.length - 1)];
      read.times += 1;
      return Promise.resolve(status);
    },
  };
}

test('a decision’s outcome is returned as soon as the workflow has written it', async () => {
  // The wait is an upper limit: an operator does not sit through it.
  const { read, next } = reading('HELD', 'HELD', 'KEPT');
  expect(await awaitOutcome({ outcomeWaitMs: 600_000 }, next, (status) => status !== 'HELD')).toBe('KEPT');
  expect(read.times).toBe(3);
});

test('a decision that no workflow acts on in time returns what the row says', async () => {
  // The sweeper carries it out later. The request must not hang until then.
  const { next } = reading('HELD');
  expect(await awaitOutcome({ outcomeWaitMs: 0 }, next, (status) => status !== 'HELD')).toBe('HELD');
});
