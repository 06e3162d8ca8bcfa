import { expect, test } from '@jest/globals';
import { RUNS_EVERYTHING } from '../../support/long.ts';
import { playStory } from './story.ts';

/** A story takes seconds. `LENDEN_STORY_SEEDS=1-300 npm test -- test/core/reconciliation/stories.test.ts` plays 300. */
const SEEDS = RUNS_EVERYTHING ? 30 : 8;
const [first = 1, last = SEEDS] = process.env['LENDEN_STORY_SEEDS']?.split('-').map(Number) ?? [];
const SEED_WITH_CONVERSIONS = 3;
const seeds = Array.from({ length: last - first + 1 }, (_, index) => first + index);

test(
  'whatever order files, runs, late lines and decisions come in, and whoever dies, each line and each movement is in one state',
  async () => {
    // The property of the pure matcher, here through the store: imports, batches, cases, corrections and postings.
    let deaths = 0;
    let converted = 0;
    for (const seed of seeds) {
      const { violations, acts, ...counted } = await playStory(seed);
      expect({ seed, violations, acts: violations.length === 0 ? [] : acts }).toEqual({
        seed,
        violations: [],
        acts: [],
      });
      deaths += counted.deaths;
      converted += counted.converted;
    }
    expect(deaths).toBeGreaterThan(seeds.length * 2);
    expect(converted).toBeGreaterThan(seeds.length / 2);
  },
  40 * 60_000,
);

test.each([
  ['a line is lost', 'delete from payout_lines where id = (select max(id) from payout_lines)', /lines are stored/],
  ['nothing is said of a line', 'delete from reconciliation_results where line_id is not null', /have 0 results/],
  [
    'a booking is posted twice',
    `insert into ledger_transactions (application_id, mode, currency, cause_type, cause_id, kind)
       select application_id, mode, currency, cause_type, cause_id, kind || ' again' from ledger_transactions where cause_type = 'payout' limit 1`,
    /have 2 ledger transactions/,
  ],
  [
    'a converted line covers less than what was owed',
    `update reconciliation_results set converted_minor = converted_minor - 1`,
    /verify: payout reconciliation_results and what else is said of \S+ cover/,
  ],
  ['a result books something else', `update reconciliation_results set booked = '{"fees":"1"}'`, /verify: payout/],
])('the judges notice when %s', async (_name, damage, words) => {
  const { violations } = await playStory(SEED_WITH_CONVERSIONS, { damage });
  expect(violations.join('\n')).toMatch(words);
});
