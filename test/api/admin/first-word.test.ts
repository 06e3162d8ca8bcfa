import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

/* The first of two approvals counts only while its operator may still give it. */

let world: OperatorWorld;
let shop: Registration;
const tokens: Record<string, string> = {};
const ids: Record<string, bigint> = {};

beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: 'Shop' });
  for (const [name, role] of [
    ['owner', 'Super Admin'],
    ['goes', 'Admin'],
    ['second', 'Finance'],
    ['third', 'Finance'],
  ] as const) {
    ids[name] = await world.addOperator({ email: `${name}@example.com`, role });
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.api.sql('update applications set refund_approval_threshold_minor = 5000');
  await returns();
});

const send = (as: string, path: string, body?: unknown): Promise<Answer> =>
  world.send({
    method: 'POST',
    path,
    headers: bearer(tokens[as] ?? ''),
    ...(body === undefined ? {} : { body }),
  });

async function returns(): Promise<void> {
  await world.api.sql(`update operators set status = 'ACTIVE' where id = ?`, [ids['goes']]);
  await world.api.sql(
    `update operator_grants set role_id = (select id from roles where name = 'Admin'), application_id = null where operator_id = ?`,
    [ids['goes']],
  );
}

const WAYS_TO_GO = [
  ['is disabled', () => world.api.sql(`update operators set status = 'DISABLED' where id = ?`, [ids['goes']])],
  [
    'has lost the permission',
    () =>
      world.api.sql(
        `update operator_grants set role_id = (select id from roles where name = 'Viewer') where operator_id = ?`,
        [ids['goes']],
      ),
  ],
  [
    'has the permission elsewhere',
    async () => {
      const elsewhere = await world.api.register({ name: 'Elsewhere' });
      await world.api.sql('update operator_grants set application_id = ? where operator_id = ?', [
        elsewhere.applicationId,
        ids['goes'],
      ]);
    },
  ],
] as const;

/** An action that needs two operators, how an operator approves it, and its name in the audit log. */
interface Case {
  readonly target: { readonly type: string; readonly id: string };
  readonly action: string;
  say(as: string): Promise<Answer>;
}

async function paymentUnderReview(): Promise<Case> {
  const [row] = await world.api.sql<{ id: string }>(
    `insert into payments (application_id, mode, reference, status, amount_minor, currency, customer_reference, gateway, expires_at,
       next_sweep_at, review_reason, review_since)
     values (?, 'TEST', ?, 'PENDING', 9000, 'BDT', 'c', 'sslcommerz', now(), now(), 'RISK_FLAGGED', now()) returning id::text`,
    [shop.applicationId, `pay_${randomBytes(11).toString('hex')}`],
  );
  const id = row?.id ?? '';
  return {
    target: { type: 'payment', id },
    action: 'payment.review-accept',
    say: (as) => send(as, `/admin/payments/${id}/review`, { decision: 'accept', reason: 'known customer' }),
  };
}

async function unappliedMoney(): Promise<Case> {
  const { id: payment } = await world.api.paidPayment(shop);
  const [row] = await world.api.sql<{ id: string }>(
    `insert into unapplied_payments (application_id, mode, payment_id, attempt_id, gateway, validation_id, gateway_txn_id, evidence, gross_minor,
       fee_minor, currency)
     select application_id, mode, payment_id, id, gateway, ?, 'B1', '{}', 9000, 10, 'BDT' from payment_attempts where payment_id = ?
     returning id::text`,
    [randomBytes(6).toString('hex'), payment],
  );
  const id = row?.id ?? '';
  return {
    target: { type: 'unapplied-payment', id },
    action: 'unapplied-payment.keep',
    say: (as) => send(as, `/admin/unapplied-payments/${id}`, { decision: 'keep', reason: 'as agreed' }),
  };
}

async function refundUnderReview(): Promise<Case> {
  const { id: payment } = await world.api.paidPayment(shop);
  const { data } = await send('third', `/admin/payments/${payment}/refunds`, { amountMinor: 10 }).then((answer) =>
    answer.status === 201 ? answer : send('owner', `/admin/payments/${payment}/refunds`, { amountMinor: 10 }),
  );
  const { id } = data as { id: number };
  await world.api.sql(`update refunds set review_reason = 'STUCK_AT_GATEWAY', review_since = now() where id = ?`, [id]);
  return {
    target: { type: 'refund', id: String(id) },
    action: 'refund.review-refunded',
    say: (as) => send(as, `/admin/refunds/${id}/review`, { decision: 'refunded', reason: 'the panel has it' }),
  };
}

interface Entry {
  action: string;
  actor: string;
  details: { after?: object };
}
const auditOf = async ({ target, action }: Case): Promise<Entry[]> =>
  world.api.sql<Entry>(
    'select action, actor, details from audit_logs where target_type = ? and target_id = ? and action = ? order by id',
    [target.type, target.id, action],
  );
const afterOf = async (decided: Case): Promise<unknown[]> =>
  (await auditOf(decided)).map(({ actor, details }) => [actor.split('@')[0], details.after]);

describe.each([
  ['a payment under review', paymentUnderReview, 'awaiting-second-approval'],
  ['unapplied money', unappliedMoney, '"awaitsSecondPerson":true'],
  ['a refund under review', refundUnderReview, 'awaiting-second-approval'],
] as const)('%s', (_name, open, waits) => {
  test.each(WAYS_TO_GO)('is not decided by one person when the other one %s', async (_way, goes) => {
    // An operator who is no longer trusted must not count as one of two people.
    const decided = await open();
    expect((await decided.say('goes')).text).toContain(waits);
    await goes();
    expect((await decided.say('second')).text).toContain(waits);
    expect(await decided.say('second')).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    await returns();
    expect((await decided.say('third')).text).not.toContain(waits);
    const replaces = { operatorId: String(ids['goes']), decision: expect.any(String) };
    expect(await afterOf(decided)).toMatchObject([
      ['goes', { complete: false }],
      ['second', { complete: false, replaces }],
      ['third', { complete: true }],
    ]);
  });

  test('says in the audit log which word nothing followed from', async () => {
    // Otherwise the log would seem to contain two completed decisions.
    const decided = await open();
    await decided.say('second');
    await decided.say('third');
    expect(await afterOf(decided)).toMatchObject([
      ['second', { complete: false }],
      ['third', { complete: true }],
    ]);
  });
});

describe('a refund that waits for approval', () => {
  test.each([
    ['is disabled', WAYS_TO_GO[0][1]],
    ['may not start one any more', WAYS_TO_GO[1][1]],
  ] as const)('is rejected and not approved once whoever asked for it %s', async (_way, goes) => {
    // Otherwise one person alone would make the refund.
    const { id: payment } = await world.api.paidPayment(shop);
    const { data } = await send('goes', `/admin/payments/${payment}/refunds`, { amountMinor: 9_000 });
    const { id } = data as { id: number };
    await goes();
    expect(await send('second', `/admin/refunds/${id}/approve`)).toMatchObject({
      status: 409,
      code: 'INVALID_OPERATION_STATE',
      message: expect.stringContaining('reject it'),
    });
    expect((await send('second', `/admin/refunds/${id}/reject`, { reason: 'ask anew' })).status).toBe(200);
  });

  test('is approved when whoever asked for it is back', async () => {
    // The operators' current permissions count.
    const { id: payment } = await world.api.paidPayment(shop);
    const { data } = await send('goes', `/admin/payments/${payment}/refunds`, { amountMinor: 9_000 });
    await WAYS_TO_GO[0][1]();
    await returns();
    tokens['goes'] = await world.logIn('goes@example.com');
    expect(await send('second', `/admin/refunds/${(data as { id: number }).id}/approve`)).toMatchObject({
      data: { status: 'PENDING' },
    });
  });
});
