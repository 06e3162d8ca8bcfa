import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MailingDependencies } from '../../../core/dependencies.ts';
import { verifyPayment } from '../../../core/payments/verify-payment.ts';
import { createSweepActivities } from '../../../activities/sweep.ts';
import { recordSession } from '../../../core/payments/store/sessions.ts';
import { CHOICES_MAX, chooseGateway, type ChoiceOutcome } from '../../../core/payments/store/gateway-choices.ts';
import { attemptReference } from '../../../domain/references.ts';
import { GatewayFailure, type AttemptAnswer, type AttemptHandle, type Gateway } from '../../../gateways/port.ts';
import { startBkashSimulator } from '../../../simulators/bkash/server.ts';
import type { RunningHost } from '../../../simulators/kit/host.ts';
import { createPaymentWorld, type NewPayment, type PaymentWorld, type Row } from './payment-world.ts';
import type { StoredPayment } from '../../support/stored.ts';

/* The payer chooses between two gateways, through the steps of the payment's workflow. Both gateways are simulated over HTTP. */

let world: PaymentWorld;
let simulator: RunningHost;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'choice-'));
  simulator = await startBkashSimulator({ dataDir });
  world = await createPaymentWorld({ bkashUrl: simulator.url });
});
afterAll(async () => {
  await world.close();
  await simulator.close();
  await rm(dataDir, { recursive: true });
});

const BOTH = ['sslcommerz', 'bkash'];

/** Creates a payment that waits for the payer's choice. */
async function choosing(fields: NewPayment = {}): Promise<StoredPayment> {
  const input = await world.payment({ gatewayChoices: BOTH, ...fields });
  expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'choosing' });
  return input;
}

const choose = (input: StoredPayment, gateway: string): Promise<ChoiceOutcome> =>
  world.database.withScope({ applicationId: world.app.applicationId, mode: 'TEST' }, (statements) =>
    chooseGateway(statements, {
      paymentId: BigInt(input.paymentId),
      gateway,
      reference: attemptReference(),
      storeId: 'lenden_test',
    }),
  );

/** Chooses a gateway and opens its page. */
async function chosen(input: StoredPayment, gateway: string): Promise<Row> {
  expect(await choose(input, gateway)).toMatchObject({ kind: 'chosen' });
  expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'open', gateway });
  return world.attemptRow(input);
}

const attemptsOf = (input: StoredPayment) =>
  world.rows('select * from payment_attempts where payment_id = ?::bigint order by number', [input.paymentId]);
const verify = (input: StoredPayment, final = false) => world.activities.verifyPayment({ ...input, final });

async function bkash(attempt: Row, action: string): Promise<Row> {
  const answer = await fetch(`${simulator.url}/__sim/bkash/payments/${String(attempt['reference'])}/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  return (await answer.json()) as Row;
}

const chargesAtBkash = async (attempt: Row): Promise<unknown[]> =>
  (await (await fetch(`${simulator.url}/__sim/charges?tran_id=${String(attempt['reference'])}`)).json()) as unknown[];

type Ask = (handle: AttemptHandle, gateway: Gateway) => Promise<AttemptAnswer>;

/** The steps, with another answer to queries at one gateway. */
function asking(gatewayName: string, ask: Ask, deps: MailingDependencies = world.deps): MailingDependencies {
  const open: typeof deps.gateways.open = (name, ...rest) => {
    const gateway = deps.gateways.open(name, ...rest);
    return gateway === undefined || name !== gatewayName
      ? gateway
      : { ...gateway, queryAttempt: (handle) => ask(handle, gateway) };
  };
  return { ...deps, gateways: { ...deps.gateways, open } };
}

const wrongAmountAt = (name: string): MailingDependencies =>
  asking(name, async (handle, gateway) => {
    const answer = await gateway.queryAttempt(handle);
    return answer.kind === 'charged'
      ? { ...answer, charge: { ...answer.charge, orderAmountMinor: 1n, grossMinor: 1n } }
      : answer;
  });

describe('a payment whose payer may choose', () => {
  test('is PENDING without a gateway, and asks none, until the payer has chosen', async () => {
    // The payer cannot have paid yet, so there is nothing to query, and only the expiry ends the payment.
    const input = await choosing();
    expect(await world.paymentRow(input)).toMatchObject({
      status: 'PENDING',
      gateway: null,
      gateway_redirect_url: null,
    });
    expect(await attemptsOf(input)).toEqual([]);
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: false });
    expect(await verify(input, true)).toEqual({ kind: 'expired' });
  });

  test('leads to the chosen gateway, and is booked there', async () => {
    // The clearing account, the receipt and refunds must name the gateway that has the money.
    const input = await choosing();
    const attempt = await chosen(input, 'bkash');
    expect(await world.paymentRow(input)).toMatchObject({
      gateway: 'bkash',
      gateway_redirect_url: attempt['gateway_url'],
    });
    await bkash(attempt, 'agree');
    expect(await verify(input)).toEqual({ kind: 'charged' });
    await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
    const postings = await world.rows(
      `select d.name as debit, c.name as credit from ledger_postings p join ledger_transactions t on t.id = p.transaction_id
         join ledger_accounts d on d.id = p.debit_account_id join ledger_accounts c on c.id = p.credit_account_id where t.cause_id = ?`,
      [input.reference],
    );
    expect(postings).toEqual([{ debit: 'gateway:bkash:clearing', credit: 'app:payable' }]);
  });

  test('goes on where it was when the same gateway is chosen again', async () => {
    // A payer who comes back must not have to start again at the gateway.
    const input = await choosing();
    const attempt = await chosen(input, 'sslcommerz');
    expect(await choose(input, 'sslcommerz')).toEqual({ kind: 'kept', reference: attempt['reference'] });
    expect(await attemptsOf(input)).toHaveLength(1);
  });

  test('is refused what it does not offer, and the eleventh change of mind', async () => {
    // A form can contain anything, and a program could switch gateways for ever.
    const input = await choosing({ gatewayChoices: ['sslcommerz', 'bkash'] });
    expect(await choose(input, 'nagad')).toEqual({ kind: 'not-offered' });
    for (let tries = 0; tries < CHOICES_MAX; tries += 1) {
      expect(await choose(input, BOTH[tries % 2] ?? '')).toMatchObject({ kind: 'chosen' });
    }
    expect(await choose(input, 'sslcommerz')).toEqual({ kind: 'too-often' });
    expect(await attemptsOf(input)).toHaveLength(CHOICES_MAX);
  });

  test('that has ended, is looked at, is cancelled or is over time offers nothing', async () => {
    // A choice after the end would open a page on which the payer could pay for nothing.
    const ended = await choosing();
    await world.activities.finalizePayment({ ...ended, status: 'CANCELLED' });
    const reviewed = await choosing();
    await world.rows(
      `update payments set review_reason = 'RISK_FLAGGED', review_since = now() where id = ?::bigint returning 1`,
      [reviewed.paymentId],
    );
    const cancelled = await choosing();
    await world.rows(`update payments set cancel_requested_at = now() where id = ?::bigint returning 1`, [
      cancelled.paymentId,
    ]);
    const late = await choosing({ expiresInMs: -1_000 });
    for (const input of [ended, reviewed, cancelled, late]) {
      expect(await choose(input, 'bkash')).toEqual({ kind: 'closed' });
      expect(await attemptsOf(input)).toEqual([]);
    }
  });

  test('takes two tabs one after the other: the last one is where it is paid', async () => {
    // Two current attempts would be two pages on which the payer could pay.
    const input = await choosing();
    const outcomes = await Promise.all([choose(input, 'sslcommerz'), choose(input, 'bkash')]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['chosen', 'chosen']);
    const attempts = await attemptsOf(input);
    expect(attempts.map(({ superseded_at: since }) => since === null)).toEqual([false, true]);
    expect(await world.paymentRow(input)).toMatchObject({ gateway: attempts.at(-1)?.['gateway'] });
  });

  test('whose chosen gateway refuses is asked again, and does not fail', async () => {
    // Otherwise the shop would lose the sale because one gateway is out of order.
    const input = await choosing({ amountMinor: 131_340n });
    await choose(input, 'bkash');
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'choosing' });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING', gateway: null });
    expect(await attemptsOf(input)).toMatchObject([{ status: 'REFUSED', failure_code: 'GATEWAY_REFUSED_SESSION' }]);
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: false });
  });
});

describe('a payer whose try came to nothing', () => {
  /** Acts as the payer at bKash and follows the redirect back. */
  async function givesUp(attempt: Row, does: 'cancel' | 'fail'): Promise<void> {
    const { backUrl } = await bkash(attempt, does);
    await fetch(String(backUrl), { redirect: 'manual' });
  }

  test.each([
    ['bkash', 'cancel', 'CANCELLED'],
    ['bkash', 'fail', 'FAILED'],
  ] as const)('at %s (%s) is asked again where to pay, and pays there', async (first, does, status) => {
    // Otherwise the payer would be sent to a finished page, and the shop would lose the sale.
    const input = await choosing();
    await givesUp(await chosen(input, first), does);
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: false });
    expect(await world.paymentRow(input)).toMatchObject({
      status: 'PENDING',
      gateway: null,
      gateway_redirect_url: null,
    });
    expect(await attemptsOf(input)).toMatchObject([{ status, superseded_at: expect.anything() }]);
    // The payer can try the same gateway again, with a new attempt.
    for (const gateway of [first, 'sslcommerz']) {
      await chosen(input, gateway);
    }
    await world.finish(await world.attemptRow(input));
    expect(await verify(input)).toEqual({ kind: 'charged' });
    await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED', gateway: 'sslcommerz' });
  });

  test('and who does nothing more, or calls the payment off, has an ended one', async () => {
    // Otherwise the payment would wait for ever for another choice.
    const late = await choosing();
    await givesUp(await chosen(late, 'bkash'), 'cancel');
    await verify(late);
    expect(await verify(late, true)).toEqual({ kind: 'expired' });
    const calledOff = await choosing();
    await givesUp(await chosen(calledOff, 'bkash'), 'cancel');
    await verify(calledOff);
    await world.rows('update payments set cancel_requested_at = now() where id = ?::bigint returning 1', [
      calledOff.paymentId,
    ]);
    expect(await verify(calledOff)).toEqual({ kind: 'cancelled' });
  });

  test('the tenth time ends the payment: there is nothing to choose any more', async () => {
    // No attempt can follow the tenth, so its end is the end of the payment.
    const input = await choosing();
    for (let tries = 1; tries < CHOICES_MAX; tries += 1) {
      expect(await choose(input, BOTH[(tries + 1) % 2] ?? '')).toMatchObject({ kind: 'chosen' });
    }
    await givesUp(await chosen(input, 'bkash'), 'cancel');
    expect(await verify(input)).toEqual({ kind: 'cancelled' });
  });

  test('has not unmade a choice that came first', async () => {
    // A slow worker learns of the first page's end when the payer is already on the way to the second page.
    const input = await choosing();
    const left = await chosen(input, 'bkash');
    await givesUp(left, 'cancel');
    const slow = asking('bkash', async (handle, gateway) => {
      const answer = await gateway.queryAttempt(handle);
      await choose(input, 'sslcommerz');
      return answer;
    });
    expect(await verifyPayment(slow, { ...input, final: false })).toEqual({ kind: 'undecided', hopeful: true });
    expect(await world.paymentRow(input)).toMatchObject({ gateway: 'sslcommerz' });
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: false });
    expect(await world.paymentRow(input)).toMatchObject({ gateway: 'sslcommerz' });
    expect(await attemptsOf(input)).toMatchObject([{ status: 'CANCELLED' }, { status: 'CREATED' }]);
  });
});

describe('what the payer has left behind', () => {
  test('and opens only now leads him nowhere, though he chose the same gateway again', async () => {
    // Otherwise a slow worker would send the payer to the page of an attempt that is never executed.
    const input = await choosing();
    for (const gateway of ['bkash', 'sslcommerz', 'bkash']) {
      await choose(input, gateway);
    }
    const [left] = await attemptsOf(input);
    await world.database.withScope(
      { applicationId: world.app.applicationId, mode: 'TEST' },
      (statements) =>
        recordSession(statements, {
          payment: input.reference,
          attempt: String(left?.['reference']),
          sessionKey: 'left',
          gatewayUrl: 'https://gateway.example/left',
          payWithinMinutes: 1,
        }),
      { oneTrip: true },
    );
    expect((await attemptsOf(input))[0]).toMatchObject({ status: 'OPEN', session_key: 'left' });
    expect(await world.paymentRow(input)).toMatchObject({ gateway: 'bkash', gateway_redirect_url: null });
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'open', gateway: 'bkash' });
    const [, , current] = await attemptsOf(input);
    expect(await world.paymentRow(input)).toMatchObject({ gateway_redirect_url: current?.['gateway_url'] });
  });

  test('at bKash is never executed, though he agreed there', async () => {
    // Money moves only when Lenden executes the payment, so a payer who switched must not be charged there.
    const input = await choosing();
    const left = await chosen(input, 'bkash');
    await bkash(left, 'agree');
    const current = await chosen(input, 'sslcommerz');
    expect(await verify(input)).toEqual({ kind: 'undecided', hopeful: false });
    expect(await chargesAtBkash(left)).toEqual([]);
    await world.finish(current);
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(await chargesAtBkash(left)).toEqual([]);
  });

  test('and was paid all the same settles the payment, in the books of that gateway', async () => {
    // The gateway cannot be told to stop, and it has the money.
    const input = await choosing();
    const left = await chosen(input, 'sslcommerz');
    await chosen(input, 'bkash');
    await world.finish(left);
    expect(await verify(input)).toEqual({ kind: 'charged' });
    await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED', gateway: 'sslcommerz' });
  });

  test('and was paid opens no other page when its workflow begins anew before the booking', async () => {
    // A long database outage, or an operator, ended the run that knew of the charge.
    const input = await choosing();
    const left = await chosen(input, 'sslcommerz');
    await choose(input, 'bkash');
    await world.finish(left);
    expect(await verify(input)).toEqual({ kind: 'charged' });
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'choosing', attention: true });
    expect(await world.attemptRow(input)).toMatchObject({ gateway: 'bkash', session_key: null });

    const other = await choosing();
    const paid = await chosen(other, 'sslcommerz');
    await chosen(other, 'bkash');
    await world.finish(paid);
    expect(await verify(other)).toEqual({ kind: 'charged' });
    expect(await world.activities.openCheckout(other)).toMatchObject({ kind: 'open', attention: true });
  });

  test('ends nothing when it failed, while the payer is elsewhere', async () => {
    // The payer's first card was declined, and they went on to another gateway, so the payment is not over.
    const input = await choosing();
    const left = await chosen(input, 'sslcommerz');
    await chosen(input, 'bkash');
    await world.finish(left, 'FAILED');
    expect(await verify(input)).toMatchObject({ kind: 'undecided', hopeful: false });
    expect((await attemptsOf(input)).map(({ status }) => status)).toEqual(['FAILED', 'OPEN']);
  });

  test('does not keep the payment open when the chosen one was declined', async () => {
    // The abandoned attempt must not delay the end. If money still arrives there, it is an unapplied payment.
    const input = await choosing();
    await chosen(input, 'bkash');
    const current = await chosen(input, 'sslcommerz');
    await world.finish(current, 'FAILED');
    expect(await verify(input)).toEqual({ kind: 'failed' });
  });

  test('at a gateway that does not answer is asked about once, however often he was there', async () => {
    // Each query can take its full timeout. Without this limit, the payment that the payer agreed to last would never be queried.
    const input = await choosing();
    await chosen(input, 'sslcommerz');
    await chosen(input, 'bkash');
    await chosen(input, 'sslcommerz');
    const current = await chosen(input, 'bkash');
    await bkash(current, 'agree');
    const asked: string[] = [];
    const away = asking('sslcommerz', ({ attemptReference: reference }) => {
      asked.push(reference);
      throw new GatewayFailure('unavailable', 'no answer');
    });
    expect(await verifyPayment(away, { ...input, final: false })).toEqual({ kind: 'charged' });
    expect(asked).toHaveLength(1);
  });

  test('and was charged another amount hides nothing of what he paid where he is now', async () => {
    // A person has to look at the doubtful charge, but the order is paid all the same.
    const input = await choosing();
    const left = await chosen(input, 'sslcommerz');
    const current = await chosen(input, 'bkash');
    await world.finish(left);
    await bkash(current, 'agree');
    await bkash(current, 'execute');
    expect(await verifyPayment(wrongAmountAt('sslcommerz'), { ...input, final: false })).toEqual({ kind: 'charged' });
    expect(await attemptsOf(input)).toMatchObject([
      { status: 'UNKNOWN', gross_minor: '1', query_again_at: expect.anything() },
      { status: 'CONFIRMED', query_again_at: null },
    ]);
  });

  test('and was charged another amount moves no further money of his, even where nobody can be asked', async () => {
    // The payer has been charged once, and a person has to decide about that before they are charged again.
    const input = await choosing();
    const left = await chosen(input, 'sslcommerz');
    const current = await chosen(input, 'bkash');
    await world.finish(left);
    await bkash(current, 'agree');
    const review = { kind: 'review', reason: 'AMOUNT_MISMATCH' };
    const doubtful = wrongAmountAt('sslcommerz');
    expect(await verifyPayment(doubtful, { ...input, final: false })).toEqual(review);
    expect(await chargesAtBkash(current)).toEqual([]);
    const away = asking('bkash', () => Promise.reject(new GatewayFailure('unavailable', 'no answer')), doubtful);
    expect(await verifyPayment(away, { ...input, final: false })).toEqual(review);
  });

  test('and paid twice, heard of by two workers at once, is one payment and one late one', async () => {
    // Another worker can repeat a slow query. If both charges counted as the payment's, one of them would be hidden.
    const input = await choosing();
    const first = await chosen(input, 'sslcommerz');
    const second = await chosen(input, 'bkash');
    await bkash(second, 'agree');
    const slow = asking('bkash', async (handle, gateway) => {
      const answer = await gateway.queryAttempt(handle);
      await world.finish(first);
      expect(await verify(input)).toEqual({ kind: 'charged' });
      return answer;
    });
    expect(await verifyPayment(slow, { ...input, final: false })).toEqual({ kind: 'charged' });
    expect((await attemptsOf(input)).map(({ status }) => status)).toEqual(['CONFIRMED', 'UNKNOWN']);
    await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'SUCCEEDED', gateway: 'sslcommerz' });
    await world.rows(
      `update payment_attempts set query_again_at = now() where id = ?::bigint and query_again_at is not null`,
      [second['id']],
    );
    world.sent.late.length = 0;
    await createSweepActivities(world.deps).sweep();
    expect(world.sent.late.map((asked) => asked.attemptReference)).toContain(second['reference']);
    const late = { ...input, attemptReference: String(second['reference']) };
    expect(await world.activities.recordUnappliedPayment(late)).toMatchObject({ kind: 'held' });
  });

  test('and paid twice is one payment and one late one', async () => {
    // With two tabs and two gateways there can be two charges. The second is found by its callback and held for the payer.
    const input = await choosing();
    const first = await chosen(input, 'sslcommerz');
    const second = await chosen(input, 'bkash');
    await bkash(second, 'agree');
    await world.finish(first);
    expect(await verify(input)).toEqual({ kind: 'charged' });
    await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
    // Lenden never executes an attempt of a payment that is paid.
    const late = { ...input, attemptReference: String(second['reference']) };
    expect(await world.activities.recordUnappliedPayment(late)).toEqual({ kind: 'nothing' });
    expect(await chargesAtBkash(second)).toEqual([]);
    await bkash(second, 'execute');
    expect(await world.activities.recordUnappliedPayment(late)).toMatchObject({ kind: 'held' });
    expect(
      await world.rows('select gateway, status from unapplied_payments where payment_id = ?::bigint', [
        input.paymentId,
      ]),
    ).toEqual([{ gateway: 'bkash', status: 'HELD' }]);
  });
});
