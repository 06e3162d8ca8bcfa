import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSweepActivities } from '../../../activities/sweep.ts';
import { chooseGateway } from '../../../core/payments/store/gateway-choices.ts';
import type { Mode } from '../../../domain/mode.ts';
import { attemptReference } from '../../../domain/references.ts';
import type { NagadAccount } from '../../../runtime/gateway-settings.ts';
import { readEvidence } from '../../../scripts/commands/read-evidence.ts';
import { readOrMakeKeys } from '../../../simulators/nagad/keys.ts';
import { startNagadSimulator } from '../../../simulators/nagad/server.ts';
import type { RunningHost } from '../../../simulators/kit/host.ts';
import { createPaymentWorld, STORES, type NewPayment, type PaymentWorld, type Row } from './payment-world.ts';
import type { StoredPayment } from '../../support/stored.ts';

/* A whole payment at Nagad, through the steps of its workflow. Nagad sends no notifications, so Lenden always has to query. */

const MERCHANTS = [{ id: '683000000000001' }, { id: '683000000000002' }] as const;

let world: PaymentWorld;
let simulator: RunningHost;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'nagad-'));
  const keys = await readOrMakeKeys(dataDir, MERCHANTS);
  simulator = await startNagadSimulator({ dataDir, merchants: MERCHANTS });
  const account = (mode: Mode, id: string): readonly [Mode, NagadAccount] => {
    const merchantPrivateKey = keys.merchants[id]?.privateKey;
    const secret = { merchantPrivateKey, gatewayPublicKey: keys.gateway.publicKey, address: '127.0.0.1' };
    const baseUrl = `${simulator.url}/remote-payment-gateway-1.0/api/dfs`;
    return [mode, { baseUrl, store: { id, secret: JSON.stringify(secret) } }];
  };
  world = await createPaymentWorld({
    nagad: new Map([account('TEST', MERCHANTS[0].id), account('LIVE', MERCHANTS[1].id)]),
  });
});
afterAll(async () => {
  await world.close();
  await simulator.close();
  await rm(dataDir, { recursive: true });
});

const opened = (fields: NewPayment = {}) => world.opened({ gateway: 'nagad', ...fields });

/** Acts as the payer on the page. Returns the address to which the browser is redirected, or null if it is not. */
async function pays(attempt: Row, mobile = '01712345678'): Promise<string | null> {
  const body = new URLSearchParams({ outcome: 'pay', mobile });
  const answer = await fetch(String(attempt['gateway_url']), { method: 'POST', body, redirect: 'manual' });
  await answer.arrayBuffer();
  return answer.headers.get('location');
}

async function charges(attempt: Row): Promise<unknown[]> {
  const answer = await fetch(`${simulator.url}/__sim/charges?tran_id=${String(attempt['reference'])}`);
  return (await answer.json()) as unknown[];
}

const verify = (input: StoredPayment, final = false) => world.activities.verifyPayment({ ...input, final });

test('the browser’s return is stored and signalled, and the payment verified, confirmed and booked', async () => {
  // The payer's return proves nothing, so Lenden queries Nagad.
  const { input, attempt } = await opened();
  expect(attempt).toMatchObject({ status: 'OPEN', store_id: MERCHANTS[0].id });
  expect(world.deps.gateways.pageOrigin('nagad', 'TEST')).toBe(simulator.url);
  const back = await fetch(String(await pays(attempt)), { redirect: 'manual' });
  expect([back.status, back.headers.get('location')]).toEqual([
    303,
    `http://pages.example/checkout/${input.reference}`,
  ]);
  expect(await world.callbacksOf(input)).toMatchObject([{ kind: 'success', signature_valid: true, note: null }]);
  expect(world.sent.callbacks.at(-1)).toMatchObject({ reference: input.reference });

  expect(await verify(input)).toEqual({ kind: 'charged' });
  await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
  const confirmed = await world.attemptRow(input);
  expect(confirmed).toMatchObject({ status: 'CONFIRMED', gross_minor: '10000', fee_minor: '0' });
  expect(readEvidence({ gateway: 'nagad', text: String(confirmed['evidence']) })).toMatchObject({
    attemptReference: attempt['reference'],
    validationId: attempt['session_key'],
    grossMinor: 10_000n,
    gatewayTxnId: confirmed['gateway_txn_id'],
  });
  expect(await charges(attempt)).toHaveLength(1);
});

test('a payer who paid and never came back is found by the last question', async () => {
  // There is no callback, so only the timer queries the gateway.
  const { input, attempt } = await opened();
  expect(await pays(attempt, '01700000010')).toBeNull();
  expect(await world.callbacksOf(input)).toEqual([]);
  expect(await verify(input, true)).toEqual({ kind: 'charged' });
});

/** Runs a pass of the sweeper in which every late query of the attempt is due. */
async function sweep(attempt: Row): Promise<string[]> {
  world.sent.late.length = 0;
  await world.rows(
    `update payment_attempts set query_again_at = now() - interval '1 second' where reference = ? and query_again_at is not null returning 1`,
    [attempt['reference']],
  );
  await createSweepActivities(world.deps).sweep();
  return world.sent.late.map(({ attemptReference }) => attemptReference);
}

async function minutesToNextQuestion(input: StoredPayment): Promise<number | null> {
  const { query_again_at: at } = await world.attemptRow(input);
  return at === null ? null : Math.round((new Date(String(at)).getTime() - Date.now()) / 60_000);
}

test('money that a payer sends after the end, his browser closed, is found and held as late, once', async () => {
  // Nagad sends no notification, and the payer does not come back. Without the late queries, the money would never be found.
  const { input, attempt } = await opened();
  expect(await verify(input, true)).toEqual({ kind: 'expired' });
  await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
  expect(await minutesToNextQuestion(input)).toBe(5);

  expect(await pays(attempt, '01700000010')).toBeNull();
  expect([await world.callbacksOf(input), await charges(attempt)]).toMatchObject([[], [{ amount: '100.00' }]]);

  const late = { ...input, attemptReference: String(attempt['reference']) };
  const minutes: (number | null)[] = [];
  for (let question = 0; question < 3; question += 1) {
    expect(await sweep(attempt)).toEqual([attempt['reference']]);
    minutes.push(await minutesToNextQuestion(input));
    expect(await world.activities.recordUnappliedPayment(late)).toEqual({
      kind: 'held',
      amountMinor: '10000',
      currency: 'BDT',
    });
  }
  expect(minutes).toEqual([55, 1_380, null]);
  expect(await sweep(attempt)).toEqual([]);
  expect(
    await world.rows('select gross_minor, status, kind from unapplied_payments where payment_id = ?::bigint', [
      input.paymentId,
    ]),
  ).toEqual([{ gross_minor: '10000', status: 'HELD', kind: 'late' }]);
  expect(
    await world.rows(`select kind from ledger_transactions where cause_id like ?`, [
      `${String(attempt['reference'])}:%`,
    ]),
  ).toEqual([{ kind: 'unapplied' }]);
});

/** Chooses a gateway as the payer and opens its page. */
async function chosen(input: StoredPayment, gateway: string, storeId: string): Promise<Row> {
  const choice = { paymentId: BigInt(input.paymentId), gateway, reference: attemptReference(), storeId };
  await world.database.withScope({ applicationId: world.app.applicationId, mode: 'TEST' }, (statements) =>
    chooseGateway(statements, choice),
  );
  expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'open', gateway });
  return world.attemptRow(input);
}

/** Creates a payer who left Nagad's page open and went on to SSLCOMMERZ. */
async function wentOn() {
  const input = await world.payment({ gatewayChoices: ['nagad', 'sslcommerz'] });
  expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'choosing' });
  const left = await chosen(input, 'nagad', MERCHANTS[0].id);
  return { input, left, current: await chosen(input, 'sslcommerz', STORES.TEST.id) };
}

test.each([
  ['is paid', 'VALID', 'charged', 'SUCCEEDED'],
  ['fails', 'FAILED', 'failed', 'FAILED'],
  ['is cancelled', 'CANCELLED', 'cancelled', 'CANCELLED'],
] as const)(
  'money sent on a page that the payer left open, when his payment %s elsewhere, is found and held as late, once',
  async (_how, outcome, kind, status) => {
    // Nothing else queries this attempt any more. Without the late queries, the payer would have paid for nothing, or twice.
    const { input, left, current } = await wentOn();
    await world.finish(current, outcome);
    expect(await verify(input)).toEqual({ kind });
    await world.activities.finalizePayment({ ...input, status });
    expect(await world.attemptRow(input)).toMatchObject({ gateway: 'sslcommerz', query_again_at: null });

    expect(await pays(left, '01700000010')).toBeNull();
    const late = { ...input, attemptReference: String(left['reference']) };
    const held = { kind: 'held', amountMinor: '10000', currency: 'BDT' };
    for (let question = 0; question < 3; question += 1) {
      expect(await sweep(left)).toEqual([left['reference']]);
      expect(await world.activities.recordUnappliedPayment(late)).toEqual(held);
    }
    expect(await sweep(left)).toEqual([]);
    expect(
      await world.rows('select gateway, gross_minor, status from unapplied_payments where payment_id = ?::bigint', [
        input.paymentId,
      ]),
    ).toEqual([{ gateway: 'nagad', gross_minor: '10000', status: 'HELD' }]);
  },
);

test('a page that is open when an operator rejects the payment is asked about five minutes later', async () => {
  // The query at the rejection comes before the payer pays.
  const { input, attempt } = await opened();
  await world.activities.markForReview({ ...input, reason: 'RISK_FLAGGED' });
  await world.activities.finalizePayment({ ...input, status: 'FAILED', failureCode: 'REVIEW_REJECTED' });
  expect(attempt).toMatchObject({ status: 'OPEN' });
  expect(await minutesToNextQuestion(input)).toBe(5);
});

test('a question that could not be put is none, and put later', async () => {
  // Temporal can be unavailable for longer than all pauses together, and the queries must not be used up meanwhile.
  const { input, attempt } = await opened();
  await world.rows('update payments set cancel_requested_at = now() where id = ?::bigint returning 1', [
    input.paymentId,
  ]);
  expect(await verify(input)).toEqual({ kind: 'cancelled' });
  // The payment's own workflow is still querying.
  expect(await sweep(attempt)).toEqual([]);
  expect(await minutesToNextQuestion(input)).toBe(10);
  await world.activities.finalizePayment({ ...input, status: 'CANCELLED' });
  world.temporal.startUnappliedPayment = () => Promise.reject(new Error('Temporal is away'));
  await sweep(attempt);
  expect(await minutesToNextQuestion(input)).toBe(10);
  delete world.temporal.startUnappliedPayment;
  expect(await sweep(attempt)).toEqual([attempt['reference']]);
  expect(await minutesToNextQuestion(input)).toBe(55);
});

test('a payment that Nagad itself has ended, or that was never opened, is not asked about again', async () => {
  // If the gateway has ended the payment, or no page was opened, no money can arrive.
  const given = await opened();
  await fetch(String(given.attempt['gateway_url']), {
    method: 'POST',
    body: new URLSearchParams({ outcome: 'abort' }),
    redirect: 'manual',
  });
  expect(await verify(given.input, true)).toEqual({ kind: 'cancelled' });
  expect(await minutesToNextQuestion(given.input)).toBeNull();
});

test.each(['SUCCESS', '', '{"status":"Success"}', 'Success'])('the evidence %j confirms nothing', (text) => {
  // Only Nagad's complete answer counts as evidence.
  expect(readEvidence({ gateway: 'nagad', text })).toBeNull();
});
