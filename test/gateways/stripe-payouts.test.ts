import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import { GatewayFailure, type PayoutPage } from '../../gateways/port.ts';
import {
  json,
  REFERENCE,
  refusal,
  startScriptedStripe,
  text,
  type Body,
  type Reply,
  type ScriptedStripe,
} from './stripe-world.ts';

/* Answers that no simulator gives. */

let stripe: ScriptedStripe;
beforeAll(async () => {
  stripe = await startScriptedStripe();
});
afterAll(() => stripe.close());

const ON = Date.parse('2026-11-24T00:00:00Z') / 1_000;

const payout = (changes: Body = {}): Body => ({
  id: 'po_1',
  object: 'payout',
  amount: 990,
  arrival_date: ON,
  automatic: true,
  currency: 'usd',
  reconciliation_status: 'completed',
  status: 'paid',
  trace_id: { status: 'supported', value: 'TRACE1' },
  ...changes,
});

const transaction = (changes: Body = {}): Body => ({
  id: 'txn_1',
  object: 'balance_transaction',
  amount: 1_050,
  fee: 60,
  fee_details: [{ amount: 60, application: null, currency: 'usd', description: null, type: 'stripe_fee' }],
  net: 990,
  currency: 'usd',
  exchange_rate: null,
  created: ON - 86_400,
  available_on: ON,
  description: null,
  reporting_category: 'charge',
  type: 'charge',
  source: {
    id: 'ch_1',
    object: 'charge',
    currency: 'usd',
    payment_intent: 'pi_1',
    metadata: { attempt_reference: REFERENCE },
  },
  ...changes,
});

const list = (data: readonly Body[], changes: Body = {}): Reply =>
  json({ object: 'list', data, has_more: false, url: '/v1', ...changes });

const readPage = (after: string | null = null): Promise<PayoutPage> => {
  if (stripe.gateway.readPayouts === undefined) {
    throw new Error('the adapter reads no payouts');
  }
  return stripe.gateway.readPayouts({ from: '2026-11-20', to: '2026-11-24', after });
};

/** Reads pages to the end, or `pagesMax` of them. */
async function readAll(...replies: Reply[]): Promise<PayoutPage> {
  stripe.answer(...replies);
  let all: PayoutPage = { payouts: [], lines: [], rejected: [], next: null };
  for (let pages = 0; pages < 10; pages += 1) {
    const page = await readPage(all.next);
    all = {
      payouts: [...all.payouts, ...page.payouts],
      lines: [...all.lines, ...page.lines],
      rejected: [...all.rejected, ...page.rejected],
      next: page.next,
    };
    if (page.next === null) {
      return all;
    }
  }
  throw new Error('the pages do not end');
}

/** The one line that this transaction becomes, or why it becomes none. */
async function lineOf(changes: Body) {
  const { lines, rejected } = await readAll(list([payout()]), list([transaction(changes)]));
  return { line: lines[0], code: rejected[0]?.rejection.code, column: rejected[0]?.rejection.column };
}

describe('a payout', () => {
  test('is stated with its day and the bank’s trace, and its lines name our payment', async () => {
    // A payout is matched with the bank's statement, and each line with a payment.
    expect(await readAll(list([payout()]), list([transaction()]))).toEqual({
      payouts: [
        {
          payoutReference: 'po_1',
          currency: 'USD',
          amountMinor: 990n,
          status: 'PAID',
          arrivesOn: '2026-11-24',
          bankReference: 'TRACE1',
          itemized: true,
        },
      ],
      lines: [
        {
          kind: 'CHARGE',
          payoutReference: 'po_1',
          lineReference: 'txn_1',
          gatewayTxnId: 'pi_1',
          attemptReference: REFERENCE,
          currency: 'USD',
          grossMinor: 1_050n,
          feeMinor: 60n,
          taxMinor: 0n,
          netMinor: 990n,
          originalCurrency: null,
          exchangeRate: null,
          occurredAt: new Date('2026-11-23T00:00:00Z'),
          paidOutOn: '2026-11-24',
          description: null,
        },
      ],
      rejected: [],
      next: null,
    });
    expect(stripe.state.asked.map(({ call, query }) => [call, Object.fromEntries(query)])).toEqual([
      [
        'GET /v1/payouts',
        { 'arrival_date[gte]': String(ON - 4 * 86_400), 'arrival_date[lt]': String(ON + 86_400), limit: '20' },
      ],
      ['GET /v1/balance_transactions', { payout: 'po_1', limit: '50', 'expand[0]': 'data.source' }],
    ]);
  });

  test.each([
    ['paid', 'PAID'],
    ['pending', 'PENDING'],
    ['in_transit', 'PENDING'],
    ['failed', 'FAILED'],
    ['canceled', 'CANCELLED'],
    ['returned_by_courier', 'PENDING'],
  ])('with the status %s is %s', async (status, expected) => {
    // A word that nobody knows is no end: the payout stays open until it is understood.
    const { payouts } = await readAll(list([payout({ status })]), list([]));
    expect(payouts).toMatchObject([{ status: expected }]);
  });

  test('that is manual cannot be itemized, and one that is not reconciled yet is left for later', async () => {
    // Its lines would still change.
    const read = await readAll(
      list([
        payout({ id: 'po_m', automatic: false, reconciliation_status: 'not_applicable', trace_id: null }),
        payout({ id: 'po_w', reconciliation_status: 'in_progress' }),
      ]),
    );
    expect(read.payouts).toMatchObject([{ payoutReference: 'po_m', itemized: false, bankReference: null }]);
    expect(read.lines).toEqual([]);
  });

  test('of less than nothing takes money from the bank', async () => {
    const { payouts } = await readAll(list([payout({ amount: -1_234, currency: 'jpy' })]), list([]));
    expect(payouts).toMatchObject([{ amountMinor: -1_234n, currency: 'JPY' }]);
  });

  test('is read page by page, and its lines too', async () => {
    // A payout may have a million lines, and a reader may stop between two pages.
    const read = await readAll(
      list([payout({ id: 'po_1' }), payout({ id: 'po_2' })], { has_more: true }),
      list([transaction({ id: 'txn_1' })], { has_more: true }),
      list([transaction({ id: 'txn_2' })]),
      list([transaction({ id: 'txn_3' })]),
      list([payout({ id: 'po_3' })]),
      list([transaction({ id: 'txn_4' })]),
    );
    expect(read.lines.map(({ payoutReference, lineReference }) => [payoutReference, lineReference])).toEqual([
      ['po_1', 'txn_1'],
      ['po_1', 'txn_2'],
      ['po_2', 'txn_3'],
      ['po_3', 'txn_4'],
    ]);
    const starts = stripe.state.asked.map(({ query }) => query.get('starting_after'));
    expect(starts).toEqual([null, null, 'txn_1', null, 'po_2', null]);
  });
});

describe('a line', () => {
  test.each(SHIPPED_MAPPINGS.stripe.kinds.flatMap(({ words, kind }) => words.map((word) => [word, kind])))(
    'of the category %s is %s, as in the report',
    async (word, kind) => {
      // The same payout must say the same by file and by API.
      const { line } = await lineOf({ reporting_category: word, source: null });
      expect(line).toMatchObject({ kind, gatewayTxnId: null, attemptReference: null });
    },
  );

  test('tells the tax on its fee apart', async () => {
    const { line } = await lineOf({
      fee_details: [
        { amount: 50, currency: 'usd', type: 'stripe_fee' },
        { amount: 4, currency: 'usd', type: 'application_fee' },
        { amount: 6, currency: 'usd', type: 'tax' },
      ],
    });
    expect(line).toMatchObject({ grossMinor: 1_050n, feeMinor: 54n, taxMinor: 6n, netMinor: 990n });
  });

  test('that was converted names the currency in which the payer paid, and the rate', async () => {
    const { line } = await lineOf({
      exchange_rate: 0.0082,
      source: { id: 'ch_1', object: 'charge', currency: 'bdt', payment_intent: { id: 'pi_9' } },
    });
    expect(line).toMatchObject({ originalCurrency: 'BDT', exchangeRate: '0.0082', gatewayTxnId: 'pi_9' });
  });

  test.each([
    ['charge', 824_559, 1_004_952, '0.820495904281995558'],
    ['refund', -824_559, 1_004_952, '0.820495904281995558'],
    ['fee', -824_559, 1_004_952, '0.8205'],
    ['charge', 824_559, null, '0.8205'],
  ])(
    'that is a %s of %s has the exact rate if its source says what was paid: %s',
    async (category, amount, paid, rate) => {
      // Stripe rounds the rate that it states: at 0.8205 the charge would be of 8,245.63, which rounding of the amount does not explain.
      const { line } = await lineOf({
        amount,
        fee: 0,
        fee_details: [],
        net: amount,
        exchange_rate: 0.8205,
        reporting_category: category,
        source: { id: 'x_1', object: 'charge', currency: 'eur', amount: paid, payment_intent: 'pi_9' },
      });
      expect(line).toMatchObject({ originalCurrency: 'EUR', exchangeRate: rate });
    },
  );

  test.each([
    [{ attempt_reference: REFERENCE, refund_reference: 'rf_1' }, 'rf_1'],
    [{ attempt_reference: REFERENCE }, REFERENCE],
    [{}, null],
  ])('of a refund with the metadata %p names %p, and its payment', async (metadata, reference) => {
    // Two refunds of one charge may be of the same amount.
    const { line } = await lineOf({
      amount: -400,
      fee: 0,
      fee_details: [],
      net: -400,
      reporting_category: 'refund',
      type: 'refund',
      source: { id: 're_1', object: 'refund', currency: 'usd', payment_intent: 'pi_1', metadata },
    });
    expect(line).toMatchObject({ kind: 'REFUND', gatewayTxnId: 'pi_1', attemptReference: reference });
  });

  test('of a dispute names the charge', async () => {
    const { line } = await lineOf({
      amount: -1_050,
      fee: 1_500,
      fee_details: [{ amount: 1_500, currency: 'usd', type: 'stripe_fee' }],
      net: -2_550,
      reporting_category: 'dispute',
      type: 'adjustment',
      source: { id: 'dp_1', object: 'dispute', currency: 'usd', payment_intent: 'pi_1', metadata: {} },
    });
    expect(line).toMatchObject({ kind: 'DISPUTE', gatewayTxnId: 'pi_1', grossMinor: -1_050n, netMinor: -2_550n });
  });

  test('that is the transfer itself is none', async () => {
    // It would take away all that the others add.
    const itself = { type: 'payout', reporting_category: 'payout', amount: -990, net: -990, fee: 0, fee_details: [] };
    const read = await readAll(
      list([payout()]),
      list([transaction(), transaction({ ...itself, source: 'po_1' }), transaction({ ...itself, source: 'po_0' })]),
    );
    expect(read.lines).toHaveLength(1);
    expect(read.rejected).toMatchObject([{ rejection: { code: 'UNKNOWN_KIND' } }]);
  });

  test.each<[string, Body, string, string]>([
    ['a new category', { reporting_category: 'carbon_offset' }, 'UNKNOWN_KIND', 'reporting_category'],
    ['a currency that does not exist', { currency: 'zzz' }, 'BAD_CURRENCY', 'currency'],
    ['a net that is another', { net: 991 }, 'NET_DIFFERS', 'net'],
    ['details that are less than the fee', { fee_details: [] }, 'NET_DIFFERS', 'net'],
    [
      'a fee in another currency',
      { fee_details: [{ amount: 60, currency: 'eur', type: 'tax' }] },
      'NET_DIFFERS',
      'net',
    ],
    ['a rate of nothing', { exchange_rate: 0 }, 'BAD_RATE', 'exchange_rate'],
    [
      'a reference without end',
      { source: { id: 'c', object: 'charge', payment_intent: 'p'.repeat(256) } },
      'TOO_LONG',
      'source.payment_intent',
    ],
    ['a novel as its description', { description: 'x'.repeat(5_000) }, 'TOO_LONG', 'description'],
    [
      'half a unit',
      { currency: 'ugx', fee_details: [{ amount: 60, currency: 'ugx', type: 'tax' }], amount: 1_055, net: 995 },
      'BAD_AMOUNT',
      'amount',
    ],
  ])('with %s is rejected by its id, and the others are read', async (_name, changes, code, column) => {
    // A line that nobody understands must not disappear, nor stop the rest.
    const read = await readAll(list([payout()]), list([transaction(changes), transaction({ id: 'txn_2' })]));
    expect(read.rejected).toEqual([
      { payoutReference: 'po_1', lineReference: 'txn_1', rejection: { code, column, reason: expect.any(String) } },
    ]);
    expect(read.lines.map(({ lineReference }) => lineReference)).toEqual(['txn_2']);
  });
});

describe('an answer', () => {
  const many = Array.from({ length: 51 }, (_, index) => transaction({ id: `txn_${index}` }));
  test.each<[string, Reply[], string]>([
    ['of HTML', [text('<html></html>', 502)], 'ambiguous'],
    ['of nothing', [text('')], 'ambiguous'],
    ['of half a JSON', [text('{"object":"list","data":[{"id":"po_1"')], 'ambiguous'],
    ['of 2 MB', [text(`{"x":"${'x'.repeat(2_000_000)}"}`)], 'ambiguous'],
    ['without a list', [json({ object: 'payout' })], 'ambiguous'],
    ['without the amount', [list([payout({ amount: undefined })])], 'ambiguous'],
    ['with a fraction for an amount', [list([payout({ amount: 10.5 })])], 'ambiguous'],
    ['in a currency that does not exist', [list([payout({ currency: 'zzz' })])], 'ambiguous'],
    ['of more lines than were asked for', [list([payout()]), list(many)], 'ambiguous'],
    ['that announces more and shows nothing', [list([payout()]), list([], { has_more: true })], 'ambiguous'],
    ['whose line has no amount', [list([payout()]), list([transaction({ amount: null })])], 'ambiguous'],
    ['of a refusal', [refusal({ code: 'resource_missing' }, 404)], 'invalid'],
    ['to a wrong key', [refusal({}, 401)], 'unauthorized'],
    ['to too many requests', [refusal({}, 429)], 'rate-limited'],
  ])('%s is a failure: %#', async (_name, replies, kind) => {
    // A page that is only half read must not look like a payout without lines.
    const failure: unknown = await readAll(...replies).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(GatewayFailure);
    expect(failure).toMatchObject({ kind });
  });

  test.each(['', '{', '{}', 'null', '{"payoutsAfter":null,"itemize":[{"id":"po_1","on":"x"}],"linesAfter":null}'])(
    'is not asked for with a place to go on that is none: %p',
    async (after) => {
      stripe.answer(list([]));
      await expect(readPage(after)).rejects.toMatchObject({ kind: 'invalid' });
      expect(stripe.calls()).toEqual([]);
    },
  );
});
