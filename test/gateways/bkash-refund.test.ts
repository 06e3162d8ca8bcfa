import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Gateway, RefundRequest } from '../../gateways/port.ts';
import {
  json,
  PAYMENT_ID,
  refusal,
  START_MS,
  startScriptedBkash,
  text,
  type Body,
  type Reply,
  type ScriptedBkash,
} from './bkash-world.ts';

let bkash: ScriptedBkash;
let gateway: Gateway;
beforeAll(async () => {
  bkash = await startScriptedBkash();
});
afterAll(() => bkash.close());
beforeEach(() => {
  bkash.state.nowMs = START_MS;
  gateway = bkash.process();
});

const CHARGE = { validationId: PAYMENT_ID, gatewayTxnId: '6H7801QFYM' };
const REQUEST: RefundRequest = {
  ...CHARGE,
  refundReference: 'ref_1',
  amount: { amountMinor: 4_000n, currency: 'BDT' },
  remarks: 'Refund',
  queriedBefore: false,
  queriedAgoMs: null,
  otherRefunds: 0,
};
const NONE = json({ statusCode: '0000', originalTrxID: '6H7801QFYM' });
const refunded = (changes: Body = {}): Reply =>
  json({
    statusCode: '0000',
    originalTrxID: '6H7801QFYM',
    refundTrxID: 'REFUND0001',
    transactionStatus: 'Completed',
    amount: '40.00',
    currency: 'BDT',
    ...changes,
  });
const ask = (changes: Partial<RefundRequest> = {}) => gateway.refund({ ...REQUEST, ...changes });
const refunds = (): Body[] => bkash.state.asked.filter(({ path }) => path.endsWith('/refund')).map(({ body }) => body);

describe('a refund that is asked for the first time', () => {
  test('is sent with the charge, the amount as text and our reference', async () => {
    // The operator's reason is not sent to bKash.
    bkash.answer({ refund: refunded() });
    expect(await ask()).toMatchObject({ kind: 'accepted', gatewayRefundId: 'REFUND0001' });
    expect(refunds()).toEqual([
      { paymentID: PAYMENT_ID, trxID: '6H7801QFYM', amount: '40.00', sku: 'ref_1', reason: 'Refund' },
    ]);
  });

  test.each(['2034', '2071', '2072', '2074', '2077'])('is refused by %s, with the evidence', async (code) => {
    bkash.answer({ refund: refusal(code) });
    expect(await ask()).toEqual({
      kind: 'refused',
      gatewayText: `code ${code}`,
      evidence: expect.stringContaining(code),
    });
  });

  test.each([
    ['503', refusal('503')],
    ['2003', refusal('2003')],
    ['a code that nobody knows', refusal('9999')],
    ['no refund in its answer', NONE],
    ['another transaction', refunded({ originalTrxID: 'OTHER' })],
    ['another amount', refunded({ amount: '100.00' })],
    ['an amount that is none', refunded({ amount: 'forty' })],
    ['another currency', refunded({ currency: 'USD' })],
    ['HTML', text('<html></html>')],
    ['silence', () => undefined],
  ])('is doubtful after %s', async (_name, refund) => {
    // The money may be on its way.
    bkash.answer({ refund });
    await expect(bkash.expectSilence(ask)).rejects.toMatchObject({ kind: 'ambiguous' });
  });
});

test('a refund whose answer tells no amount is taken by its transaction', async () => {
  // Nothing in the answer contradicts it.
  bkash.answer({ refund: refunded({ amount: null, currency: null }) });
  expect(await ask()).toMatchObject({ kind: 'accepted', gatewayRefundId: 'REFUND0001' });
});

describe('a refund that is asked for again', () => {
  test('is what the gateway already has, of the same amount', async () => {
    // The first answer was lost.
    bkash.answer({ refund: refunded() });
    expect(await ask({ queriedBefore: true })).toMatchObject({ kind: 'accepted', gatewayRefundId: 'REFUND0001' });
    expect(refunds()).toEqual([{ paymentID: PAYMENT_ID, trxID: '6H7801QFYM' }]);
  });

  test.each([{ amount: '40.01' }, { amount: '4000' }, { amount: 'forty' }, { currency: 'USD' }])(
    'is not what the gateway has of %j',
    async (changes) => {
      // Somebody refunded it by hand, so Lenden's refund can never be carried out.
      bkash.answer({ refund: refunded(changes) });
      expect(await ask({ queriedBefore: true })).toMatchObject({ kind: 'refused' });
      expect(refunds()).toHaveLength(1);
    },
  );

  test.each([
    ['nothing', NONE],
    ['2033', refusal('2033')],
  ])('is sent when the gateway has %s', async (_name, status) => {
    // The first request never arrived.
    bkash.answer({ refund: [status, refunded()] });
    expect(await ask({ queriedBefore: true })).toMatchObject({ kind: 'accepted' });
    expect(refunds()).toHaveLength(2);
  });

  test.each([
    ['nothing', NONE],
    ['2033', refusal('2033')],
  ])('is not sent within a minute of the last time, when the gateway has %s', async (_name, status) => {
    // bKash may still be processing the first request, and takes no key that would tell the two apart.
    bkash.answer({ refund: [status, status, refunded()] });
    const repeated = (queriedAgoMs: number) => ask({ queriedBefore: true, queriedAgoMs });
    // Nothing was sent, so the wait does not start again.
    await expect(repeated(59_000)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(refunds()).toHaveLength(1);
    expect(await repeated(60_000)).toMatchObject({ kind: 'accepted' });
    expect(refunds().map((body) => body['amount'])).toEqual([undefined, undefined, '40.00']);
  });

  test('is found at once, however lately it was sent', async () => {
    // A query is always safe.
    bkash.answer({ refund: refunded() });
    expect(await ask({ queriedBefore: true, queriedAgoMs: 0 })).toMatchObject({ kind: 'accepted' });
  });

  test('is given up before whoever asked gives up', async () => {
    // An activity that is cut off would leave the result unknown. The query has used up the time for the call.
    const slow: Reply = (response, asked) => {
      bkash.later(39_900);
      NONE(response, asked);
    };
    bkash.answer({ refund: [slow, () => undefined] });
    const begunMs = performance.now();
    await expect(ask({ queriedBefore: true })).rejects.toMatchObject({ kind: 'ambiguous' });
    expect(refunds()).toHaveLength(2);
    expect(performance.now() - begunMs).toBeLessThan(3_000);
  });

  test('is not sent while the gateway does not say what it has', async () => {
    // A late refund is better than a double one.
    bkash.answer({ refund: refusal('503') });
    await expect(ask({ queriedBefore: true })).rejects.toMatchObject({ kind: 'ambiguous' });
    expect(refunds()).toHaveLength(1);
  });
});

test.each([false, true])(
  'beside another refund of the charge none is asked for or claimed (before: %p)',
  async (queriedBefore) => {
    // The gateway could answer with the other refund. Lenden would record two, but the payer would get the money once.
    bkash.answer({ refund: refunded() });
    expect(await ask({ queriedBefore, otherRefunds: 1 })).toMatchObject({ kind: 'refused' });
    expect(refunds()).toEqual([]);
  },
);

test.each([
  ['Completed', { kind: 'refunded', evidence: expect.any(String) }],
  ['Initiated', { kind: 'processing', gatewayRefundId: 'REFUND0001', evidence: expect.any(String) }],
  ['Pending', { kind: 'processing', gatewayRefundId: 'REFUND0001', evidence: expect.any(String) }],
  ['Failed', { kind: 'unknown', note: 'UNKNOWN_STATUS' }],
  ['', { kind: 'unknown', note: 'UNKNOWN_STATUS' }],
])('a refund that stands as %p is %j', async (transactionStatus, answer) => {
  // Only a known status ends a refund.
  bkash.answer({ refund: refunded({ transactionStatus }) });
  expect(await gateway.queryRefund('REFUND0001', CHARGE)).toEqual(answer);
  expect(await gateway.queryRefund('ANOTHER001', CHARGE)).toEqual({ kind: 'unknown', note: 'REFUND_NOT_FOUND' });
});
