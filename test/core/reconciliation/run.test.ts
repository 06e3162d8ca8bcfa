import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { payPayment, receiveLate, type PaidPayment } from '../ledger/ledger-fixture.ts';
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
