import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { beginTellingApprovers } from '../../../core/approvals/tell-approvers.ts';
import { createLogger } from '../../../runtime/logger.ts';
import type { EmailOutcome } from '../../../runtime/mail/outcome.ts';
import type { Mail } from '../../../runtime/mailer.ts';
import { openOperatorWorld, type OperatorWorld } from '../../api/admin/operator-world.ts';

let world: OperatorWorld;
let first: Registration;
let second: Registration;
let owner: bigint;
let approver: bigint;
let payments: { first: bigint; second: bigint };

beforeAll(async () => {
  world = await openOperatorWorld();
  first = await world.api.register({ name: 'First' });
  second = await world.api.register({ name: 'Second <b>&' });
  await world.api.sql(`insert into roles (name, permissions) values ('Approver', '{refund:approve}')`);
  owner = await world.addOperator({ email: 'owner@example.com', role: 'Super Admin' });
  approver = await world.addOperator({
    email: 'approver@example.com',
    role: 'Approver',
    applicationId: second.applicationId,
  });
  await world.addOperator({ email: 'viewer@example.com', role: 'Viewer' });
  payments = {
    first: BigInt((await world.api.paidPayment(first)).id),
    second: BigInt((await world.api.paidPayment(second)).id),
  };
});
afterAll(() => world.close());
beforeEach(async () => {
  for (const table of ['approval_notices', 'decisions', 'refunds', 'pending_changes']) {
    await world.api.sql(`delete from ${table}`);
  }
});

const SENT: EmailOutcome = { kind: 'sent' };
const UNREACHABLE: EmailOutcome = { kind: 'unavailable', code: 'no-connection' };

/** Makes one pass of the sweeper, and returns the emails that it sent. */
async function pass(outcome: EmailOutcome = SENT): Promise<Mail[]> {
  const mails: Mail[] = [];
  const mailer = {
    send: async (mail: Mail) => {
      mails.push(mail);
      return outcome;
    },
    close: () => undefined,
  };
  const log = createLogger({ service: 'test', level: 'silent' });
  const webUrl = 'https://pay.example';
  await Promise.all(await beginTellingApprovers({ database: world.database, mailer, webUrl, log }));
  return mails.toSorted((a, b) => a.to.localeCompare(b.to));
}

const receivers = (mails: readonly Mail[]): string[] => mails.map(({ to }) => to);

let refunds = 0;

/** Inserts a refund that waits for approval. */
async function refund(of: 'first' | 'second', askedBy: bigint | null = null): Promise<string> {
  refunds += 1;
  const [row] = await world.api.sql<{ id: string }>(
    `insert into refunds (reference, application_id, mode, payment_id, gateway, store_id, gateway_txn_id, amount_minor, currency, created_by_type,
       created_by_operator_id, status)
     select 'ref_' || lpad(?, 22, '0'), application_id, mode, id, gateway, 's', 't', 123456, 'BDT', ?, ?::bigint, 'AWAITING_APPROVAL'
     from payments where id = ?::bigint returning id::text`,
    [String(refunds), askedBy === null ? 'APP' : 'USER', askedBy, payments[of]],
  );
  return row?.id ?? '';
}

/** Lets the quarter of an hour between two emails to one operator, or the pause between two tries, pass. */
const later = () =>
  world.api.sql(
    `update approval_notices set mailed_at = mailed_at - interval '16 minutes', email_due_at = email_due_at - interval '16 minutes'`,
  );

describe('an operator is told by email', () => {
  test('what waits for a decision that they may make, once, with a link to it', async () => {
    const id = await refund('second');
    const mails = await pass();
    expect(receivers(mails)).toEqual(['approver@example.com', 'owner@example.com']);
    expect(mails[0]?.subject).toBe('[TEST] Refund to approve – Lenden at pay.example');
    expect(mails[0]?.text).toContain('Refund to approve: BDT 1,234.56 · Second <b>& · TEST');
    expect(mails[0]?.text).toContain(`https://pay.example/admin/test/refunds/${id}\n`);
    expect(mails[0]?.html).toContain('Second &#60;b&#62;&#38;');
    expect(mails[0]?.html).toContain(`href="https://pay.example/admin/test/refunds/${id}"`);
    await later();
    expect(await pass()).toEqual([]);
  });

  test('not of an application where they may not decide', async () => {
    await refund('first');
    expect(receivers(await pass())).toEqual(['owner@example.com']);
  });

  test('not what they asked for themselves', async () => {
    await refund('second', approver);
    expect(receivers(await pass())).toEqual(['owner@example.com']);
  });

  test('everything that waits in one email, and no other for a quarter of an hour', async () => {
    await refund('second');
    await refund('first');
    const mails = await pass();
    expect(mails[1]?.subject).toBe('[TEST] 2 things wait for your decision – Lenden at pay.example');
    expect(mails[1]?.html).toContain('href="https://pay.example/admin/test/"');
    expect(mails[1]?.text.match(/admin\/test\/refunds\/\d+/g)).toHaveLength(2);
    await refund('first');
    expect(await pass()).toEqual([]);
    await later();
    expect(receivers(await pass())).toEqual(['owner@example.com']);
  });

  test('not what was decided before the email was sent, and not if they were disabled meanwhile', async () => {
    const id = await refund('second');
    expect(receivers(await pass(UNREACHABLE))).toHaveLength(2);
    await world.api.sql(`update operators set status = 'DISABLED' where id = ?`, [owner]);
    await later();
    expect(receivers(await pass(UNREACHABLE))).toEqual(['approver@example.com']);
    await world.api.sql(`update operators set status = 'ACTIVE' where id = ?`, [owner]);
    await world.api.sql(`update refunds set status = 'REJECTED', ended_at = now() where id = ?::bigint`, [id]);
    await later();
    expect(await pass()).toEqual([]);
    await later();
    expect(await pass()).toEqual([]);
  });

  test('again while the mail server cannot be reached, with the same id, for an hour', async () => {
    await refund('first');
    const ids = new Set<string | undefined>();
    let tries = 0;
    for (let number = 0; number < 15; number += 1) {
      const mails = await pass(UNREACHABLE);
      tries += mails.length;
      mails.forEach(({ messageId }) => ids.add(messageId));
      await later();
    }
    expect([tries, ids.size]).toEqual([12, 1]);
  });

  test.each([
    [
      'a decision that needs a second person',
      (subject: string) =>
        `insert into decisions (application_id, mode, kind, payment_id, decision, operator_id, needs_second, amount_minor, currency)
         select application_id, mode, 'review', id, 'accept', ${subject}, true, 500, 'BDT' from payments where id = ${payments.first}`,
      'Decision that needs a second person',
    ],
    [
      'a change that needs a second person',
      (subject: string) =>
        `insert into pending_changes (kind, target_type, target_id, before, after, proposed_by_operator_id)
         values ('operator-roles', 'operator', '1', '{}', '{}', ${subject})`,
      'Change that needs a second person',
    ],
  ])('of %s, unless they are the first', async (_what, insert, name) => {
    await world.api.sql(insert(String(approver)));
    const [mail, ...others] = await pass();
    expect([mail?.to, others]).toEqual(['owner@example.com', []]);
    expect(mail?.subject).toContain(name);
    await world.api.sql('delete from approval_notices');
    for (const table of ['decisions', 'pending_changes']) {
      await world.api.sql(`delete from ${table}`);
    }
    await world.api.sql(insert(String(owner)));
    expect(await pass()).toEqual([]);
  });
});

test('an operator is told of a payout case that needs a second person, unless they are the first', async () => {
  const insert = (by: bigint) =>
    world.api.sql(
      `with opened as (insert into reconciliation_cases (reference, mode, gateway, kind, currency, reason, amount_minor)
         values ('case_' || repeat('a', 22), 'LIVE', 'sslcommerz', 'residual', 'BDT', 'RESIDUAL', 900) returning id)
       insert into reconciliation_case_entries (case_id, mode, kind, action, operator_id, currency, amount_minor, needs_second)
       select id, 'LIVE', 'action', 'accept', ?::bigint, 'BDT', 900, true from opened`,
      [by],
    );
  await insert(approver);
  const [mail] = await pass();
  expect(mail).toMatchObject({
    to: 'owner@example.com',
    subject: 'Payout case that needs a second person – Lenden at pay.example',
    text: expect.stringContaining(`https://pay.example/admin/live/cases/case_${'a'.repeat(22)}`),
  });
  await world.api.sql('delete from approval_notices');
  await world.api.sql('update reconciliation_case_entries set operator_id = ?', [owner]);
  expect(await pass()).toEqual([]);
  await world.api.sql('delete from reconciliation_case_entries');
});

test('an operator is told of a manual payment to confirm, and of its correction, until somebody has decided', async () => {
  const submit = (transaction: string) =>
    world.api.sql<{ id: string }>(
      `insert into manual_submissions (application_id, mode, payment_id, attempt_id, transaction, normalized)
       select t.application_id, t.mode, t.payment_id, t.id, ?, ? from payment_attempts t where t.payment_id = ?::bigint returning id::text`,
      [transaction, transaction, payments.first],
    );
  const status = (to: string) =>
    world.api.sql(
      `update payments set status = ?, ended_at = case when ? = 'PENDING' then null else now() end,
         paid_at = case when ? = 'PENDING' then null else now() end where id = ?::bigint`,
      [to, to, to, payments.first],
    );
  await status('PENDING');
  await submit('AB12');
  expect((await pass()).map(({ to, subject }) => [to, subject])).toEqual([
    ['owner@example.com', '[TEST] Manual payment to confirm – Lenden at pay.example'],
  ]);
  await later();
  const [corrected] = await submit('AB13');
  expect(receivers(await pass())).toEqual(['owner@example.com']);
  await world.api.sql(
    `insert into decisions (application_id, mode, kind, payment_id, manual_submission_id, decision, operator_id)
     select application_id, mode, 'manual', payment_id, id, 'reject', ?::bigint from manual_submissions where id = ?::bigint`,
    [approver, corrected?.id],
  );
  await world.api.sql('delete from approval_notices');
  expect(await pass()).toEqual([]);
  await status('SUCCEEDED');
});

test('nothing is noticed without a mail server', async () => {
  await refund('first');
  const log = createLogger({ service: 'test', level: 'silent' });
  expect(
    await beginTellingApprovers({ database: world.database, mailer: null, webUrl: 'https://pay.example', log }),
  ).toEqual([]);
  expect(await world.api.sql('select id from approval_notices')).toEqual([]);
});
