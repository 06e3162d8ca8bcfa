import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

const Case = z.object({
  reference: z.string(),
  state: z.string(),
  owner: z.object({ name: z.string() }).nullable(),
  entries: z.array(z.object({ kind: z.string(), action: z.string().nullable(), outcome: z.string().nullable() })),
  proposals: z.array(z.object({ movement: z.object({ key: z.string() }) })),
});
const Decided = z.object({ case: Case, decision: z.string() });

let world: OperatorWorld;
let shop: Registration;
let other: Registration;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: 'Shop' });
  other = await world.api.register({ name: 'Other' });
  await world.addOperator({ email: 'root@example.com' });
  const people = {
    ann: { role: 'Finance' },
    ben: { role: 'Finance' },
    viewer: { role: 'Viewer' },
    own: { role: 'Finance', applicationId: shop.applicationId },
    foreign: { role: 'Finance', applicationId: other.applicationId },
    support: { role: 'Support' },
  };
  for (const [name, sketch] of Object.entries(people)) {
    await world.addOperator({ email: `${name}@example.com`, ...sketch });
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
});
afterAll(() => world.close());

const CASES = '/admin/reconciliation/cases';
const send = (who: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  world.send({ method, path, headers: bearer(tokens[who] ?? ''), ...(body === undefined ? {} : { body }) });
let made = 0;

/** A case of a payment that was paid with 500 less than its amount. Returns its path. */
async function addCase(): Promise<{ path: string; paymentId: string }> {
  made += 1;
  const { id: paymentId } = await world.api.paidPayment(shop);
  const [result] = await world.api.sql<{ id: string }>(
    `insert into reconciliation_results (mode, gateway, store_id, application_id, currency, movement_key, movement_kind, payment_id,
       period, status, reason, detail, expected_minor, settled_minor)
     select mode, gateway, 'store', application_id, currency, 'charge:key-' || id || ':', 'CHARGE', id, '2026-07-01', 'FLAGGED', 'AMOUNT',
       'AMOUNT_DIFFERS', 10000, 9500 from payments where id = ?::bigint returning id::text`,
    [paymentId],
  );
  const reference = `case_${made.toString().padStart(22, '0')}`;
  await world.api.sql(
    `insert into reconciliation_cases (reference, mode, gateway, application_id, kind, result_id, currency, reason, amount_minor)
     select ?, mode, gateway, application_id, 'result', id, currency, 'AMOUNT', 500 from reconciliation_results where id = ?::bigint`,
    [reference, result?.id],
  );
  return { path: `${CASES}/${reference}`, paymentId: String(paymentId) };
}
const limit = (minor: number | null) =>
  world.api.sql(`update applications set refund_approval_threshold_minor = ?::bigint where id = ?::bigint`, [
    minor,
    shop.applicationId,
  ]);
const ACCEPT = { action: 'accept', reason: 'the bank took a charge' };

describe('a case', () => {
  test('of more than a JSON number holds is listed and read, with its result, at what it holds', async () => {
    // An absurd upload must not take the lists away from everybody.
    const { path, paymentId } = await addCase();
    const reference = path.slice(CASES.length + 1);
    await world.api.sql(`update reconciliation_cases set amount_minor = 4611686018427387904 where reference = ?`, [
      reference,
    ]);
    await world.api.sql(
      `update reconciliation_results set settled_minor = -4611686018427387904, fee_settled_minor = 9007199254740992 where payment_id = ?::bigint`,
      [paymentId],
    );
    const amountMinor = Number.MAX_SAFE_INTEGER;
    const read = await send('ann', 'GET', path);
    const result = { expectedMinor: 10_000, settledMinor: -amountMinor, feeSettledMinor: amountMinor };
    expect(read).toMatchObject({ status: 200, data: { amountMinor, result } });
    const cases = await send('ann', 'GET', `${CASES}?state=OPEN`);
    expect(cases).toMatchObject({
      status: 200,
      data: expect.arrayContaining([expect.objectContaining({ reference, amountMinor })]),
    });
    const results = await send('ann', 'GET', `/admin/reconciliation/results?paymentId=${paymentId}`);
    expect(results).toMatchObject({ status: 200, data: [result] });
  });

  test('is listed by state, owner and age, and read with its history', async () => {
    const { path } = await addCase();
    const assigned = await send('ann', 'POST', `${path}/assign`, {});
    expect(Case.parse(assigned.data)).toMatchObject({ state: 'ASSIGNED', owner: { name: 'The Finance' } });
    const listed = async (query: string): Promise<string[]> =>
      z
        .array(z.object({ reference: z.string() }))
        .parse((await send('viewer', 'GET', `${CASES}?${query}`)).data)
        .map(({ reference }) => `${CASES}/${reference}`);
    expect(await listed('state=ASSIGNED&gateway=sslcommerz')).toContain(path);
    expect(await listed('state=RESOLVED')).not.toContain(path);
    expect(await listed('minAgeDays=1')).not.toContain(path);
    await world.api.sql(`update reconciliation_cases set created_at = now() - interval '3 days'`);
    expect(await listed('minAgeDays=3&reason=AMOUNT&kind=result')).toContain(path);
    expect((await send('ann', 'POST', `${path}/notes`, { text: 'asked the gateway' })).status).toBe(200);
    expect((await send('ben', 'POST', `${path}/release`)).status).toBe(200);
    const read = Case.parse((await send('viewer', 'GET', path)).data);
    expect(read.entries.map(({ kind }) => kind)).toEqual(['assigned', 'note', 'released']);
  });

  test('belongs to the operators of its application', async () => {
    // Foreign and absent look the same.
    const { path } = await addCase();
    expect((await send('own', 'GET', path)).status).toBe(200);
    expect((await send('foreign', 'GET', path)).status).toBe(404);
    expect((await send('foreign', 'POST', `${path}/actions`, ACCEPT)).status).toBe(404);
    expect((await send('support', 'GET', path)).status).toBe(403);
    expect((await send('viewer', 'POST', `${path}/notes`, { text: 'x' })).status).toBe(403);
  });

  test('is accepted by two people above the threshold, each asked for their password lately', async () => {
    await limit(499);
    const { path } = await addCase();
    const first = Decided.parse((await send('ann', 'POST', `${path}/actions`, ACCEPT)).data);
    expect(first.decision).toBe('awaiting-second-approval');
    expect(await send('ann', 'POST', `${path}/actions/second`, { action: 'accept' })).toMatchObject({
      status: 403,
      code: 'FORBIDDEN',
    });
    expect((await send('ben', 'POST', `${path}/actions`, ACCEPT)).status).toBe(409);
    // Ben agrees to what he has read, and to nothing else.
    for (const other of [
      { action: 'post-correction', account: 'fees' },
      { action: 'accept', account: 'fees' },
    ]) {
      expect(await send('ben', 'POST', `${path}/actions/second`, other)).toMatchObject({
        status: 409,
        code: 'INVALID_OPERATION_STATE',
      });
    }
    const second = Decided.parse((await send('ben', 'POST', `${path}/actions/second`, { action: 'accept' })).data);
    expect(second.decision).toBe('in-progress');
    expect((await send('ben', 'POST', `${path}/actions/withdraw`)).status).toBe(409);
    const rows = await world.api.sql(
      `select action, actor from audit_logs where target_type = 'reconciliation-case' order by id desc limit 2`,
    );
    expect(rows).toEqual([
      { action: 'reconciliation-case.seconded', actor: 'ben@example.com' },
      { action: 'reconciliation-case.accept', actor: 'ann@example.com' },
    ]);
    await limit(null);
  });

  test('asks for the password again before a decision', async () => {
    const { path } = await addCase();
    await world.makeStale();
    expect((await send('ann', 'POST', `${path}/actions`, ACCEPT)).code).toBe('REAUTH_REQUIRED');
    expect((await send('ann', 'POST', `${path}/actions/second`, { action: 'accept' })).code).toBe('REAUTH_REQUIRED');
    expect((await send('ann', 'POST', `${path}/notes`, { text: 'later' })).status).toBe(200);
    for (const name of Object.keys(tokens)) {
      tokens[name] = await world.logIn(`${name}@example.com`);
    }
  });

  test('has one action at a time, which can be withdrawn', async () => {
    const { path } = await addCase();
    await limit(0);
    await send('ann', 'POST', `${path}/actions`, ACCEPT);
    expect((await send('ben', 'POST', `${path}/actions/withdraw`)).status).toBe(200);
    expect((await send('ben', 'POST', `${path}/actions/withdraw`)).status).toBe(409);
    expect((await send('ben', 'POST', `${path}/actions`, ACCEPT)).status).toBe(200);
    await limit(null);
  });

  test('refuses a correction without a line, and one to two things', async () => {
    const { path } = await addCase();
    const correction = { action: 'post-correction', reason: 'r' };
    expect((await send('ann', 'POST', `${path}/actions`, { ...correction, account: 'fees' })).status).toBe(409);
    expect((await send('ann', 'POST', `${path}/actions`, correction)).status).toBe(400);
    expect(
      (await send('ann', 'POST', `${path}/actions`, { ...correction, account: 'fees', movement: 'charge:x:' })).status,
    ).toBe(400);
  });

  test('creates a refund only for who may create refunds', async () => {
    const { path, paymentId } = await addCase();
    const refund = { action: 'create-refund', amountMinor: 100, reason: 'charged twice' };
    expect((await send('ann', 'POST', `${path}/actions`, refund)).code).toBe('FORBIDDEN');
    await world.addOperator({ email: `admin${made}@example.com`, role: 'Admin' });
    tokens['admin'] = await world.logIn(`admin${made}@example.com`);
    const { data } = await send('admin', 'POST', `${path}/actions`, refund);
    expect(Decided.parse(data).case.entries.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'create-refund FAILED',
      'create-refund DONE',
    ]);
    expect(await world.api.sql(`select 1 from refunds where payment_id = ?::bigint`, [paymentId])).toHaveLength(1);
  });
});
