import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  openDatabase,
  openOrm,
  type Database,
  type EntityManager,
  type PooledDatabase,
} from '../../../database/connection.ts';
import type { Statements } from '../../../database/statements.ts';
import { postReversal, postTransaction } from '../../../core/ledger/store.ts';
import { sealBatch } from '../../../core/ledger/seal.ts';
import { verifyLedger, type LedgerReport } from '../../../core/ledger/verify/verify.ts';
import type { Witness } from '../../../core/ledger/verify/verify-chain.ts';
import { endRefundRow, undoRefundRow } from '../../../core/refunds/store/refund-ends.ts';
import { reserveRefund } from '../../../core/refunds/store/new-refunds.ts';
import type { RefundRecord } from '../../../core/refunds/store/refunds.ts';
import {
  paymentPosting,
  refundPosting,
  unappliedPaymentKept,
  unappliedPaymentReceipt,
} from '../../../domain/ledger.ts';
import type { Mode } from '../../../domain/mode.ts';
import { toDecimalText } from '../../../domain/money.ts';
import { refundReference } from '../../../domain/references.ts';
import { WITHOUT_REFUND_BOUNDS } from '../../../domain/refund.ts';
import { readEvidence } from '../../../scripts/commands/read-evidence.ts';
import { createTestDatabase } from '../../support/database.ts';

/** A separate database, and the operations of the ledger tests on it. */
export interface LedgerFixture {
  readonly url: string;
  readonly database: PooledDatabase;
  /** Runs one transaction as the schema's owner, here a superuser, with triggers and foreign keys enabled. */
  asOwner<T>(work: (em: EntityManager) => Promise<T>): Promise<T>;
  /** Runs SQL with every trigger and foreign key disabled, as an attacker on the server could. */
  asIntruder(sql: string): Promise<void>;
  /** Seals one batch as soon as no other transaction on the server prevents it. */
  seal(transactionsMax?: number): ReturnType<typeof sealBatch>;
  /**
   * Waits until all committed rows may be sealed. The horizon is the whole server's, so tests in other databases also delay
   * it.
   */
  sealable(): Promise<void>;
  verify(witnesses?: readonly Witness[]): Promise<LedgerReport>;
  close(): Promise<void>;
}

export async function openLedger(): Promise<LedgerFixture> {
  const { url, drop } = await createTestDatabase();
  const database = await openDatabase({ url, poolSize: 5 });
  const owner = await openOrm({ url, role: 'owner', poolSize: 2 });
  return {
    url,
    database,
    asOwner: (work) => owner.em.fork().transactional(work),
    asIntruder: (sql) =>
      owner.em.fork().transactional(async (em) => {
        await em.execute('set local session_replication_role = replica');
        await em.execute(sql);
      }),
    sealable: () => waitUntilSealable(database),
    async seal(transactionsMax = 100) {
      await waitUntilSealable(database);
      return database.withSystem((em) => sealBatch(em, { transactionsMax }));
    },
    verify: (witnesses = []) => verifyLedger(database, { readEvidence, witnesses }),
    async close() {
      await owner.close();
      await database.close();
      await drop();
    },
  };
}

async function waitUntilSealable(database: Database): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const held = await database.withSystem((em) =>
      em.execute(
        `select from ledger_transactions where xid >= pg_snapshot_xmin(pg_current_snapshot())
           and xid < pg_snapshot_xmax(pg_current_snapshot()) limit 1`,
      ),
    );
    if (held.length === 0) {
      return;
    }
    await sleep(20);
  }
  throw new Error('some transaction stays open and holds back the sealing');
}

export async function createApplication(database: Database): Promise<bigint> {
  const [row] = await database.withSystem((em) =>
    em.execute<{ id: string }[]>(`insert into applications (name) values ('Shop') returning id::text`),
  );
  return BigInt(row?.id ?? 0);
}

export interface Charged {
  readonly applicationId: bigint;
  readonly mode?: Mode;
  readonly grossMinor?: bigint;
  readonly feeMinor?: bigint;
  readonly storeId?: string;
  /** Drawn unless given. */
  readonly attemptReference?: string;
}

export interface PaidPayment {
  readonly paymentId: string;
  readonly attemptId: string;
  readonly reference: string;
  readonly attemptReference: string;
}

/**
 * Writes a paid payment as finalizing leaves it: row, confirmed attempt with the gateway's answer, and posting, in one
 * transaction.
 */
export function payPayment(database: Database, charged: Charged): Promise<PaidPayment> {
  const { applicationId, mode = 'TEST', grossMinor = 10_000n, feeMinor = 250n, storeId = 'store' } = charged;
  const { attemptReference = randomBytes(10).toString('hex') } = charged;
  const reference = `pay_${attemptReference}${attemptReference.slice(0, 4)}`;
  const validationId = `V${attemptReference}`;
  const gatewayTxnId = `B${attemptReference}`;
  return database.withScope({ applicationId, mode }, async (statements) => {
    const paymentId = await insertedId(
      statements,
      `insert into payments (application_id, mode, reference, status, amount_minor, currency, customer_reference, gateway, gateway_txn_id,
         fee_minor, expires_at, next_sweep_at, paid_at, ended_at)
       values (?::bigint, ?, ?, 'SUCCEEDED', ?::bigint, 'BDT', 'c1', 'sslcommerz', ?, ?::bigint, now(), now(), now(), now()) returning id::text`,
      [applicationId, mode, reference, grossMinor, gatewayTxnId, feeMinor],
    );
    const attemptId = await insertedId(
      statements,
      `insert into payment_attempts (application_id, mode, payment_id, number, reference, gateway, store_id, status, validation_id,
         gateway_txn_id, gross_minor, fee_minor, evidence, confirmed_at)
       values (?::bigint, ?, ?::bigint, 1, ?, 'sslcommerz', ?, 'CONFIRMED', ?, ?, ?::bigint, ?::bigint, ?, now()) returning id::text`,
      [
        applicationId,
        mode,
        paymentId,
        attemptReference,
        storeId,
        validationId,
        gatewayTxnId,
        grossMinor,
        feeMinor,
        evidenceOf({ attemptReference, validationId, gatewayTxnId, grossMinor, feeMinor }),
      ],
    );
    const money = { gateway: 'sslcommerz', currency: 'BDT', grossMinor, feeMinor };
    await postTransaction(statements, paymentPosting({ applicationId, mode, reference, ...money }));
    return { paymentId, attemptId, reference, attemptReference };
  });
}

/** Records a second charge of an attempt that had already finalized its payment. */
export function receiveLate(database: Database, paid: PaidPayment & Charged): Promise<string> {
  const { applicationId, mode = 'TEST', grossMinor = 10_000n, feeMinor = 250n, attemptReference } = paid;
  const validationId = `L${attemptReference}`;
  const gatewayTxnId = `LB${attemptReference}`;
  return database.withScope({ applicationId, mode }, async (statements) => {
    const money = { gateway: 'sslcommerz', currency: 'BDT', grossMinor, feeMinor };
    await postTransaction(
      statements,
      unappliedPaymentReceipt({ applicationId, mode, attemptReference, validationId, ...money }),
    );
    return insertedId(
      statements,
      `insert into unapplied_payments (application_id, mode, payment_id, attempt_id, gateway, validation_id, gateway_txn_id, evidence, gross_minor,
         fee_minor, currency)
       values (?::bigint, ?, ?::bigint, ?::bigint, 'sslcommerz', ?, ?, ?, ?::bigint, ?::bigint, 'BDT') returning id::text`,
      [
        applicationId,
        mode,
        paid.paymentId,
        paid.attemptId,
        validationId,
        gatewayTxnId,
        evidenceOf({ attemptReference, validationId, gatewayTxnId, grossMinor, feeMinor }),
        grossMinor,
        feeMinor,
      ],
    );
  });
}

async function insertedId(statements: Statements, sql: string, parameters: readonly unknown[]): Promise<string> {
  const [row] = await statements.execute<{ id: string }[]>(sql, [...parameters]);
  return row?.id ?? '';
}

interface Answered {
  readonly attemptReference: string;
  readonly validationId: string;
  readonly gatewayTxnId: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
}

function evidenceOf({ attemptReference, validationId, gatewayTxnId, grossMinor, feeMinor }: Answered): string {
  const amount = toDecimalText({ amountMinor: grossMinor, currency: 'BDT' });
  return JSON.stringify({
    status: 'VALID',
    tran_id: attemptReference,
    val_id: validationId,
    amount,
    store_amount: toDecimalText({ amountMinor: grossMinor - feeMinor, currency: 'BDT' }),
    currency: 'BDT',
    currency_type: 'BDT',
    currency_amount: amount,
    bank_tran_id: gatewayTxnId,
    risk_level: '0',
  });
}

/** Lets the application keep what `receiveLate` has recorded. */
export function keepUnapplied(
  database: Database,
  given: PaidPayment & Charged & { readonly unapplied: string },
): Promise<unknown> {
  const { applicationId, mode = 'TEST', grossMinor = 10_000n, attemptReference, unapplied } = given;
  const scope = { applicationId, mode };
  return database.withScope(scope, async (statements) => {
    await statements.execute(`update unapplied_payments set status = 'KEPT' where id = ?`, [unapplied]);
    const money = { currency: 'BDT', grossMinor, attemptReference, validationId: `L${attemptReference}` };
    await postTransaction(statements, unappliedPaymentKept({ ...scope, ...money }));
  });
}

/** Makes a refund of a payment that the gateway carries out at once. */
export function makeRefund(
  database: Database,
  { applicationId, mode = 'TEST', paymentId: id }: PaidPayment & Pick<Charged, 'applicationId' | 'mode'>,
  amountMinor: bigint,
  reference = refundReference(),
): Promise<RefundRecord> {
  const [scope, paymentId] = [{ applicationId, mode }, BigInt(id)];
  return database.withScope(scope, async (statements) => {
    const refund = await reserveRefund(statements, {
      scope,
      paymentId,
      reference,
      amountMinor,
      reason: null,
      creator: { type: 'APP' },
      boundsOf: () => WITHOUT_REFUND_BOUNDS,
    });
    const ending = { status: 'SUCCEEDED', failureCode: null, from: 'PENDING' } as const;
    await endRefundRow(statements, { ...ending, refundId: refund.id, paymentId });
    await postTransaction(statements, refundPosting({ ...refund, late: false }));
    return refund;
  });
}

/** A refund turns out to have failed. */
export async function failRefund(database: Database, refund: RefundRecord): Promise<void> {
  await database.withScope(refund, async (statements) => {
    await undoRefundRow(statements, refund);
    await postReversal(statements, refundPosting({ ...refund, late: false }));
  });
}
