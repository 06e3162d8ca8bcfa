import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readPayoutLines } from '../../../core/payouts/files/payout-lines.ts';
import type { PayoutMapping } from '../../../domain/payouts/mapping.ts';
import { SHIPPED_MAPPINGS } from '../../../domain/payouts/shipped-mappings.ts';
import { all, inChunks } from '../../core/payouts/files/bytes.ts';

async function read(file: string, mapping: PayoutMapping) {
  const lines = await all(readPayoutLines(inChunks(file, 64), mapping));
  return lines.map((read) => (read.kind === 'line' ? read.line : read.rejection));
}

describe('a file as a source exports it', () => {
  test('of SSLCOMMERZ becomes charges', async () => {
    const file = 'transactionID,sett_date,tran_date,cr_amount\nA1,2026-11-24 10:00:00,2026-11-22 09:30:00,"1,950.00"\n';
    expect(await read(file, SHIPPED_MAPPINGS.sslcommerz)).toMatchObject([
      {
        kind: 'CHARGE',
        attemptReference: 'A1',
        currency: 'BDT',
        grossMinor: 195_000n,
        netMinor: 195_000n,
        occurredAt: new Date('2026-11-22T03:30:00Z'),
        paidOutOn: '2026-11-24',
      },
    ]);
  });

  const BKASH = `SL,Trx Id,Transaction Date,Trx Type,Sender,Receiver,Receiver Name,Reference,Transacted Amount,Fee,Balance
1,9E72853471,24/11/2026 02:05 PM,Payment,017,018,Shop,INV 1,"12,500.00",187.50,1
2,BFD90JRLST,24/11/2026 02:06 PM,Refund,018,017,Buyer,,500,,1
3,BFD90JRLSU,24/11/2026 02:07 PM,Cash Out,018,019,Agent,,500,,1
Total,,,,,,,,13000,,
`;

  test('of bKash becomes charges and refunds, and a type without a word is rejected', async () => {
    expect(await read(BKASH, SHIPPED_MAPPINGS.bkash)).toMatchObject([
      {
        kind: 'CHARGE',
        gatewayTxnId: '9E72853471',
        lineReference: '9E72853471',
        grossMinor: 1_250_000n,
        feeMinor: 18_750n,
        netMinor: 1_231_250n,
        occurredAt: new Date('2026-11-24T08:05:00Z'),
        description: 'INV 1',
      },
      { kind: 'REFUND', gatewayTxnId: 'BFD90JRLST', grossMinor: -50_000n, feeMinor: 0n, netMinor: -50_000n },
      { code: 'UNKNOWN_KIND', column: 'Trx Type' },
    ]);
  });

  test('of bKash reads the same in Bangla', async () => {
    const file = `ক্রমিক,ট্রানজেকশন আইডি,তারিখ,লেনদেনের ধরন,রেফারেন্স,লেনদেনের পরিমাণ,ফি
১,9E72853471,২৪/১১/২০২৬ ০২:০৫ PM,পেমেন্ট,INV 1,"৳ ১২,৫০০.০০",১৮৭.৫০
মোট,,,,,১২৫০০,
`;
    const [inEnglish] = await read(BKASH, SHIPPED_MAPPINGS.bkash);
    expect(await read(file, SHIPPED_MAPPINGS.bkash)).toEqual([inEnglish]);
  });

  test('of Stripe keeps its signs, its UTC and our reference', async () => {
    const file = `automatic_payout_id,automatic_payout_effective_at,balance_transaction_id,created,available_on,currency,gross,fee,net,reporting_category,description,payment_intent_id,payment_metadata[attempt_reference]
po_1,2026-11-24 00:00:00,txn_1,2026-11-20 18:30:00,2026-11-24 00:00:00,usd,100.00,3.20,96.80,charge,Order 1,pi_1,attempt1
po_1,2026-11-24 00:00:00,txn_2,2026-11-21 18:30:00,2026-11-24 00:00:00,usd,-40.00,0.00,-40.00,refund,,pi_1,
po_1,2026-11-24 00:00:00,txn_3,2026-11-21 18:30:00,2026-11-24 00:00:00,jpy,500,0,500,dispute_reversal,,,
po_1,2026-11-24 00:00:00,txn_4,2026-11-21 18:30:00,2026-11-24 00:00:00,usd,-1.00,0.00,-1.00,something_new,,,
`;
    expect(await read(file, SHIPPED_MAPPINGS.stripe)).toMatchObject([
      {
        kind: 'CHARGE',
        payoutReference: 'po_1',
        lineReference: 'txn_1',
        gatewayTxnId: 'pi_1',
        attemptReference: 'attempt1',
        currency: 'USD',
        grossMinor: 10_000n,
        feeMinor: 320n,
        netMinor: 9_680n,
        occurredAt: new Date('2026-11-20T18:30:00Z'),
        paidOutOn: '2026-11-24',
        description: 'Order 1',
      },
      { kind: 'REFUND', netMinor: -4_000n, attemptReference: null, description: null },
      { kind: 'DISPUTE', currency: 'JPY', netMinor: 500n },
      { code: 'UNKNOWN_KIND' },
    ]);
  });

  test('of Stripe tells of a converted charge and its refund what the payer paid, and so the rate', async () => {
    const file = `automatic_payout_id,automatic_payout_effective_at,balance_transaction_id,created,currency,gross,fee,net,reporting_category,customer_facing_amount,customer_facing_currency,payment_intent_id
po_1,2026-11-24 00:00:00,txn_1,2026-11-20 18:30:00,usd,820.00,24.08,795.92,charge,100000.00,bdt,pi_1
po_1,2026-11-24 00:00:00,txn_2,2026-11-21 18:30:00,usd,-82.00,0.00,-82.00,refund,-10000.00,bdt,pi_1
po_1,2026-11-24 00:00:00,txn_3,2026-11-21 18:30:00,usd,10.00,0.59,9.41,charge,10.00,usd,pi_2
po_1,2026-11-24 00:00:00,txn_4,2026-11-21 18:30:00,usd,-5.00,0.00,-5.00,fee,,,
`;
    expect(await read(file, SHIPPED_MAPPINGS.stripe)).toMatchObject([
      { kind: 'CHARGE', currency: 'USD', originalCurrency: 'BDT', exchangeRate: '0.0082' },
      { kind: 'REFUND', currency: 'USD', originalCurrency: 'BDT', exchangeRate: '0.0082' },
      { kind: 'CHARGE', currency: 'USD', originalCurrency: null, exchangeRate: null },
      { kind: 'FEE', currency: 'USD', originalCurrency: null, exchangeRate: null },
    ]);
  });

  test('of Stripe has a word for every type of a balance transaction that may be a line', () => {
    // A row that is rejected is missing in its payout.
    const declared = readFileSync(resolve('node_modules/stripe/esm/resources/BalanceTransactions.d.ts'), 'utf8');
    const types = /type Type = (.*?);/.exec(declared)?.[1]?.match(/'([a-z_]+)'/g) ?? [];
    expect(types.length).toBeGreaterThan(40);
    const words = SHIPPED_MAPPINGS.stripe.kinds.flatMap((entry) => entry.words);
    // A payout is the transfer itself.
    expect(types.map((type) => type.slice(1, -1)).filter((type) => !words.includes(type))).toEqual(['payout']);
    expect(words).toContain('payout_reversal');
  });

  test('of a bank becomes credits and debits', async () => {
    const file = `Date;Value Date;Particulars;Ref No;Withdrawal;Deposit;Balance
24-11-2026;24-11-2026;SSLCOMMERZ PAYOUT 7;000123;;12,34,567.00;1
24-11-2026;;FEE;;115.00;;1
;;Closing Balance;;;;1
`;
    expect(await read(file, SHIPPED_MAPPINGS.bank)).toMatchObject([
      { kind: 'ADJUSTMENT', lineReference: '000123', netMinor: 123_456_700n, description: 'SSLCOMMERZ PAYOUT 7' },
      { kind: 'ADJUSTMENT', lineReference: null, netMinor: -11_500n, paidOutOn: null },
    ]);
  });
});
