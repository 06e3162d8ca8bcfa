import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { endRefundRow } from '../../../core/refunds/store/refund-ends.ts';
import { postTransaction } from '../../../core/ledger/store.ts';
import { refundUnappliedMoney, reserveRefund } from '../../../core/refunds/store/new-refunds.ts';
import { refundPosting } from '../../../domain/ledger.ts';
import { refundReference } from '../../../domain/references.ts';
import { WITHOUT_REFUND_BOUNDS } from '../../../domain/refund.ts';
import {
  createApplication,
  keepUnapplied,
  openLedger,
  payPayment,
  receiveLate,
  type LedgerFixture,
  type PaidPayment,
} from './ledger-fixture.ts';

let ledger: LedgerFixture;
let applicationId: bigint;
let paid: PaidPayment;
beforeEach(async () => {
  ledger = await openLedger();
  applicationId = await createApplication(ledger.database);
  paid = await payPayment(ledger.database, { applicationId });
});
afterEach(() => ledger.close());

const scope = () => ({ applicationId, mode: 'TEST' }) as const;

/** Writes a refund as its workflow leaves it. */
async function refunded(amountMinor: bigint): Promise<string> {
  const reference = refundReference();
  await ledger.database.withScope(scope(), async (statements) => {
    const paymentId = BigInt(paid.paymentId);
    const refund = await reserveRefund(statements, {
      scope: scope(),
      paymentId,
      reference,
      amountMinor,
      reason: null,
      creator: { type: 'APP' },
      boundsOf: () => WITHOUT_REFUND_BOUNDS,
    });
    await end(statements, { refundId: refund.id, paymentId });
    await postTransaction(statements, refundPosting({ ...posted(reference), amountMinor, late: false }));
  });
  return reference;
}

const posted = (reference: string) => ({ ...scope(), currency: 'BDT', gateway: 'sslcommerz', reference });

function end(
  statements: Parameters<typeof endRefundRow>[0],
  { refundId, paymentId }: { refundId: bigint; paymentId: bigint },
) {
  const ending = { status: 'SUCCEEDED', failureCode: null, from: 'PENDING' } as const;
  return endRefundRow(statements, { ...ending, refundId, paymentId });
}

async function lateRefunded(): Promise<void> {
  const late = BigInt(await receiveLate(ledger.database, { ...paid, applicationId }));
  const reference = refundReference();
  await ledger.database.withScope(scope(), async (statements) => {
    const refund = await refundUnappliedMoney(statements, {
      scope: scope(),
      unappliedPaymentId: late,
      reference,
      reason: null,
      creator: { type: 'SYSTEM' },
      boundsOf: () => WITHOUT_REFUND_BOUNDS,
    });
    await end(statements, { refundId: refund?.id ?? 0n, paymentId: BigInt(paid.paymentId) });
    await postTransaction(statements, refundPosting({ ...posted(reference), amountMinor: 10_000n, late: true }));
  });
}

async function found(): Promise<string[]> {
  return (await ledger.verify()).findings.map(({ check, table, what }) => `${check} ${table}: ${what}`);
}

describe('money that went back', () => {
  test('is proved: partial, full, late and kept', async () => {
    // Operators would ignore a check that reports false findings.
    await refunded(2_500n);
    await lateRefunded();
    expect(await found()).toEqual([]);
    await refunded(7_500n);
    const report = await ledger.verify();
    expect(report).toMatchObject({ findings: [], refunds: 3 });
  });

  test('unapplied money left to the app is proved with its posting', async () => {
    // The money leaves suspense and is owed to the application.
    const unapplied = await receiveLate(ledger.database, { ...paid, applicationId });
    await keepUnapplied(ledger.database, { ...paid, applicationId, unapplied });
    expect(await found()).toEqual([]);
    await ledger.asIntruder(`update unapplied_payments set status = 'HELD'`);
    expect(await found()).toEqual([
      expect.stringMatching(/^unexplained ledger_transactions: .*kept of unapplied-payment/),
    ]);
  });

  test.each([
    [
      'a refund without a posting',
      `delete from ledger_postings where transaction_id = (select id from ledger_transactions where kind = 'refund');
       delete from ledger_transactions where kind = 'refund'`,
      /^refund refunds: .*nothing is posted for it/,
    ],
    [
      'a posting of another amount',
      `update ledger_postings set amount_minor = 2501 where transaction_id = (select id from ledger_transactions where kind = 'refund')`,
      /^refund ledger_postings: .*2501/,
    ],
    [
      'a posting that no refund explains',
      `update refunds set status = 'FAILED'`,
      /^unexplained ledger_transactions: .*refund of refund/,
    ],
    [
      'a payment that says it gave back all',
      `update payments set status = 'REFUNDED'`,
      /^refund payments: .*is REFUNDED; of 10000 captured, 2500/,
    ],
    [
      'more reserved than was captured',
      `update payments set amount_minor = 2000; update payment_attempts set gross_minor = 2000`,
      /^refund payments: .*of 2000 captured, 2500/,
    ],
  ])('%s is found', async (_name, sql, expected) => {
    // An attacker on the server can change rows, and that must not go unnoticed.
    await refunded(2_500n);
    await ledger.asIntruder(sql);
    expect((await found()).filter((finding) => expected.test(finding))).toHaveLength(1);
  });
});
