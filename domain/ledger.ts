import type { Mode } from './mode.ts';

/**
 * Chart of accounts. `debit` normal accounts grow by debits. Per app, mode and currency; `gateway:{name}:clearing` is what a
 * gateway has collected and not yet paid out.
 */
export const ACCOUNT_KINDS = {
  clearing: 'debit',
  fees: 'debit',
  bank: 'debit',
  payable: 'credit',
  suspense: 'credit',
} as const;
export type AccountKind = keyof typeof ACCOUNT_KINDS;

export function clearingAccount(gateway: string): string {
  return `gateway:${gateway}:clearing`;
}
export const PAYABLE_ACCOUNT = 'app:payable';
export const FEES_ACCOUNT = 'gateway:fees';
export const SUSPENSE_ACCOUNT = 'suspense';
export const BANK_ACCOUNT = 'bank';

/** One debit and one credit account, one currency, amount > 0: an unbalanced transaction cannot be expressed. */
export interface Posting {
  readonly debit: string;
  readonly credit: string;
  readonly amountMinor: bigint;
}

/** What caused a ledger transaction; unique together with its kind, so nothing is posted twice. */
export interface Cause {
  readonly type: 'payment' | 'late-payment' | 'transaction';
  readonly id: string;
}

export interface LedgerTransaction {
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly currency: string;
  readonly cause: Cause;
  readonly kind: 'settlement' | 'late' | 'reversal';
  readonly postings: readonly Posting[];
}

interface Collected {
  readonly gateway: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
}

/** A confirmed payment: the gateway owes us the gross, we owe it to the app, and the gateway keeps its fee. */
export function settlementPostings({ gateway, grossMinor, feeMinor }: Collected): Posting[] {
  return collectedPostings({ gateway, grossMinor, feeMinor }, PAYABLE_ACCOUNT);
}

/** Money that arrived for a payment that had already ended: held in suspense until it is refunded or accepted. */
export function latePaymentPostings(collected: Collected): Posting[] {
  return collectedPostings(collected, SUSPENSE_ACCOUNT);
}

function collectedPostings({ gateway, grossMinor, feeMinor }: Collected, creditAccount: string): Posting[] {
  if (grossMinor <= 0n || feeMinor < 0n || feeMinor > grossMinor) {
    throw new RangeError(`gross ${grossMinor} and fee ${feeMinor} are no collected amount`);
  }
  const postings: Posting[] = [{ debit: clearingAccount(gateway), credit: creditAccount, amountMinor: grossMinor }];
  if (feeMinor > 0n) {
    postings.push({ debit: FEES_ACCOUNT, credit: clearingAccount(gateway), amountMinor: feeMinor });
  }
  return postings;
}

/** The only correction there is: the same postings with debit and credit exchanged, in reverse order. */
export function reversalPostings(postings: readonly Posting[]): Posting[] {
  return postings
    .map(({ debit, credit, amountMinor }) => ({ debit: credit, credit: debit, amountMinor }))
    .reverse();
}
