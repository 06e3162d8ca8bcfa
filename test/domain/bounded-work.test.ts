import { expect, test } from '@jest/globals';
import { createBoundedWork, TooMuchWaiting } from '../../runtime/bounded-work.ts';

test('only so much runs at once, so much waits in its order, and the rest is refused at once', async () => {
  // A flood of secrets to check must not take all threads of a process.
  const bounded = createBoundedWork({ atOnce: 2, waiting: 3 });
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const work = (number: number) =>
    bounded.run(async () => {
      begun.push(number);
      await new Promise<void>((resolve) => ends.push(resolve));
      return number;
    });
  const taken = [1, 2, 3, 4, 5].map(work);
  await expect(work(6)).rejects.toBeInstanceOf(TooMuchWaiting);
  expect(begun).toEqual([1, 2]);
  for (let ended = 0; ended < taken.length; ended += 1) {
    ends[ended]?.();
    await taken[ended];
    await new Promise(setImmediate);
  }
  expect(begun).toEqual([1, 2, 3, 4, 5]);
  expect(await Promise.all(taken)).toEqual([1, 2, 3, 4, 5]);
});

test('work that fails makes room like any other', async () => {
  // If a failed run kept its slot, every later request would eventually be refused.
  const bounded = createBoundedWork({ atOnce: 1, waiting: 1 });
  const fail = () => bounded.run(() => Promise.reject(new Error('no')));
  await expect(fail()).rejects.toThrow('no');
  await expect(Promise.allSettled([fail(), fail()])).resolves.toHaveLength(2);
  expect(await bounded.run(() => Promise.resolve('yes'))).toBe('yes');
});
