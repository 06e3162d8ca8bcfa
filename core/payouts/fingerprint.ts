import { hash } from 'node:crypto';
import type { BankEntry } from '../../domain/payouts/bank-entry.ts';
import type { PayoutLine } from '../../domain/payouts/payout-line.ts';

export const FINGERPRINT_BYTES = 16;

/**
 * Returns what two lines have in common only if their sources say the same of them: 16 bytes of a SHA-256 over their members, in hexadecimal. The
 * encoding of the members is stored with each line, so it never changes.
 */
export function lineFingerprint(line: PayoutLine): string {
  return fingerprintOf([
    'line/1',
    line.kind,
    line.payoutReference,
    line.lineReference,
    line.gatewayTxnId,
    // The gateway's own id of a line says enough. Its API and its report name the order differently.
    line.lineReference === null ? line.attemptReference : null,
    line.currency,
    line.grossMinor.toString(),
    line.feeMinor.toString(),
    line.taxMinor.toString(),
    line.netMinor.toString(),
    line.originalCurrency,
    line.exchangeRate,
    line.occurredAt?.toISOString() ?? null,
    line.paidOutOn,
    line.description,
  ]);
}

/** Like `lineFingerprint`, for an entry of a bank statement. The statement is no part of it: banks send an entry in statements of a day and of a month. */
export function entryFingerprint(entry: BankEntry): string {
  return fingerprintOf([
    'entry/1',
    entry.account,
    entry.currency,
    entry.amountMinor.toString(),
    entry.bookedOn,
    entry.valueOn,
    entry.bankReference,
    entry.remittance,
  ]);
}

function fingerprintOf(members: readonly (string | null)[]): string {
  return hash('sha256', JSON.stringify(members), 'hex').slice(0, FINGERPRINT_BYTES * 2);
}
