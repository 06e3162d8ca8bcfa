import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
const tokens: Record<string, string> = {};
let payouts = 0;

beforeAll(async () => {
  world = await openOperatorWorld();
  await world.addOperator({ email: 'owner@example.com' });
  for (const name of ['ann', 'ben']) {
    await world.addOperator({ email: `${name}@example.com`, role: 'Finance' });
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
  await world.api.register({ name: 'Theirs' });
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.api.sql(
    'update payouts set bank_stated_by = null, bank_stated_at = null, bank_stated_moved_minor = null',
  );
  await world.api.sql('update applications set refund_approval_threshold_minor = 1000');
});

const send = (method: string, path: string, body?: unknown, as = 'ann'): Promise<Answer> =>
  world.send({ method, path, headers: bearer(tokens[as] ?? ''), ...(body === undefined ? {} : { body }) });
const CHANGES = '/admin/pending-reconciliation-changes';

/** A payout whose lines add up to 100.00. Returns its reference. */
async function payout(bankMinor: number | null = null): Promise<string> {
  payouts += 1;
  const reference = `po_${String(payouts).padStart(22, '0')}`;
  await world.api.sql(
    `insert into payouts (reference, mode, gateway, store_id, gateway_reference, currency, arrives_on, lines, lines_minor, bank_minor)
     values (?, 'LIVE', 'bkash', 'shop', ?, 'BDT', '2026-11-03', 1, 10000, ?)`,
    [reference, reference, bankMinor],
  );
  return reference;
}
const state = (reference: string, amountMinor: number, as = 'ann'): Promise<Answer> =>
  send(
    'POST',
    `/admin/payouts/${reference}/bank-amount`,
    { amountMinor, arrivedOn: '2026-11-04', reason: 'Seen in the account' },
    as,
  );
const waitingIn = ({ data }: Answer): number[] =>
  (data as { pendingChanges: { id: number }[] }).pendingChanges.map(({ id }) => id);
const bankOf = async (reference: string): Promise<unknown> =>
  ((await send('GET', `/admin/payouts/${reference}`)).data as { bankMinor: unknown }).bankMinor;

test('an amount that moves what has arrived by more than the threshold waits for a second person, who sees it', async () => {
  // Four eyes: one person could otherwise state that everything came, and close the case.
  const reference = await payout(7_000);
  const [id] = waitingIn(await state(reference, 10_000));
  expect(await bankOf(reference)).toBe('7000');
  expect((await send('GET', `/admin/payouts/${reference}`, undefined, 'ben')).data).toMatchObject({
    pendingChanges: [
      {
        id,
        kind: 'bank-amount',
        target: { type: 'payout', id: reference },
        before: { bankMinor: '7000' },
        after: { bankMinor: '10000', arrivesOn: '2026-11-04', reason: 'Seen in the account' },
      },
    ],
  });
  expect((await send('POST', `${CHANGES}/${id}/confirm`)).code).toBe('FORBIDDEN');
  expect((await send('POST', `${CHANGES}/${id}/confirm`, undefined, 'ben')).data).toMatchObject({
    status: 'CONFIRMED',
  });
  expect(await bankOf(reference)).toBe('10000');
  const audit = await world.api.sql<{ action: string }>(
    `select action from audit_logs where target_id = ? order by id`,
    [reference],
  );
  expect(audit.map(({ action }) => action)).toEqual([
    'pending-change.proposed',
    'payout.bank-amount-stated',
    'pending-change.confirmed',
  ]);
});

test('up to the threshold one person states it, and what they state within a day is added up', async () => {
  const first = await payout(9_000);
  expect(waitingIn(await state(first, 9_600))).toEqual([]);
  expect(waitingIn(await state(first, 10_001))).toHaveLength(1);
  const second = await payout(9_000);
  expect(waitingIn(await state(second, 9_401))).toHaveLength(1);
  expect(waitingIn(await state(second, 9_401, 'ben'))).toHaveLength(1);
  expect(await bankOf(second)).toBe('9401');
  expect(waitingIn(await state(await payout(9_000), 9_400))).toEqual([]);
});

test('of a payout of which nothing is known to have come, the whole amount counts', async () => {
  expect(waitingIn(await state(await payout(), 10_000))).toHaveLength(1);
});

test('where no application has a threshold, one person states any amount', async () => {
  await world.api.sql('update applications set refund_approval_threshold_minor = null');
  const reference = await payout();
  expect(waitingIn(await state(reference, 10_000_000))).toEqual([]);
  expect(await bankOf(reference)).toBe('10000000');
});

test('may be withdrawn, and lapses if something else is known to have arrived since', async () => {
  const reference = await payout(7_000);
  const [withdrawn] = waitingIn(await state(reference, 10_000));
  expect((await send('POST', `${CHANGES}/${withdrawn}/withdraw`)).data).toMatchObject({ status: 'WITHDRAWN' });
  const [outdated] = waitingIn(await state(reference, 10_000));
  await world.api.sql('update payouts set bank_minor = 7001 where reference = ?', [reference]);
  expect((await send('POST', `${CHANGES}/${outdated}/confirm`, undefined, 'ben')).code).toBe('INVALID_OPERATION_STATE');
  expect(await bankOf(reference)).toBe('7001');
});
