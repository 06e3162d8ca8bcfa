import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { budgetsOf, overBudget, readBudgets, type Budgets } from '../../bench/counts/budgets.ts';
import { startCountingGround } from '../../bench/counts/ground.ts';
import { measureCounts } from '../../bench/counts/measure.ts';
import { createTestNamespace } from '../support/temporal.ts';
import { testServers } from '../support/test-servers.ts';

let ground: Awaited<ReturnType<typeof startCountingGround>>;

beforeAll(async () => {
  ground = await startCountingGround({
    environment: {
      TEMPORAL_ADDRESS: testServers().temporalAddress,
      TEMPORAL_NAMESPACE: await createTestNamespace(),
    },
    say: () => undefined,
  });
});

afterAll(() => ground.stop());

describe('a happy payment', () => {
  test('costs no more statements, WAL, gateway calls and history events than bench/budgets.json allows', async () => {
    // The cost of a payment must not rise unnoticed. To lower the budget, run `npm run bench -- counts --accept`.
    const counted = budgetsOf(await measureCounts(ground, { payments: 5, warmUp: 4 }));
    expect(overBudget(counted, readBudgets())).toEqual([]);
  }, 300_000);
});

describe('the comparison with the budget', () => {
  const withReads = (calls: number): Budgets => {
    const budgets = readBudgets();
    const read = { ...budgets.steps.read, statements: calls, working: calls, texts: { 'lenden_app: select 1': calls } };
    return { ...budgets, steps: { ...budgets.steps, read } };
  };

  test('names the statement that appeared', () => {
    // The check must fail when a statement is added, and its message must name that statement.
    expect(overBudget(withReads(2), withReads(1))).toEqual([
      'read: 2 SQL statements, budget 1',
      'read: 2 working SQL statements, budget 1',
      'read: 2 instead of 1 × lenden_app: select 1',
    ]);
  });

  test('says nothing of what became cheaper', () => {
    // A developer who saves a statement does not have to change the budget first.
    expect(overBudget(withReads(1), withReads(2))).toEqual([]);
  });

  test('fails for one history event more', () => {
    // Temporal stores and replays the history of every payment.
    const budgets = readBudgets();
    const more = { ...budgets, payment: { ...budgets.payment, events: budgets.payment.events + 1 } };
    expect(overBudget(more, budgets)).toEqual([
      `payment workflow: ${budgets.payment.events + 1} events, budget ${budgets.payment.events}`,
    ]);
  });
});
