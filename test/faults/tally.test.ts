import { expect, test } from '@jest/globals';
import { ALL_DIALS } from '../../proofs/faults/dials.ts';
import { openFaultLog } from '../../proofs/faults/fault-log.ts';
import { planRound } from '../../proofs/faults/plan.ts';
import { openTally } from '../../proofs/faults/tally.ts';
import { soundRound } from './round-evidence.ts';

/** Returns whether a run fails after so many sound rounds, in each of which all dials except `idle` took effect. */
function failedAfter(rounds: number, idle: readonly string[]): boolean {
  const tally = openTally();
  const log = openFaultLog();
  log.fired(
    ALL_DIALS.filter((name) => !idle.includes(name)),
    'all of them',
  );
  const round = { evidence: soundRound(), histories: [], log, healedAtMs: 0, tookMs: 1 };
  for (let number = 0; number < rounds; number += 1) {
    tally.add({ ...round, plan: planRound({ seed: 1n, round: number }) });
  }
  return tally.summary({ everyDial: true }).failed;
}

test('a run fails for dials that never took effect: any of them where each was dealt three times, many where it was dealt once', () => {
  // If the load no longer reached the product's code, every round would pass. On a busy machine, one dial may have no
  // effect in a cycle.
  const one = ALL_DIALS.slice(0, 1);
  const tenth = ALL_DIALS.slice(0, Math.floor(ALL_DIALS.length / 10));
  const more = ALL_DIALS.slice(0, tenth.length + 1);
  expect(failedAfter(24, [])).toBe(false);
  expect(failedAfter(24, one)).toBe(true);
  expect(failedAfter(8, tenth)).toBe(false);
  expect(failedAfter(8, more)).toBe(true);
});

test('a run of no rounds shows nothing', () => {
  // A run that was stopped at once must not pass.
  expect(openTally().summary({ everyDial: false }).failed).toBe(true);
});
