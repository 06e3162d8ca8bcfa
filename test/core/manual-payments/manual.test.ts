import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSweepActivities } from '../../../activities/sweep.ts';
import { registerApplication } from '../../../core/applications/store/applications.ts';
import { chooseGateway } from '../../../core/payments/store/gateway-choices.ts';
import { chooseStore } from '../../../core/gateways/store/stores.ts';
import { attemptReference } from '../../../domain/references.ts';
import { decidedNotice } from '../../../gateways/manual/callback.ts';
import { readEvidence } from '../../../scripts/commands/read-evidence.ts';
import { wordsIn } from '../../../web/checkout/words.ts';
import { until } from '../../support/until.ts';
import { openManualWorld, SETTINGS, type ManualWorld } from './manual-world.ts';
import { secrets, STORES } from '../payments/payment-world.ts';

/* A whole manual payment: the payer names a transaction, operators check it, and only then is it paid. */

let manual: ManualWorld;
beforeAll(async () => {
  manual = await openManualWorld();
});
afterAll(() => manual.close());

let transactions = 0;
/** Returns a transaction id that no test has used. */
const transaction = (): string => {
  transactions += 1;
  return `TRX-${String(transactions).padStart(6, '0')}`;
};

describe('a payer', () => {
  test('is told how to pay, tells his transaction, and has paid when an operator has found it', async () => {
    // The payer's text proves nothing. The operator's confirmation is the charge, and it records who confirmed.
    const { world } = manual;
    const { input, attempt } = await manual.opened({ amountMinor: 150_000n });
    expect(attempt).toMatchObject({ status: 'OPEN', gateway: 'manual', store_id: 'bank', gateway_url: null });
    const page = await manual.page(input);
    expect(page).toContain('Bank transfer');
    expect(page).toContain('Account 0123 456 789 &#60;b&#62;Shop &#38; Co&#60;/b&#62;');
    expect(page).toContain(String(attempt['reference']));
    expect(await manual.page(input, '?lang=bn')).toContain('হিসাব ০১২৩ ৪৫৬ ৭৮৯');

    const said = transaction();
    const answer = await manual.submits(input, { transaction: ` ${said} `, sender: '01712345678' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `/checkout/${input.reference}?lang=en`]);
    expect(await world.activities.verifyPayment({ ...input, final: false })).toMatchObject({ kind: 'undecided' });
    const waits = await manual.page(input);
    expect(waits).toContain('data-state="submitted"');
    expect(waits).toContain(said);
    // Anybody with the reference can read the page, so it must not show the payer's phone number.
    expect(waits).not.toContain('01712345678');

    const [submission] = await manual.waiting(input);
    expect(submission).toMatchObject({
      transaction: said,
      sender: '01712345678',
      code: attempt['reference'],
      status: 'WAITING',
    });
    expect(await manual.decides('asha', submission, 'confirm')).toMatchObject({
      status: 200,
      data: { status: 'CONFIRMED' },
    });
    expect(world.sent.callbacks.at(-1)?.reference).toBe(input.reference);
    expect(await manual.page(input)).toContain('data-state="confirming"');

    expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({ kind: 'charged' });
    expect(await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' })).toBe('SUCCEEDED');
    const confirmed = await world.attemptRow(input);
    expect(confirmed).toMatchObject({
      status: 'CONFIRMED',
      gross_minor: '150000',
      fee_minor: '0',
      gateway_txn_id: said,
    });
    const evidence = String(confirmed['evidence']);
    const [decision] = await world.rows(`select id, operator_id, outcome from decisions where payment_id = ?::bigint`, [
      input.paymentId,
    ]);
    expect(JSON.parse(evidence)).toMatchObject({
      submissionId: String(submission?.['id']),
      decisionId: decision?.['id'],
      operatorIds: [decision?.['operator_id']],
    });
    expect(readEvidence({ gateway: 'manual', text: evidence })).toMatchObject({ grossMinor: 150_000n, feeMinor: 0n });
    expect(
      await world.rows(
        `select d.name as debit, c.name as credit, p.amount_minor from ledger_transactions t join ledger_postings p on p.transaction_id = t.id
           join ledger_accounts d on d.id = p.debit_account_id join ledger_accounts c on c.id = p.credit_account_id
         where t.cause_id = ?`,
        [input.reference],
      ),
    ).toEqual([{ debit: 'gateway:manual:clearing', credit: 'app:payable', amount_minor: '150000' }]);
    expect(await manual.page(input)).toContain('data-state="succeeded"');
  });

  test('has the days that the settings give him, not the minutes of a page', async () => {
    // A bank transfer takes longer than a wallet payment.
    const { input } = await manual.opened({ expiresInMs: 60_000 });
    const { expires_at: at } = await manual.world.paymentRow(input);
    expect(Math.round((new Date(String(at)).getTime() - Date.now()) / 3_600_000)).toBe(72);
  });

  test.each([
    ['', 'transaction'],
    ['abc', 'transaction'],
    ['---- ----', 'transaction'],
    ['x'.repeat(65), 'transaction'],
    ['TRX\n0001', 'transaction-characters'],
    ['TRX\u00000001', 'transaction-characters'],
    ['TX123456\ufe0f78', 'transaction-characters'],
    ['TX123456\u034f78', 'transaction-characters'],
    ['ТХ12345678', 'transaction-characters'],
    ['ﷺ'.repeat(20), 'transaction-characters'],
    [transaction(), 'sender'],
  ] as const)('who writes %j is told what is wrong with the %s, and nothing is kept', async (text, problem) => {
    // Without JavaScript, only the server can tell the payer what is wrong.
    const { input } = await manual.opened();
    const sender = problem === 'sender' ? 's'.repeat(121) : '';
    const answer = await manual.submits(input, { transaction: text, sender });
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      `/checkout/${input.reference}?problem=${problem}&lang=en`,
    ]);
    const page = await manual.page(input, `?problem=${problem}`);
    expect(page).toContain('role="alert"');
    const words = wordsIn('en').problems;
    expect(page).toContain(words[problem]);
    expect(await manual.page(input, `?problem=${problem}&lang=bn`)).toContain(wordsIn('bn').problems[problem]);
    expect(await manual.waiting(input)).toEqual([]);
  });

  test('whose form is not the page’s is refused, and nothing is kept', async () => {
    // A faulty program has to get a clear error.
    const { input } = await manual.opened();
    const said = transaction();
    const statuses = [
      (await manual.submits(input, `transaction=${said}&transaction=${said}`)).status,
      (await manual.submits(input, 'sender=me')).status,
      (await manual.submits(input, `transaction=${said}&sender=a&sender=b`)).status,
      (await manual.submits(input, `transaction=${'x'.repeat(5_000)}`)).status,
    ];
    expect(statuses).toEqual([400, 400, 400, 413]);
    expect(await manual.waiting(input)).toEqual([]);
  });

  test('may correct himself until somebody has decided; what he wrote before is kept, and cannot be decided on', async () => {
    // The operator must decide on the payer's latest text.
    const { input } = await manual.opened();
    const [wrong, right] = [transaction(), transaction()];
    await manual.submits(input, { transaction: wrong });
    await manual.submits(input, { transaction: wrong });
    const [first] = await manual.waiting(input);
    await manual.submits(input, { transaction: right, sender: 'রহিম' });
    expect(await manual.waiting(input)).toMatchObject([{ transaction: right, sender: 'রহিম' }]);
    expect(await manual.waiting(input, 'CORRECTED')).toMatchObject([{ id: first?.['id'], transaction: wrong }]);
    expect(await manual.decides('asha', first, 'confirm')).toMatchObject({
      status: 409,
      code: 'INVALID_OPERATION_STATE',
    });
    const [second] = await manual.waiting(input);
    expect((await manual.decides('asha', second, 'confirm')).status).toBe(200);
    await manual.submits(input, { transaction: transaction() });
    expect(await manual.waiting(input)).toEqual([]);
    expect((await manual.decides('babul', second, 'reject')).status).toBe(409);
  });

  test('is stopped after the twentieth correction', async () => {
    // A program that writes for ever must not fill the database.
    const { input } = await manual.opened();
    const statuses: number[] = [];
    for (let correction = 0; correction < 21; correction += 1) {
      statuses.push((await manual.submits(input, { transaction: transaction() })).status);
    }
    expect(statuses.slice(18)).toEqual([303, 303, 429]);
  });

  test('whose transaction was rejected reads why, and may name another one', async () => {
    // Otherwise an honest mistake would cost the payer the order.
    const { world } = manual;
    const { input } = await manual.opened();
    await manual.submits(input, { transaction: transaction() });
    const [wrong] = await manual.waiting(input);
    const reason = 'No such <transfer> on 4 June';
    expect((await manual.decides('asha', wrong, 'reject', reason)).data).toMatchObject({ status: 'REJECTED' });
    expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({
      kind: 'undecided',
      hopeful: false,
    });
    const page = await manual.page(input);
    expect(page).toContain('data-state="manual"');
    expect(page).toContain('No such &#60;transfer&#62; on 4 June');
    await manual.submits(input, { transaction: transaction() });
    const [right] = await manual.waiting(input);
    await manual.decides('asha', right, 'confirm');
    expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({ kind: 'charged' });
  });
});

describe('a payer who named a transaction and then went to a gateway', () => {
  /** Submits a transaction, and switches to SSLCOMMERZ before operators decide. Its page is open. */
  async function leftWaiting() {
    const { world } = manual;
    const { input, attempt: left } = await manual.opened();
    await manual.submits(input, { transaction: transaction() });
    await world.rows(`update payments set gateway_choices = '{manual,sslcommerz}' where id = ?::bigint returning 1`, [
      input.paymentId,
    ]);
    const choice = { paymentId: BigInt(input.paymentId), gateway: 'sslcommerz', storeId: STORES.TEST.id };
    const scope = { applicationId: BigInt(input.applicationId), mode: input.mode };
    const chosen = await world.database.withScope(scope, (statements) =>
      chooseGateway(statements, { ...choice, reference: attemptReference() }),
    );
    expect(chosen).toMatchObject({ kind: 'chosen' });
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'open', gateway: 'sslcommerz' });
    const [submission] = await manual.waiting(input);
    return { world, input, left, submission };
  }

  test('has paid once; what operators then find is unapplied money', async () => {
    // The payer may really have paid twice, and both amounts are theirs.
    const { world, input, left, submission } = await leftWaiting();
    await world.finish(await world.attemptRow(input));
    await until(async () => (await world.callbacksOf(input)).length > 0);
    expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({ kind: 'charged' });
    expect(await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' })).toBe('SUCCEEDED');
    expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED', gateway: 'sslcommerz' });
    world.sent.late.length = 0;
    expect((await manual.decides('asha', submission, 'confirm')).status).toBe(200);
    expect(world.sent.late).toMatchObject([{ attemptReference: left['reference'] }]);
    const late = { ...input, attemptReference: String(left['reference']) };
    for (let times = 0; times < 2; times += 1) {
      expect(await world.activities.recordUnappliedPayment(late)).toMatchObject({ kind: 'held', amountMinor: '10000' });
    }
  });

  test('is not expired while operators have not decided, and has paid when they find it', async () => {
    // The payment must not expire while the payer may have paid.
    const { world, input, submission } = await leftWaiting();
    expect(await world.activities.verifyPayment({ ...input, final: true })).toMatchObject({
      kind: 'undecided',
      withOperator: true,
    });
    await manual.decides('asha', submission, 'confirm');
    expect(await world.activities.verifyPayment({ ...input, final: true })).toEqual({ kind: 'charged' });
    expect(await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' })).toBe('SUCCEEDED');
  });
});

describe('operators', () => {
  test('above the threshold are two, and what they decide on stands still meanwhile', async () => {
    // Otherwise one operator alone could mark a large payment as paid.
    const { world } = manual;
    await world.rows(`update applications set refund_approval_threshold_minor = 5000 returning 1`);
    const { input } = await manual.opened({ amountMinor: 5_001n });
    const small = await manual.opened({ amountMinor: 5_000n });
    await manual.submits(input, { transaction: transaction() });
    await manual.submits(small.input, { transaction: transaction() });
    const [submission] = await manual.waiting(input);
    expect((await manual.decides('viewer', submission, 'confirm')).status).toBe(403);
    expect((await manual.decides('asha', submission, 'confirm')).data).toMatchObject({
      status: 'WAITING',
      decision: { decision: 'confirm', awaitsSecondPerson: true },
    });
    expect((await manual.decides('asha', submission, 'confirm')).status).toBe(403);
    await manual.submits(input, { transaction: transaction() });
    expect(await manual.waiting(input)).toMatchObject([{ id: submission?.['id'] }]);
    expect(await manual.page(input)).not.toContain('<form');
    expect(await world.activities.verifyPayment({ ...input, final: false })).toMatchObject({ withOperator: true });

    expect((await manual.decides('babul', submission, 'confirm')).data).toMatchObject({ status: 'CONFIRMED' });
    expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({ kind: 'charged' });
    const { evidence } = await world.attemptRow(input);
    expect((JSON.parse(String(evidence)) as { operatorIds: string[] }).operatorIds).toHaveLength(2);
    const [alone] = await manual.waiting(small.input);
    // Together with this payment, the first operator's decisions of today exceed the threshold. A second approval does not count for the operator who
    // gives it.
    expect((await manual.decides('babul', alone, 'confirm')).data).toMatchObject({ status: 'CONFIRMED' });
    await world.rows(`update applications set refund_approval_threshold_minor = null returning 1`);
  });

  test('who confirm one transaction for two payments at once confirm one of them, however it is written', async () => {
    // Otherwise one transfer could pay for two orders.
    const { world } = manual;
    const said = transaction();
    const spellings = [
      said,
      ` ${said.toLowerCase().replace('-', ' ')} `,
      said.replaceAll(/[0-9]/g, (digit) => '০১২৩৪৫৬৭৮৯'[Number(digit)] ?? ''),
      said.replaceAll(/[0-9]/g, (digit) => '٠١٢٣٤٥٦٧٨٩'[Number(digit)] ?? ''),
      said.replaceAll(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0)),
    ];
    const inputs = [];
    const submissions = [];
    for (const spelling of spellings) {
      const { input } = await manual.opened();
      await manual.submits(input, { transaction: spelling });
      inputs.push(input);
      submissions.push((await manual.waiting(input))[0]);
    }
    expect(
      (await manual.waiting(inputs[0] ?? { paymentId: '', reference: '', applicationId: '', mode: 'TEST' }))[0],
    ).toMatchObject({ claimedByOthers: 4, comparedAs: said.replace('-', '') });
    const answers = await Promise.all(
      submissions.map((submission, index) => manual.decides(index === 0 ? 'asha' : 'babul', submission, 'confirm')),
    );
    expect(answers.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([
      200, 409, 409, 409, 409,
    ]);
    const verdicts = [];
    for (const input of inputs) {
      verdicts.push((await world.activities.verifyPayment({ ...input, final: false })).kind);
    }
    expect(verdicts.sort()).toEqual(['charged', 'undecided', 'undecided', 'undecided', 'undecided']);
  });

  test('of one application neither block nor count what goes into another one’s account of the same name', async () => {
    // One tenant must not use up another's transaction ids. Tenants that use the installation's shared account share them.
    const { world } = manual;
    const { database } = world;
    const tenant = async (name: string, ownAccount: boolean): Promise<bigint> => {
      const { applicationId } = await registerApplication({ database, secrets }, { name, webhookUrl: null });
      if (ownAccount) {
        await database.withOperator('every-app', (em) =>
          chooseStore(em, secrets, {
            applicationId,
            mode: 'TEST',
            gateway: 'manual',
            storeId: 'bank',
            password: JSON.stringify(SETTINGS),
          }),
        );
      }
      return applicationId;
    };
    const said = transaction();
    const tenants = [
      world.app.applicationId,
      await tenant('First with an account', true),
      await tenant('Second with an account', true),
      await tenant('Without an account', false),
    ];
    const inputs = [];
    for (const applicationId of tenants) {
      const { input, attempt } = await manual.opened({ applicationId });
      expect(attempt).toMatchObject({ store_id: 'bank' });
      await manual.submits(input, { transaction: said });
      inputs.push(input);
    }
    const claims = [];
    const statuses = [];
    for (const input of inputs) {
      const [submission] = await manual.waiting(input);
      claims.push(submission?.['claimedByOthers']);
      statuses.push((await manual.decides('asha', submission, 'confirm')).status);
    }
    expect([claims, statuses]).toEqual([
      [1, 0, 0, 1],
      [200, 200, 200, 409],
    ]);
    for (const input of inputs.slice(0, 3)) {
      expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({ kind: 'charged' });
    }
  });

  test('who try one transaction in TEST have used it up for nothing in LIVE', async () => {
    // A shop can use the same account name in both modes, and a TEST payment must not block a LIVE one.
    const { world } = manual;
    const said = transaction();
    for (const mode of ['TEST', 'LIVE'] as const) {
      const { input } = await manual.opened({ mode });
      await manual.submits(input, { transaction: said });
      const [submission] = await manual.waiting(input);
      expect((await manual.decides('asha', submission, 'confirm')).data).toMatchObject({ status: 'CONFIRMED' });
      expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({ kind: 'charged' });
    }
  });

  test('whose signal is lost are heard all the same', async () => {
    // The row is authoritative. A signal only wakes the workflow.
    const { world } = manual;
    const { input } = await manual.opened();
    await manual.submits(input, { transaction: transaction() });
    const [submission] = await manual.waiting(input);
    world.temporal.signalCallback = () => Promise.reject(new Error('Temporal is away'));
    await manual.decides('asha', submission, 'confirm');
    delete world.temporal.signalCallback;
    world.sent.callbacks.length = 0;
    await world.rows(`update gateway_callbacks set next_sweep_at = now() where payment_id = ?::bigint returning 1`, [
      input.paymentId,
    ]);
    await createSweepActivities(world.deps).sweep();
    expect(world.sent.callbacks.map(({ reference }) => reference)).toContain(input.reference);
    expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({ kind: 'charged' });
  });

  test('are waited for at expiry, however long; a rejected transaction ends it then', async () => {
    // The payment must not expire while the payer may have paid.
    const { world } = manual;
    const { input } = await manual.opened();
    const { input: untold } = await manual.opened();
    expect(await world.activities.verifyPayment({ ...untold, final: true })).toEqual({ kind: 'expired' });
    await manual.submits(input, { transaction: transaction() });
    await world.rows(`update payments set expires_at = now() - interval '80 hours' where id = ?::bigint returning 1`, [
      input.paymentId,
    ]);
    expect(await world.activities.verifyPayment({ ...input, final: true })).toEqual({
      kind: 'undecided',
      hopeful: false,
      withOperator: true,
    });
    const late = await manual.submits(input, { transaction: transaction() });
    expect(late.status).toBe(303);
    expect(await manual.page(input)).not.toContain('<form');
    const [submission] = await manual.waiting(input);
    await manual.decides('asha', submission, 'reject');
    expect(await world.activities.verifyPayment({ ...input, final: true })).toEqual({ kind: 'expired' });
  });

  test('who confirm money for a payment that has ended find it as unapplied money, once', async () => {
    // Otherwise a transfer that arrives late would be lost.
    const { world } = manual;
    const { input, attempt } = await manual.opened();
    await manual.submits(input, { transaction: transaction() });
    await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
    const [submission] = await manual.waiting(input);
    world.sent.late.length = 0;
    expect((await manual.decides('asha', submission, 'confirm')).status).toBe(200);
    expect(world.sent.late).toMatchObject([{ attemptReference: attempt['reference'] }]);
    const late = { ...input, attemptReference: String(attempt['reference']) };
    for (let times = 0; times < 2; times += 1) {
      expect(await world.activities.recordUnappliedPayment(late)).toMatchObject({ kind: 'held', amountMinor: '10000' });
    }
    expect(
      await world.rows('select 1 from unapplied_payments where payment_id = ?::bigint', [input.paymentId]),
    ).toHaveLength(1);
  });

  test('pay a refund back by hand, and two of them say so', async () => {
    // No gateway sends the money back, so the refund must not succeed without people who confirm it.
    const { world } = manual;
    const { input } = await manual.opened();
    await manual.submits(input, { transaction: transaction() });
    await manual.decides('asha', (await manual.waiting(input))[0], 'confirm');
    await world.activities.verifyPayment({ ...input, final: false });
    await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
    const made = await manual.operator('owner', 'POST', `/admin/payments/${input.paymentId}/refunds`, {
      amountMinor: 4_000,
    });
    expect(made.status).toBe(201);
    const refundId = String(made.data['id']);
    const [row] = await world.rows('select reference from refunds where id = ?::bigint', [refundId]);
    const refund = {
      refundId,
      reference: String(row?.['reference']),
      applicationId: input.applicationId,
      mode: input.mode,
    };
    const answer = await world.activities.driveRefund(refund);
    expect(answer).toEqual({ kind: 'unclear', reason: 'PAID_BACK_BY_HAND' });
    await world.activities.markRefundForReview({ ...refund, reason: 'PAID_BACK_BY_HAND' });
    const decide = (as: string) =>
      manual.operator(as, 'POST', `/admin/refunds/${refundId}/review`, { decision: 'refunded', reason: 'Sent back' });
    expect((await decide('asha')).data).toMatchObject({ decision: 'awaiting-second-approval' });
    expect((await decide('babul')).status).toBe(200);
    expect(await world.rows('select status from refunds where id = ?::bigint', [refundId])).toEqual([
      { status: 'PENDING' },
    ]);
    expect(await world.activities.endRefund({ ...refund, status: 'SUCCEEDED' })).toBe('SUCCEEDED');
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PARTIALLY_REFUNDED' });
  });
});

test('nobody outside can say that operators have decided', async () => {
  // Only Lenden itself may send the notice of a decision. Otherwise anybody could mark a payment as paid.
  const { world } = manual;
  const { input, attempt } = await manual.opened();
  await manual.submits(input, { transaction: transaction() });
  const notice = decidedNotice({
    attemptReference: String(attempt['reference']),
    validationId: 'TRX1',
    decisionId: '1',
    decided: 'confirmed',
  });
  const answer = await fetch(`${world.apiUrl}/gateway/manual/test/ipn`, { method: 'POST', body: notice });
  expect(answer.status).toBe(404);
  expect(await world.callbacksOf(input)).toEqual([]);
  expect(await world.activities.verifyPayment({ ...input, final: false })).toMatchObject({ kind: 'undecided' });
});

test('what was submitted and confirmed is never changed nor removed', async () => {
  // The rows are the evidence of a payment.
  const { world } = manual;
  for (const table of ['manual_submissions', 'manual_confirmations']) {
    await expect(world.rows(`update ${table} set normalized = 'X'`)).rejects.toThrow();
    await expect(world.rows(`delete from ${table}`)).rejects.toThrow();
  }
});

test.each(['', '{}', 'null', '{"label":"Bank"}', JSON.stringify({ ...SETTINGS, payWithinHours: 0 })])(
  'settings %j are not taken from an operator',
  async (storePassword) => {
    // Otherwise the next payer would see no payment instructions.
    const path = '/admin/gateways/manual/LIVE';
    const refused = await manual.operator('owner', 'PUT', path, { storeId: 'bank 2', storePassword });
    expect(refused).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
  },
);
