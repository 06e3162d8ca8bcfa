import type { Database, EntityManager } from '../../../database/connection.ts';
import type { TrialBalanceLine } from './balances.ts';
import { Findings, type Finding } from './findings.ts';
import { verifyCauses } from './verify-causes.ts';
import { verifyChain, type ChainReport, type Witness } from './verify-chain.ts';
import { verifyInvoices } from './verify-invoices.ts';
import { verifyUnappliedPayments, verifyPaidPayments, type ReadEvidence } from './verify-payments.ts';
import { verifyPayouts } from './verify-payouts.ts';
import { verifyRefunds } from './verify-refunds.ts';
import { verifyStructure } from './verify-structure.ts';
import { verifyUnsealed, type UnsealedTail } from './verify-unsealed.ts';

export interface LedgerReport {
  /** The first hundred, starting with those of the chain. */
  readonly findings: readonly Finding[];
  readonly findingCount: number;
  readonly chain: ChainReport;
  readonly unsealed: UnsealedTail;
  readonly trialBalance: readonly TrialBalanceLine[];
  readonly paidPayments: number;
  readonly unappliedPayments: number;
  /** Refunds that succeeded. */
  readonly refunds: number;
  /** Invoices that were issued. */
  readonly invoices: number;
  /** What reconciliation posted for the lines and transfers of payouts. */
  readonly payoutBookings: number;
}

/**
 * Verifies the ledger in one snapshot while the service runs: chain, structure and balances, payment = ledger = stored evidence, and that nothing
 * else is posted. Changes nothing. Collect the witnesses before calling it; otherwise a seal created in the meantime looks as if it had been cut off.
 */
export function verifyLedger(
  database: Database,
  { readEvidence, witnesses }: { readEvidence: ReadEvidence; witnesses: readonly Witness[] },
): Promise<LedgerReport> {
  return database.withSystem(async (em) => {
    await beginSnapshot(em);
    const findings = new Findings();
    const chain = await verifyChain(em, { findings, witnesses });
    const unsealed = await verifyUnsealed(em, findings);
    const lines = await verifyStructure(em, findings);
    const paidPayments = await verifyPaidPayments(em, { findings, readEvidence });
    const unappliedPayments = await verifyUnappliedPayments(em, { findings, readEvidence });
    const refunds = await verifyRefunds(em, findings);
    const invoices = await verifyInvoices(em, findings);
    const payoutBookings = await verifyPayouts(em, findings);
    await verifyCauses(em, findings);
    return {
      findings: findings.listed,
      findingCount: findings.count,
      chain,
      unsealed,
      trialBalance: lines,
      paidPayments,
      unappliedPayments,
      refunds,
      invoices,
      payoutBookings,
    };
  });
}

async function beginSnapshot(em: EntityManager): Promise<void> {
  await em.execute('set transaction isolation level repeatable read, read only');
  // Summing up a large ledger takes longer than a request may.
  await em.execute(`set local statement_timeout = '30min'`);
}
