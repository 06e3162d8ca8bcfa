import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readMatchSettings, readTrustedStores } from '../../../core/reconciliation/store/match-settings.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  world = await openOperatorWorld();
  const shop = await world.api.register({ name: 'Shop' });
  await world.addOperator({ email: 'root@example.com' });
  const people = {
    ann: { role: 'Finance' },
    bob: { role: 'Finance' },
    viewer: { role: 'Viewer' },
    own: { role: 'Finance', applicationId: shop.applicationId },
  };
  for (const [name, sketch] of Object.entries(people)) {
    await world.addOperator({ email: `${name}@example.com`, ...sketch });
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
});
afterAll(() => world.close());

const pathOf = (gateway: string) => `/admin/reconciliation/match-settings/${gateway}`;
const read = (who: string, gateway = 'sslcommerz'): Promise<Answer> =>
  world.send({ path: pathOf(gateway), headers: bearer(tokens[who] ?? '') });
const put = (who: string, body: unknown, gateway = 'sslcommerz'): Promise<Answer> =>
  world.send({ method: 'PUT', path: pathOf(gateway), headers: bearer(tokens[who] ?? ''), body });

const rate = (from: string, text: string) => ({ from, to: 'BDT', rate: text, toleranceBps: 100 });

describe('match settings', () => {
  test('are what is usual for the gateway until an operator sets them', async () => {
    expect((await read('viewer', 'stripe')).data).toMatchObject({
      chosen: {},
      applied: { toleranceMinor: 0, statesNetOnly: false, expectedWithinDays: 10, weeklyHolidays: [6, 0] },
    });
  });

  test('are what the next run judges by, and leave their change in the audit log', async () => {
    // A setting that is shown and not used would let differences pass that nobody allowed.
    const chosen = {
      toleranceMinor: 5,
      agreedFee: { feeBps: 150, taxBps: 500 },
      rates: [{ from: 'USD', to: 'BDT', rate: '121.50', toleranceBps: 150 }],
      trustedStores: ['store-1'],
      holidays: ['2026-12-16'],
    };
    const answer = await put('ann', chosen);
    expect(answer.data).toMatchObject({ gateway: 'sslcommerz', chosen, applied: { ...chosen, statesNetOnly: true } });
    expect((await read('viewer')).data).toEqual(answer.data);
    const [judged, trusted] = await world.database.withSystem(async (em) => [
      await readMatchSettings(em, 'sslcommerz'),
      await readTrustedStores(em, 'sslcommerz'),
    ]);
    expect(judged).toMatchObject({
      tolerance: { amountMinor: 5n, feeMinor: 0n },
      agreedFee: chosen.agreedFee,
      rates: chosen.rates,
      businessDays: { holidays: ['2026-12-16'] },
    });
    expect(trusted).toEqual(['store-1']);
    const [row] = await world.api.sql<{ details: unknown }>(
      `select details from audit_logs where action = 'match-settings.changed' and target_id = 'sslcommerz'`,
    );
    expect(row?.details).toEqual({ before: {}, after: { ...chosen, toleranceMinor: '5' } });
  });

  test('that are left out return to what is usual', async () => {
    await put('ann', { toleranceMinor: 7, statesNetOnly: false }, 'bkash');
    expect((await put('ann', {}, 'bkash')).data).toMatchObject({ chosen: {}, applied: { toleranceMinor: 0 } });
  });

  test.each([
    ['a misspelt member', { tolerance: 5 }],
    ['a negative tolerance', { toleranceMinor: -1 }],
    ['a date that does not exist', { holidays: ['2026-02-30'] }],
    ['every day of the week as a holiday', { weeklyHolidays: [0, 1, 2, 3, 4, 5, 6] }],
    ['a store named twice', { trustedStores: ['a', 'a'] }],
    ['a pair of currencies twice', { rates: [rate('USD', '121.5'), rate('USD', '122')] }],
    ['a rate between a currency and itself', { rates: [rate('BDT', '1')] }],
    ['a rate that is no decimal', { rates: [rate('USD', '1.2e2')] }],
    ['a rate of nothing', { rates: [rate('USD', '0.0')] }],
    ['a share above all', { agreedFee: { feeBps: 10_001, taxBps: 0 } }],
  ])('refuse %s and stay as they were', async (_name, body) => {
    await put('ann', { toleranceMinor: 3 }, 'nagad');
    expect(await put('ann', body, 'nagad')).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
    expect((await read('ann', 'nagad')).data).toMatchObject({ chosen: { toleranceMinor: 3 } });
  });

  test('name no trusted stores at a gateway without an undocumented API', async () => {
    expect(await put('ann', { trustedStores: ['acct_1'] }, 'stripe')).toMatchObject({ code: 'VALIDATION_ERROR' });
  });

  test('are for operators of every application, and take a recent password to change', async () => {
    // They hold for the lines of all applications.
    expect((await read('own')).status).toBe(403);
    expect((await put('own', {})).status).toBe(403);
    expect((await put('viewer', {})).status).toBe(403);
    expect(await read('ann', 'nobody')).toMatchObject({ status: 400 });
    await world.makeStale();
    expect((await put('ann', {})).code).toBe('REAUTH_REQUIRED');
  });
});

describe('once an application has a threshold', () => {
  const CHANGES = '/admin/pending-reconciliation-changes';
  const decide = (who: string, id: number, how: string): Promise<Answer> =>
    world.send({
      method: 'POST',
      path: `${CHANGES}/${id}/${how}`,
      headers: bearer(tokens[who] ?? ''),
      ...(how === 'reject' ? { body: { reason: 'Too much' } } : {}),
    });
  const waitingIn = ({ data }: Answer): number[] =>
    (data as { pendingChanges: { id: number }[] }).pendingChanges.map(({ id }) => id);
  const propose = async (body: unknown, gateway: string): Promise<number> => {
    const answer = await put('ann', body, gateway);
    const [id] = waitingIn(answer);
    expect(answer.status).toBe(200);
    expect(id).toBeDefined();
    return id ?? 0;
  };

  beforeAll(async () => {
    for (const name of ['ann', 'bob']) {
      tokens[name] = await world.logIn(`${name}@example.com`);
    }
    await world.api.sql('update applications set refund_approval_threshold_minor = 100');
  });

  test.each([
    ['a tolerance', { toleranceMinor: 1_000_000 }],
    ['a tolerance of fees', { feeToleranceMinor: 1 }],
    ['an agreed fee', { agreedFee: { feeBps: 10_000, taxBps: 0 } }],
    ['a rate', { rates: [rate('USD', '999999')] }],
    ['that files state only what was credited', { statesNetOnly: true }],
    ['later days', { expectedWithinDays: 90 }],
    ['holidays, until which a line may still come', { holidays: ['2026-12-16'] }],
    ['a longer weekend', { weeklyHolidays: [0, 1, 2, 3, 4, 5] }],
  ])('%s waits for a second person', async (_name, body) => {
    // One person could otherwise let every difference pass, and take no second person to accept one.
    const id = await propose(body, 'stripe');
    expect((await read('viewer', 'stripe')).data).toMatchObject({ chosen: {} });
    expect(await decide('ann', id, 'confirm')).toMatchObject({ status: 403 });
    expect((await decide('bob', id, 'reject')).status).toBe(200);
    expect((await read('viewer', 'stripe')).data).toMatchObject({ chosen: {}, pendingChanges: [] });
  });

  test('applies when the second person confirms it', async () => {
    const id = await propose({ toleranceMinor: 50, holidays: ['2026-12-16'] }, 'manual');
    expect((await decide('bob', id, 'confirm')).status).toBe(200);
    expect((await read('ann', 'manual')).data).toMatchObject({
      chosen: { toleranceMinor: 50, holidays: ['2026-12-16'] },
      pendingChanges: [],
    });
  });

  test('lapses when the settings have changed since', async () => {
    const before = await chosenOf('sslcommerz');
    const id = await propose({ ...before, toleranceMinor: 50 }, 'sslcommerz');
    await put('ann', { ...before, trustedStores: ['store-9'] }, 'sslcommerz');
    expect(await decide('bob', id, 'confirm')).toMatchObject({ status: 409, code: 'INVALID_OPERATION_STATE' });
    expect(await chosenOf('sslcommerz')).toMatchObject({ trustedStores: ['store-9'] });
  });

  test('trusted stores take one person', async () => {
    const waiting = waitingIn(await read('ann', 'sslcommerz'));
    const answer = await put('ann', { ...(await chosenOf('sslcommerz')), trustedStores: ['store-2'] });
    expect(waitingIn(answer)).toEqual(waiting);
    expect(await chosenOf('sslcommerz')).toMatchObject({ trustedStores: ['store-2'] });
  });

  async function chosenOf(gateway: string): Promise<object> {
    return ((await read('ann', gateway)).data as { chosen: object }).chosen;
  }
});
