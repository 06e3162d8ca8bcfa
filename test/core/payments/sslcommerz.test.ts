import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Verdict } from '../../../workflows/messages/payment.ts';
import { until } from '../../support/until.ts';
import type { StoredPayment } from '../../support/stored.ts';
import { createPaymentWorld, STORES, type PaymentWorld, type Row } from './payment-world.ts';

/* Payments all the way through SSLCOMMERZ's simulator, the callback endpoint and the database. */

let world: PaymentWorld;
beforeAll(async () => {
  world = await createPaymentWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.sent.late.length = 0;
});

const HELD = { kind: 'held', amountMinor: '10000', currency: 'BDT' };
/** The simulator reads what it does from the last digits of the amount. */
const scripted = (number: number): { amountMinor: bigint } => ({ amountMinor: 131_300n + BigInt(number) });
const verify = (input: StoredPayment): Promise<Verdict> => world.activities.verifyPayment({ ...input, final: false });
const finalize = (input: StoredPayment) => world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
const findUnapplied = (input: StoredPayment, attempt: Row) =>
  world.activities.recordUnappliedPayment({ ...input, attemptReference: String(attempt['reference']) });
const heldRows = (input: StoredPayment): Promise<Row[]> =>
  world.rows('select * from unapplied_payments where payment_id = ?::bigint', [input.paymentId]);
const callbacksArrive = (input: StoredPayment, count: number): Promise<unknown> =>
  until(async () => (await world.callbacksOf(input)).length === count);

/** Creates a payment that is paid at the gateway and whose IPN is stored. */
async function paid(fields = {}): Promise<{ input: StoredPayment; attempt: Row }> {
  const opened = await world.opened(fields);
  await world.finish(opened.attempt);
  await callbacksArrive(opened.input, 1);
  return opened;
}

test('a charge finalizes its payment with the gateway’s own words, and is not unapplied as well', async () => {
  // Years later, `npm run verify` compares the ledger with this evidence. A repeated IPN after the success is about the same money.
  const { input, attempt } = await paid();
  expect(await verify(input)).toEqual({ kind: 'charged' });
  const row = await world.attemptRow(input);
  expect(row).toMatchObject({ status: 'CONFIRMED', gross_minor: '10000', fee_minor: '250', net_text: '97.50' });
  expect(JSON.parse(String(row['evidence']))).toMatchObject({ tran_id: attempt['reference'], amount: '100.00' });
  expect(await world.callbacksOf(input)).toMatchObject([{ outcome: 'ACCEPTED', signature_valid: true }]);
  expect(await finalize(input)).toBe('SUCCEEDED');
  expect(await findUnapplied(input, attempt)).toEqual({ kind: 'nothing' });
  expect(await heldRows(input)).toEqual([]);
});

test('a query that fails decides nothing, and a later one confirms the charge', async () => {
  // A missing answer is neither success nor failure. Every kind of failure is in sslcommerz-answers.test.ts and the gateways' contract.
  const { input, attempt } = await world.opened(scripted(30));
  await world.finish(attempt);
  await expect(verify(input)).rejects.toMatchObject({ type: 'GATEWAY_AMBIGUOUS' });
  expect(await world.attemptRow(input)).toMatchObject({ status: 'OPEN', evidence: null });
  await until(async () => (await verify(input).catch(() => null))?.kind === 'charged');
});

describe('an IPN', () => {
  test('that names another amount changes nothing', async () => {
    // A wrong amount in a correctly signed IPN does not matter, because only the gateway's answer counts.
    const { input } = await paid(scripted(21));
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(await world.attemptRow(input)).toMatchObject({ gross_minor: '131321' });
  });

  test('that is forged and claims success decides nothing', async () => {
    // Hostile case 41: a notice without a charge is not a payment.
    const { input, attempt } = await world.opened();
    const forged = { tran_id: String(attempt['reference']), val_id: 'FORGED123', status: 'VALID', amount: '100.00' };
    expect((await world.post('ipn', forged)).status).toBe(200);
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: false });
    expect(await world.callbacksOf(input)).toMatchObject([{ outcome: 'FORGED', signature_valid: false }]);
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
  });

  test('that another order’s genuine IPN was copied into decides nothing', async () => {
    // Hostile case 41: the charge of one order must not pay another.
    const genuine = await paid();
    const old = await world.notice(genuine.attempt);
    const { input, attempt } = await world.opened();
    await world.post('ipn', { ...old, tran_id: String(attempt['reference']) });
    const { verify_sign, verify_sign_sha2, verify_key, ...fields } = old;
    expect(verify_sign_sha2 ?? verify_sign).not.toBe(verify_key);
    await world.post('ipn', world.signed({ ...fields, tran_id: String(attempt['reference']) }));
    expect(await verify(input)).toMatchObject({ kind: 'undecided' });
    expect(await world.attemptRow(input)).toMatchObject({ status: 'OPEN', validation_id: null });
  });
});

describe('a second charge under one reference', () => {
  /** Makes the gateway open another session under the same reference. Returns its key. */
  async function secondSession(attempt: Row): Promise<string> {
    const callback = (kind: string): string => `${world.apiUrl}/gateway/sslcommerz/test/${kind}`;
    const outcome = await world.deps.gateways
      .open('sslcommerz', 'TEST', { storeId: STORES.TEST.id, sealedSecret: null })
      ?.openSession({
        attemptReference: String(attempt['reference']),
        amount: { amountMinor: 10_000n, currency: 'BDT' },
        productName: 'A book',
        customer: {
          name: 'Customer',
          email: 'customer@example.com',
          phone: '01711111111',
          address: 'Dhaka',
          city: 'Dhaka',
          postcode: '1000',
          country: 'Bangladesh',
        },
        callbacks: {
          success: callback('success'),
          fail: callback('fail'),
          cancel: callback('cancel'),
          ipn: callback('ipn'),
          back: callback('return'),
        },
        expiresAt: new Date('2026-11-22T01:00:00Z'),
        readAt: new Date('2026-11-22T00:30:00Z'),
      });
    return outcome?.kind === 'opened' ? outcome.sessionKey : '';
  }

  /** Creates a payment whose payer has two tabs with a session each. */
  async function twoSessions(): Promise<{ input: StoredPayment; attempt: Row; first: Row; second: Row }> {
    const { input, attempt } = await world.opened();
    const second = { reference: await secondSession(attempt) };
    return { input, attempt, first: { reference: attempt['session_key'] }, second };
  }

  test('is held once if it comes after the payment was finalized', async () => {
    // A payer who paid in two tabs must get the second amount back.
    const { input, attempt, first, second } = await twoSessions();
    await world.finish(first);
    await callbacksArrive(input, 1);
    await verify(input);
    await finalize(input);
    await world.rows('update payments set last_signalled_at = null where id = ?::bigint returning 1', [
      input.paymentId,
    ]);
    await world.finish(second);
    await until(() => world.sent.late.some(({ attemptReference }) => attemptReference === attempt['reference']));
    expect(await world.control('GET', `charges?tran_id=${String(attempt['reference'])}`)).toHaveLength(2);
    expect(await findUnapplied(input, attempt)).toEqual(HELD);
    expect(await findUnapplied(input, attempt)).toEqual(HELD);
    expect(await heldRows(input)).toHaveLength(1);
    expect(
      await world.rows(
        'select 1 from ledger_postings p join ledger_transactions t on t.id = p.transaction_id where t.cause_id = ?',
        [input.reference],
      ),
    ).toHaveLength(2);
  });

  test('is held if both notices came before the payment was finalized', async () => {
    // One query finds one charge. The callback of the other must not be closed with it, or that money would be forgotten.
    const { input, attempt, first, second } = await twoSessions();
    await world.finish(first);
    await world.finish(second);
    await callbacksArrive(input, 2);
    await verify(input);
    await finalize(input);
    const open = (await world.callbacksOf(input)).filter(({ consumed_at: at }) => at === null);
    expect(open).toHaveLength(1);
    expect(await findUnapplied(input, attempt)).toEqual(HELD);
    expect(await heldRows(input)).toHaveLength(1);
    expect((await world.callbacksOf(input)).every(({ consumed_at: at }) => at !== null)).toBe(true);
  });
});
