import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { verifyPayment } from '../../../core/payments/verify-payment.ts';
import { GatewayExecutions } from '../../../core/gateways/store/executions.ts';
import { reserveRefund } from '../../../core/refunds/store/new-refunds.ts';
import type { RefundRecord } from '../../../core/refunds/store/refunds.ts';
import { refundReference } from '../../../domain/references.ts';
import { WITHOUT_REFUND_BOUNDS } from '../../../domain/refund.ts';
import { readEvidence } from '../../../scripts/commands/read-evidence.ts';
import { startBkashSimulator } from '../../../simulators/bkash/server.ts';
import type { RunningHost } from '../../../simulators/kit/host.ts';
import { createPaymentWorld, type NewPayment, type PaymentWorld, type Row } from './payment-world.ts';
import { until } from '../../support/until.ts';
import type { StoredPayment } from '../../support/stored.ts';

/* A whole payment at bKash, through the steps of its workflow. One token is used for all of it. */

let world: PaymentWorld;
let simulator: RunningHost;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'bkash-'));
  simulator = await startBkashSimulator({ dataDir });
  world = await createPaymentWorld({ bkashUrl: simulator.url });
});
afterAll(async () => {
  await world.close();
  await simulator.close();
  await rm(dataDir, { recursive: true });
});

const opened = (fields: NewPayment = {}) => world.opened({ gateway: 'bkash', ...fields });

async function control(attempt: Row, action: string, body: object = {}): Promise<Row> {
  const answer = await fetch(`${simulator.url}/__sim/bkash/payments/${String(attempt['reference'])}/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as Row;
}

/** Agrees on the page as the payer, and follows the redirect back. */
async function agreed(attempt: Row, wallet = '01770618575'): Promise<Response> {
  const { backUrl } = await control(attempt, 'agree', { wallet });
  return fetch(String(backUrl), { redirect: 'manual' });
}

async function charges(attempt: Row): Promise<unknown[]> {
  const answer = await fetch(`${simulator.url}/__sim/charges?tran_id=${String(attempt['reference'])}`);
  return (await answer.json()) as unknown[];
}

/** Creates a refund of 40.00 that is ready to be carried out. */
function reserved(input: StoredPayment): Promise<RefundRecord> {
  const scope = { applicationId: world.app.applicationId, mode: 'TEST' } as const;
  return world.database.withScope(scope, (statements) =>
    reserveRefund(statements, {
      scope,
      paymentId: BigInt(input.paymentId),
      reference: refundReference(),
      amountMinor: 4_000n,
      reason: null,
      creator: { type: 'APP' },
      boundsOf: () => WITHOUT_REFUND_BOUNDS,
    }),
  );
}

const verify = (input: StoredPayment, final = false) => world.activities.verifyPayment({ ...input, final });

test('the browser’s return is stored and signalled, the payment executed, confirmed, booked and given back', async () => {
  // The payer's return proves nothing: no money moves before Lenden executes the payment.
  const { input, attempt } = await opened();
  expect(attempt).toMatchObject({
    status: 'OPEN',
    session_key: expect.stringMatching(/^TR0011/),
    store_id: 'lenden_test',
  });
  const back = await agreed(attempt);
  expect([back.status, back.headers.get('location')]).toEqual([
    303,
    `http://pages.example/checkout/${input.reference}`,
  ]);
  expect(await charges(attempt)).toEqual([]);
  const [callback] = await world.callbacksOf(input);
  expect(callback).toMatchObject({ kind: 'success', signature_valid: true, note: null });
  expect(String(callback?.['raw_payload'])).toMatch(/^[0-9A-Za-z]{20}\.[^?]{22}\?paymentID=TR0011\w+&status=success&/);
  expect(world.sent.callbacks.at(-1)).toMatchObject({ reference: input.reference });

  expect(await verify(input)).toEqual({ kind: 'charged' });
  expect(await charges(attempt)).toHaveLength(1);
  expect(await world.callbacksOf(input)).toMatchObject([{ outcome: 'ACCEPTED' }]);
  await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
  const confirmed = await world.attemptRow(input);
  expect(confirmed).toMatchObject({ status: 'CONFIRMED', gross_minor: '10000', fee_minor: '0' });
  expect(readEvidence({ gateway: 'bkash', text: String(confirmed['evidence']) })).toMatchObject({
    attemptReference: attempt['reference'],
    grossMinor: 10_000n,
    gatewayTxnId: confirmed['gateway_txn_id'],
  });

  const refund = await reserved(input);
  const asked = { ...input, refundId: refund.id.toString(), reference: refund.reference };
  await until(async () => (await world.activities.driveRefund(asked)).kind === 'refunded');
  expect(await charges(attempt)).toMatchObject([{ kind: 'charge' }, { kind: 'refund', amount: '40.00' }, {}]);
});

test('a query that may only read moves no money, and the next one does', async () => {
  // A local activity that timed out may still be running beside the next query, so it must never execute.
  const { input, attempt } = await opened();
  await agreed(attempt);
  expect(await world.activities.verifyPayment({ ...input, final: false, executesNothing: true })).toMatchObject({
    kind: 'undecided',
  });
  expect(await charges(attempt)).toEqual([]);
  expect(await verify(input)).toEqual({ kind: 'charged' });
  expect(await charges(attempt)).toHaveLength(1);
});

test('a second refund fails without a word to bKash, which takes one for each payment', async () => {
  // bKash would answer with the first refund. Lenden would record two refunds, but the payer would get the money once.
  const { input, attempt } = await opened();
  await agreed(attempt);
  await verify(input);
  await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
  const drive = async (): Promise<string> => {
    const refund = await reserved(input);
    const asked = { ...input, refundId: refund.id.toString(), reference: refund.reference };
    let { kind } = await world.activities.driveRefund(asked);
    for (let again = 0; kind === 'waiting' && again < 5; again += 1) {
      ({ kind } = await world.activities.driveRefund(asked));
    }
    return kind;
  };
  expect([await drive(), await drive()]).toEqual(['refunded', 'failed']);
  expect(await charges(attempt)).toHaveLength(3);
});

test('a refund that went unanswered is sent again only when bKash has certainly done with it', async () => {
  // bKash takes no key that would tell the two requests apart. The row stores when one was last sent, whichever worker asks.
  const { input, attempt } = await opened({ amountMinor: 131_365n });
  await agreed(attempt);
  await verify(input);
  await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
  const refund = await reserved(input);
  const drive = () => world.activities.driveRefund({ ...input, reference: refund.reference });
  const sent = async (): Promise<number> =>
    Date.parse(
      String(
        (await world.rows('select queried_at::text from refunds where id = ?::bigint', [refund.id]))[0]?.['queried_at'],
      ),
    );
  const aMinutePasses = () =>
    world.rows(`update refunds set queried_at = queried_at - interval '61 seconds' where id = ?::bigint returning 1`, [
      refund.id,
    ]);

  // The simulator answers the first two refunds with HTTP 500.
  await expect(drive()).rejects.toMatchObject({ type: 'GATEWAY_AMBIGUOUS' });
  const first = await sent();
  await expect(drive()).rejects.toMatchObject({ type: 'GATEWAY_UNAVAILABLE' });
  expect(await sent()).toBe(first);
  await aMinutePasses();
  await expect(drive()).rejects.toMatchObject({ type: 'GATEWAY_AMBIGUOUS' });
  expect(await sent()).toBeGreaterThanOrEqual(first);
  await expect(drive()).rejects.toMatchObject({ type: 'GATEWAY_UNAVAILABLE' });
  expect(await charges(attempt)).toHaveLength(1);
  await aMinutePasses();
  expect(await drive()).toEqual({ kind: 'waiting' });
  expect(await charges(attempt)).toMatchObject([{ kind: 'charge' }, { kind: 'refund', amount: '40.00' }, {}]);
});

test('a payer who agreed and never came back is charged when the payment is looked at', async () => {
  // There is no callback, so only the timer queries the gateway.
  const { input, attempt } = await opened();
  await control(attempt, 'agree');
  expect(await verify(input, true)).toEqual({ kind: 'charged' });
});

test('a payer whose wallet is empty ends the payment as failed', async () => {
  // Only the execution shows that the wallet is empty.
  const { input, attempt } = await opened();
  await agreed(attempt, '01823074817');
  expect(await verify(input)).toEqual({ kind: 'failed' });
  expect(await charges(attempt)).toEqual([]);
});

/** Returns the browser to Lenden without a payment. */
async function gaveUp(attempt: Row, action: 'cancel' | 'fail'): Promise<void> {
  const { backUrl } = await control(attempt, action);
  await fetch(String(backUrl), { redirect: 'manual' });
}

test.each([
  ['cancel', 'cancelled', 'CANCELLED'],
  ['fail', 'failed', 'FAILED'],
] as const)(
  'a payer who gave up (%s) ends the payment at once, and pays nothing any more',
  async (action, kind, status) => {
    // bKash still answers Initiated. Money moves only if Lenden executes the payment, so there is nothing to wait for.
    const { input, attempt } = await opened();
    await gaveUp(attempt, action);
    expect(await verify(input)).toEqual({ kind });
    expect(await world.callbacksOf(input)).toMatchObject([
      { kind: action, signature_valid: true, outcome: 'ACCEPTED' },
    ]);
    // The worker may have died before it reported the result.
    expect(await verify(input)).toEqual({ kind });
    await world.activities.finalizePayment({ ...input, status });
    expect(await world.attemptRow(input)).toMatchObject({ status, query_again_at: null });
    expect(await charges(attempt)).toEqual([]);
  },
);

test('a forged word that the payer gave up ends nothing', async () => {
  // Anybody can request such an address, and must not end another payer's payment.
  const { input, attempt } = await opened();
  const query = `?paymentID=${String(attempt['session_key'])}&status=cancel`;
  const url = `${world.apiUrl}/gateway/bkash/test/return/${String(attempt['reference'])}.forged${query}`;
  await fetch(url, { redirect: 'manual' });
  expect(await verify(input)).toMatchObject({ kind: 'undecided' });
});

describe('executions, by the rows that all workers share', () => {
  const executions = () => new GatewayExecutions(world.database, 'bkash');
  const toSend = (attempt: Row, atWorkMs = 60_000) => ({
    attemptReference: String(attempt['reference']),
    paymentId: String(attempt['session_key']),
    atWorkMs,
  });
  const stateOf = (attempt: Row) => executions().stateOf(String(attempt['reference']));

  test('one that another worker has begun keeps the attempt from ending, until it is known to have moved nothing', async () => {
    // The payer gives up while the execution is in flight, and the worker that sent it dies.
    const { input, attempt } = await opened();
    const begun = await executions().begin(toSend(attempt));
    expect(await executions().begin(toSend(attempt))).toBeNull();
    expect(await stateOf(attempt)).toMatchObject({ atWork: true, barred: false, doubt: 'lost' });
    await gaveUp(attempt, 'cancel');
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: true });
    expect(await verify(input, true)).toEqual({ kind: 'undecided', hopeful: true });
    expect(await world.attemptRow(input)).toMatchObject({ status: 'OPEN' });
    await begun?.end('plain');
    expect(await stateOf(attempt)).toMatchObject({ atWork: false, barred: false, doubt: null });
    expect(await verify(input, true)).toEqual({ kind: 'expired' });
  });

  test('one that is begun between the question and its answer’s row wins over the end', async () => {
    // Both steps lock the same row.
    const { input, attempt } = await opened();
    await gaveUp(attempt, 'cancel');
    const open: typeof world.deps.gateways.open = (...store) => {
      const gateway = world.deps.gateways.open(...store);
      return (
        gateway && {
          ...gateway,
          queryAttempt: async (handle) => {
            const answer = await gateway.queryAttempt(handle);
            expect(answer).toEqual({ kind: 'given-up', as: 'cancelled' });
            expect(await executions().begin(toSend(attempt))).not.toBeNull();
            return answer;
          },
        }
      );
    };
    const deps = { ...world.deps, gateways: { ...world.deps.gateways, open } };
    expect(await verifyPayment(deps, { ...input, final: false })).toEqual({ kind: 'undecided', hopeful: true });
    expect(await world.attemptRow(input)).toMatchObject({ status: 'OPEN' });
    expect(await world.callbacksOf(input)).toMatchObject([{ outcome: 'RECEIVED', consumed_at: null }]);
  });

  test('none is begun any more once the attempt has ended, was left, or its payment was called off', async () => {
    // The slow worker knows that the payer agreed, but has not written it yet.
    const given = await opened();
    await gaveUp(given.attempt, 'cancel');
    await verify(given.input);
    const left = await opened();
    await world.rows('update payment_attempts set superseded_at = now() where id = ?::bigint returning 1', [
      left.attempt['id'],
    ]);
    const calledOff = await opened();
    await world.rows('update payments set cancel_requested_at = now() where id = ?::bigint returning 1', [
      calledOff.input.paymentId,
    ]);
    const ended = await opened();
    await world.activities.finalizePayment({ ...ended.input, status: 'EXPIRED' });
    for (const { attempt } of [given, left, calledOff, ended]) {
      expect(await executions().begin(toSend(attempt))).toBeNull();
    }
    const other = await opened();
    expect(await executions().begin({ ...toSend(other.attempt), paymentId: 'TR0011OTHER' })).toBeNull();
    expect(await executions().begin(toSend(other.attempt))).not.toBeNull();
  });

  test('of one attempt ten are begun at once by one worker', async () => {
    // A callback, a timer and an operator can query at the same moment.
    const { attempt } = await opened();
    const begun = await Promise.all(Array.from({ length: 10 }, () => executions().begin(toSend(attempt))));
    expect(begun.filter((one) => one !== null)).toHaveLength(1);
  });

  test('what one left behind is kept, and taken back by nobody who comes later', async () => {
    // The recorded doubt only gets stronger: first lost, then executed. A duplicate answer permanently blocks further executions.
    const { attempt } = await opened();
    const first = await executions().begin(toSend(attempt, -1));
    expect(await stateOf(attempt)).toMatchObject({ atWork: false, barred: false, doubt: 'lost' });
    const second = await executions().begin(toSend(attempt, -1));
    expect(second?.doubt).toBe('lost');
    // The first execution's answer arrives late and must not change the state.
    await first?.end('plain');
    expect(await stateOf(attempt)).toMatchObject({ doubt: 'lost' });
    await second?.end('executed');
    const third = await executions().begin(toSend(attempt, -1));
    expect(third?.doubt).toBe('executed');
    await third?.end('lost');
    expect(await stateOf(attempt)).toMatchObject({ atWork: false, barred: false, doubt: 'executed' });
    await (await executions().begin(toSend(attempt)))?.end('barred');
    expect(await stateOf(attempt)).toMatchObject({ atWork: false, barred: true, doubt: 'executed' });
    expect(await executions().begin(toSend(attempt))).toBeNull();
    await expect(executions().stateOf('nobody')).rejects.toThrow('attempt does not exist');
  });
});

test('a payer who agreed after he cancelled with us, or after the end, pays nothing', async () => {
  // Money moves only when Lenden executes the payment, and it no longer does. So bKash never has unapplied money.
  const cancelled = await opened();
  await world.rows('update payments set cancel_requested_at = now() where id = ?::bigint returning 1', [
    cancelled.input.paymentId,
  ]);
  await agreed(cancelled.attempt);
  expect(await verify(cancelled.input)).toEqual({ kind: 'cancelled' });

  const ended = await opened();
  await world.activities.finalizePayment({ ...ended.input, status: 'EXPIRED' });
  await agreed(ended.attempt);
  const late = { ...ended.input, attemptReference: String(ended.attempt['reference']) };
  expect(await world.activities.recordUnappliedPayment(late)).toEqual({ kind: 'nothing' });
  expect([...(await charges(cancelled.attempt)), ...(await charges(ended.attempt))]).toEqual([]);
});

test('a return with a forged seal is kept, and is a reason to ask at most', async () => {
  // Anybody can request such an address, so it may cause one query at most.
  const { input, attempt } = await opened();
  const url = `${world.apiUrl}/gateway/bkash/test/return/${String(attempt['reference'])}.forged?status=success`;
  expect((await fetch(url, { redirect: 'manual' })).status).toBe(303);
  expect(await world.callbacksOf(input)).toMatchObject([{ signature_valid: false }]);
  expect(await verify(input)).toMatchObject({ kind: 'undecided' });
  expect(await world.callbacksOf(input)).toMatchObject([{ outcome: 'FORGED' }]);
});

test.each([
  ['POST', '/gateway/bkash/test/return/x', 405],
  ['HEAD', '/gateway/bkash/test/return/x', 303],
  ['GET', '/gateway/bkash/test/ipn', 405],
  ['POST', '/gateway/bkash/test/ipn/x', 404],
  ['GET', '/gateway/nobody/test/return/x', 404],
  ['GET', '/gateway/bkash/test/return', 303],
  ['GET', '/gateway/bkash/live/return/x?status=success', 303],
])('%s %s is answered by %d', async (method, path, status) => {
  // Each address takes one method. A browser is always redirected, whatever it sent.
  const answer = await fetch(`${world.apiUrl}${path}`, { method, redirect: 'manual' });
  expect(answer.status).toBe(status);
});

test('a payment that bKash declined is asked about once more', async () => {
  // The decline can belong to a second execution after one whose answer was lost, and bKash never reports a charge by itself.
  const { input, attempt } = await opened();
  await agreed(attempt, '01823074817');
  expect(await verify(input)).toEqual({ kind: 'failed' });
  await world.activities.finalizePayment({ ...input, status: 'FAILED', failureCode: 'GATEWAY_DECLINED' });
  const { status, query_again_at: at } = await world.attemptRow(input);
  expect([status, Math.round((new Date(String(at)).getTime() - Date.now()) / 60_000)]).toEqual(['FAILED', 5]);
});
