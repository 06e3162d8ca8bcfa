import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { trialBalance } from '../../../core/ledger/books.ts';
import type { RefundRecord } from '../../../core/refunds/store/refunds.ts';
import {
  failRefund,
  keepUnapplied,
  makeRefund,
  payPayment,
  receiveLate,
  type PaidPayment,
} from '../ledger/ledger-fixture.ts';
import { openReconciliation, type LineGiven, type ReconciliationWorld } from './reconciliation-world.ts';

let world: ReconciliationWorld;
beforeEach(async () => {
  world = await openReconciliation();
});
afterEach(() => world.close());

const pay = (grossMinor = 10_000n, feeMinor = 250n): Promise<PaidPayment> =>
  payPayment(world.ledger.database, { applicationId: world.applicationId, grossMinor, feeMinor });
const lineOf = ({ attemptReference }: PaidPayment, netMinor = 9_750n, more: LineGiven = {}): LineGiven => ({
  gatewayTxnId: `B${attemptReference}`,
  attemptReference,
  grossMinor: netMinor,
  ...more,
});
const briefly = async () =>
  (await world.results()).map(({ status, reason, detail }) => `${status} ${reason ?? '-'} ${detail}`);
const findings = async () => (await world.ledger.verify()).findings;

describe('a run', () => {
  test('matches a line, moves its money from clearing through transit to the bank, and the books are zero then', async () => {
    // Finance closes a day: what the gateway owed is what the bank received.
    const paid = await pay();
    await world.addLines([lineOf(paid)]);
    expect(await world.run()).toMatchObject({ balanced: true, problem: null });
    expect(await briefly()).toEqual(['MATCHED - EXACT']);
    expect(await world.balances()).toEqual({
      'app:payable': '-10000',
      'gateway:fees': '250',
      'gateway:sslcommerz:transit': '9750',
    });
    await world.receive('P1', 9_750n);
    await world.run();
    expect(await world.balances()).toEqual({ 'app:payable': '-10000', 'gateway:fees': '250', bank: '9750' });
    expect(await world.cases()).toEqual([]);
    expect(await findings()).toEqual([]);
  });

  test('flags what it cannot explain, opens a case, and holds the money apart', async () => {
    const paid = await pay();
    await world.addLines([lineOf(paid, 9_000n), { gatewayTxnId: 'B-foreign', grossMinor: 500n }]);
    await world.run();
    expect(await briefly()).toEqual(['FLAGGED AMOUNT AMOUNT_DIFFERS', 'FLAGGED MISSING_INTERNALLY UNKNOWN_REFERENCE']);
    expect((await world.balances())['gateway:sslcommerz:unexplained']).toBe('-9500');
    expect((await world.cases()).map(({ reason, amount, state }) => `${reason} ${amount} ${state}`)).toEqual([
      'AMOUNT 750 OPEN',
      'MISSING_INTERNALLY 500 OPEN',
    ]);
    expect(await findings()).toEqual([]);
  });

  test('defers a payment that is not due yet, flags it when it is, and a late line closes it by itself', async () => {
    const paid = await pay();
    await world.run();
    expect(await briefly()).toEqual(['DEFERRED - NOT_YET_DUE']);
    await world.ledger.asOwner((em) =>
      em.execute(`update payments set ended_at = now() - interval '40 days', paid_at = now() - interval '40 days'`),
    );
    await world.run();
    expect(await briefly()).toEqual(['FLAGGED MISSING_IN_PAYOUT NO_LINE']);
    const [before] = await world.results();
    await world.addLines([lineOf(paid)]);
    await world.run();
    const [after] = await world.results();
    expect(await briefly()).toEqual(['MATCHED - EXACT']);
    expect(after?.id).toBe(before?.id);
    expect(await world.cases()).toEqual([
      { kind: 'result', reason: 'MISSING_IN_PAYOUT', state: 'RESOLVED', amount: '10000', resolution: 'EVIDENCE' },
    ]);
  });

  test('says by how much a payout does not add up, until it does', async () => {
    const paid = await pay();
    await world.addLines([lineOf(paid)]);
    await world.receive('P1', 9_700n);
    await world.run();
    expect(await world.cases()).toEqual([
      { kind: 'residual', reason: 'RESIDUAL', state: 'OPEN', amount: '50', resolution: null },
    ]);
    expect((await world.balances())['bank']).toBe('9700');
    await world.addLines([{ kind: 'FEE', grossMinor: -50n }]);
    await world.run();
    expect((await world.cases()).map(({ state, resolution }) => `${state} ${resolution}`)).toEqual([
      'RESOLVED EVIDENCE',
    ]);
    expect(await world.ledger.asOwner((em) => em.execute('select text from reconciliation_case_entries'))).toEqual([
      { text: 'The payout adds up to what the bank received.' },
    ]);
    expect(await world.balances()).toEqual({ 'app:payable': '-10000', 'gateway:fees': '300', bank: '9700' });
    expect(await findings()).toEqual([]);
  });

  test('posts a line that is judged otherwise as if it had been judged so from the beginning', async () => {
    // What was posted before must not stay beside it.
    const paid = await pay();
    await world.addLines([lineOf(paid, 9_000n)]);
    await world.run();
    expect((await world.balances())['gateway:sslcommerz:unexplained']).toBe('-9000');
    await world.addLines([lineOf(paid, 750n)]);
    await world.run();
    expect(await briefly()).toEqual(['MATCHED - SPLIT', 'MATCHED - SPLIT']);
    expect(await world.balances()).toEqual({
      'app:payable': '-10000',
      'gateway:fees': '250',
      'gateway:sslcommerz:transit': '9750',
    });
    expect(await findings()).toEqual([]);
  });

  test('posts the transfer again when a late line joins its payout', async () => {
    // The bank has received the money of the late line too, so nothing may stay in transit.
    const [paid, late] = [await pay(), await pay()];
    await world.addLines([lineOf(paid)]);
    await world.receive('P1', 19_500n);
    await world.run();
    expect((await world.balances())['gateway:sslcommerz:unexplained']).toBe('-9750');
    await world.addLines([lineOf(late)]);
    await world.run();
    expect(await world.balances()).toEqual({ 'app:payable': '-20000', 'gateway:fees': '500', bank: '19500' });
    expect(await findings()).toEqual([]);
  });

  test('takes unapplied money for a charge of its own', async () => {
    const paid = await pay();
    await receiveLate(world.ledger.database, { ...paid, applicationId: world.applicationId });
    await world.addLines([lineOf(paid), { gatewayTxnId: `LB${paid.attemptReference}`, grossMinor: 9_750n }]);
    await world.run();
    expect(await briefly()).toEqual(['MATCHED - EXACT', 'MATCHED - EXACT']);
  });

  test('never counts TEST with LIVE', async () => {
    const paid = await pay();
    await world.addLines([lineOf(paid)], 'LIVE');
    await world.run(world.today(), 'LIVE');
    expect(await briefly()).toEqual(['FLAGGED MISSING_INTERNALLY UNKNOWN_REFERENCE']);
  });

  test('changes nothing when it is made again, and posts nothing twice', async () => {
    const paid = await pay();
    await world.addLines([lineOf(paid), lineOf(paid), { kind: 'RESERVE', grossMinor: -100n }]);
    await world.run();
    const [results, balances] = [await world.results(), await world.balances()];
    expect((await world.results()).map(({ reason }) => reason)).toEqual([null, 'DUPLICATE', null]);
    await world.run();
    expect(await world.results()).toEqual(results);
    expect(await world.balances()).toEqual(balances);
    expect(await findings()).toEqual([]);
  });
});

describe('a line that the gateway has converted', () => {
  /** 97.50 taka at 0.0082. */
  const inDollars = (paid: PaidPayment, more: LineGiven = {}): LineGiven =>
    lineOf(paid, 80n, { currency: 'USD', originalCurrency: 'BDT', exchangeRate: '0.0082', payout: 'PUSD', ...more });

  test('settles its charge in taka, and what it brings waits for the bank in dollars', async () => {
    const paid = await pay();
    await world.addLines([inDollars(paid)]);
    expect(await world.run()).toMatchObject({ balanced: true, problem: null });
    expect(await briefly()).toEqual(['MATCHED - CONVERTED']);
    expect(await world.balances()).toEqual({
      'app:payable': '-10000',
      'gateway:fees': '250',
      'gateway:sslcommerz:conversion': '9750',
      'gateway:sslcommerz:conversion USD': '-80',
      'gateway:sslcommerz:transit USD': '80',
    });
    const trial = await world.ledger.database.withOperator('every-app', (em) =>
      trialBalance(em, { filter: { mode: 'TEST' }, before: null }),
    );
    const shown = trial.map(({ currency, name, debitMinor, creditMinor }) => [currency, name, debitMinor, creditMinor]);
    expect(shown.filter(([, name]) => String(name).endsWith('conversion'))).toEqual([
      ['BDT', 'gateway:sslcommerz:conversion', 9_750n, 0n],
      ['USD', 'gateway:sslcommerz:conversion', 0n, 80n],
    ]);
    await world.receive('PUSD', 80n);
    await world.run();
    expect(await world.balances()).toMatchObject({ 'bank USD': '80', 'gateway:sslcommerz:conversion': '9750' });
    expect((await world.balances())['gateway:sslcommerz:transit USD']).toBeUndefined();
    expect(await world.cases()).toEqual([]);
    expect(await findings()).toEqual([]);
  });

  test('is taken back exactly in both currencies when it is judged otherwise, and settles what it means instead', async () => {
    const [paid, other] = [await pay(), await pay(20_000n)];
    await world.addLines([inDollars(paid)]);
    await world.run();
    // People say that it means another payment, of which it is only a part.
    const key = `charge:${other.attemptReference}:V${other.attemptReference}`;
    await world.ledger.asOwner((em) =>
      em.execute(`update reconciliation_results set corrected_movement_key = ? where line_id is not null`, [key]),
    );
    await world.run();
    expect(await briefly()).toContain('FLAGGED CURRENCY RATE_DIFFERS');
    expect(await world.balances()).toEqual({
      'app:payable': '-30000',
      'gateway:fees': '500',
      'gateway:sslcommerz:clearing': '29500',
      'gateway:sslcommerz:transit USD': '80',
      'gateway:sslcommerz:unexplained USD': '-80',
    });
    await world.addLines([inDollars(other, { grossMinor: 82n })]);
    await world.run();
    expect(await world.balances()).toEqual({
      'app:payable': '-30000',
      'gateway:fees': '500',
      'gateway:sslcommerz:clearing': '9750',
      'gateway:sslcommerz:conversion': '19750',
      'gateway:sslcommerz:conversion USD': '-162',
      'gateway:sslcommerz:transit USD': '162',
    });
    expect(await findings()).toEqual([]);
  });

  test('takes the place of a write-off, which is taken back in the currency of the charge', async () => {
    // The row of the charge becomes that of the line, whose currency is another one.
    const paid = await pay();
    await world.run();
    await world.ledger.asOwner((em) =>
      em.execute(`update payments set ended_at = now() - interval '40 days', paid_at = now() - interval '40 days'`),
    );
    await world.run();
    await world.ledger.asOwner((em) => em.execute(`update reconciliation_results set accepted_at = now()`));
    await world.run();
    expect(await world.balances()).toMatchObject({ 'gateway:sslcommerz:differences': '9750' });
    await world.addLines([inDollars(paid)]);
    await world.run();
    expect(await world.balances()).toEqual({
      'app:payable': '-10000',
      'gateway:fees': '250',
      'gateway:sslcommerz:conversion': '9750',
      'gateway:sslcommerz:conversion USD': '-80',
      'gateway:sslcommerz:transit USD': '80',
    });
    expect(await findings()).toEqual([]);
  });

  test('takes over the case of its charge, whose difference is in dollars then', async () => {
    // A person would accept 0.10 dollars as 0.10 taka, and the threshold would be that of another currency.
    const paid = await pay();
    await world.run();
    await world.ledger.asOwner((em) =>
      em.execute(`update payments set ended_at = now() - interval '40 days', paid_at = now() - interval '40 days'`),
    );
    await world.run();
    await world.addLines([inDollars(paid, { grossMinor: 90n })]);
    await world.run();
    const found = await world.ledger.asOwner((em) =>
      em.execute(`select currency, amount_minor::text as amount, reason, state from reconciliation_cases`),
    );
    expect(found).toEqual([{ currency: 'USD', amount: '10', reason: 'CURRENCY', state: 'OPEN' }]);
  });

  test('without a payout is posted too', async () => {
    const paid = await pay();
    await world.addLines([inDollars(paid, { payout: null })]);
    await world.run();
    expect((await world.balances())['gateway:sslcommerz:clearing']).toBeUndefined();
    expect(await findings()).toEqual([]);
    await world.ledger.asIntruder(`update reconciliation_results set converted_minor = converted_minor - 1`);
    expect((await findings()).map(({ table, what }) => `${table} ${what}`)).toEqual([
      expect.stringMatching(/^reconciliation_results and what else is said of charge:\S+ cover 9749 of the 9750/),
      expect.stringMatching(/^payout_bookings 9750 BDT of lines without a payout are booked to clearing/),
    ]);
  });

  test.each([
    ['a result covers less', `update reconciliation_results set converted_minor = 9000`, 'reconciliation_results'],
    [
      'a result covers nothing in the currency of its charge',
      `update reconciliation_results set converted_minor = null, converted_currency = null`,
      'reconciliation_results',
    ],
    ['a result covers another currency', `update reconciliation_results set converted_currency = 'EUR'`, 'payouts'],
    [
      'a booking is against the money in transit',
      `update payout_bookings set kind = 'lines' where kind = 'converted'`,
      'ledger_postings',
    ],
    [
      'a booking covers less than the result',
      `update payout_bookings set amounts = '{"clearing":"9749"}' where kind = 'converted'`,
      'payouts',
    ],
  ])('is named by verify when %s', async (_name, damage, table) => {
    await world.addLines([inDollars(await pay())]);
    await world.run();
    expect(await findings()).toEqual([]);
    await world.ledger.asIntruder(damage);
    expect((await findings()).map((finding) => `${finding.check} ${finding.table}`)).toContain(`payout ${table}`);
  });

  test('settles unapplied money, a refund, and one that failed after all', async () => {
    // Each is posted by another cause, from which verify learns what the gateway owed.
    const { database } = world.ledger;
    const paid = { ...(await pay(10_000n, 0n)), applicationId: world.applicationId };
    const unapplied = await receiveLate(database, { ...paid, feeMinor: 0n });
    const [refunded, failed] = [await makeRefund(database, paid, 2_500n), await makeRefund(database, paid, 1_000n)];
    const refundLine = ({ reference }: RefundRecord, grossMinor: bigint): LineGiven =>
      inDollars(paid, { kind: 'REFUND', gatewayTxnId: null, attemptReference: reference, grossMinor });
    await world.addLines([
      inDollars(paid, { grossMinor: 82n }),
      inDollars(paid, { gatewayTxnId: `LB${paid.attemptReference}`, attemptReference: null, grossMinor: 82n }),
      refundLine(refunded, -21n),
      refundLine(failed, -8n),
    ]);
    await world.run();
    expect(new Set(await briefly())).toEqual(new Set(['MATCHED - CONVERTED']));
    await keepUnapplied(database, { ...paid, unapplied });
    expect((await world.balances())['gateway:sslcommerz:clearing']).toBeUndefined();
    expect(await findings()).toEqual([]);
    await failRefund(database, failed);
    expect(await findings()).toEqual([]);
    await world.run();
    expect((await briefly()).at(3)).toBe('FLAGGED CURRENCY RATE_DIFFERS');
    await world.addLines([refundLine(failed, 9n)]);
    await world.run();
    expect((await briefly()).slice(3)).toEqual(['MATCHED - CANCELLED_OUT', 'MATCHED - CANCELLED_OUT']);
    expect(await world.balances()).toMatchObject({
      'gateway:sslcommerz:conversion': '17500',
      'gateway:sslcommerz:conversion USD': '-144',
    });
    expect((await world.balances())['gateway:sslcommerz:clearing']).toBeUndefined();
    expect(await findings()).toEqual([]);
  });
});

describe('verify', () => {
  test.each([
    ['a payout counts a line too many', `update payouts set lines = lines + 1`, 'payouts'],
    [
      'a result books less than its line',
      `update reconciliation_results set booked = '{"clearing":"1"}'`,
      'reconciliation_results',
    ],
    ['the bank received something else', `update payouts set bank_minor = 1, status = 'PAID'`, 'payouts'],
    ['a booking says something else', `update payout_bookings set amounts = '{"clearing":"1"}'`, 'ledger_postings'],
  ])('names the row when %s', async (_name, damage, table) => {
    // Each check of the payouts can fail.
    await world.addLines([lineOf(await pay())]);
    await world.run();
    await world.ledger.asIntruder(damage);
    expect((await findings()).map((finding) => `${finding.check} ${finding.table}`)).toContain(`payout ${table}`);
  });
});
