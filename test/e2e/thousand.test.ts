import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readOrMakeMasterKey } from '../../scripts/development/development-secrets.ts';
import { proveThousand } from '../../proofs/thousand/proof.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { verify } from '../journeys/verify.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.stop());

test('sixty payments, twenty at a time, end as their payers had it, in every book alike', async () => {
  // Checks final statuses, one event per payment, and that ledger and gateway agree. The long form is npm run proof:thousand.
  const { problems, statuses, events, charges, historyEvents } = await proveThousand({
    dev: stack.dev,
    masterKey: readOrMakeMasterKey(stack.directory),
    payments: 60,
    inFlight: 20,
    seed: 7,
    tell: () => undefined,
  });
  expect(problems).toEqual([]);
  expect(Object.values(statuses).reduce((sum, count) => sum + count, 0)).toBe(60);
  expect(Object.keys(statuses)).toEqual(['CANCELLED', 'EXPIRED', 'FAILED', 'SUCCEEDED']);
  expect(events).toEqual({ distinct: 60, deliveries: 60, forged: 0 });
  expect([charges.count, charges.ledgerGrossMinor]).toEqual([statuses['SUCCEEDED'], charges.grossMinor]);
  expect(Math.max(...Object.values(historyEvents).map(({ max }) => max))).toBeLessThanOrEqual(25);
  expect(await verify(stack.directory)).toMatchObject({ exitCode: 0 });
});
