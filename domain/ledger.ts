import type { Mode } from './mode.ts';

/**
 * Chart of accounts, per application, mode and currency. An account's normal side is the side on which it grows. `gateway:{name}:clearing` is the
 * money that a gateway has collected and that no payout line has covered yet, `gateway:{name}:transit` what lines cover and the bank has not received.
 * `gateway:{name}:conversion` is a currency trading account: it joins the two currencies of money that the gateway has converted.
 */
export type NormalSide = 'debit' | 'credit';

export const PAYABLE_ACCOUNT = 'app:payable';
export const FEES_ACCOUNT = 'gateway:fees';
export const SUSPENSE_ACCOUNT = 'suspense';
const TAXES_ACCOUNT = 'gateway:taxes';
const BANK_ACCOUNT = 'bank';

export function clearingAccount(gateway: string): string {
  return `gateway:${gateway}:clearing`;
}

/** Accounts of one gateway, with their normal sides. */
const OF_GATEWAY = {
  clearing: 'debit',
  transit: 'debit',
  reserve: 'debit',
  disputes: 'debit',
  differences: 'debit',
  unexplained: 'credit',
  conversion: 'credit',
} as const satisfies Record<string, NormalSide>;
const GATEWAY_ACCOUNT = /^gateway:[a-z0-9-]+:(?<purpose>[a-z]+)$/;
const NORMAL_SIDES: ReadonlyMap<string, NormalSide> = new Map([
  [PAYABLE_ACCOUNT, 'credit'],
  [FEES_ACCOUNT, 'debit'],
  [TAXES_ACCOUNT, 'debit'],
  [SUSPENSE_ACCOUNT, 'credit'],
  [BANK_ACCOUNT, 'debit'],
]);
const PURPOSES: ReadonlyMap<string, NormalSide> = new Map(Object.entries(OF_GATEWAY));

/** Returns the normal side of an account. Throws RangeError for a name outside the chart, so that a misspelled account is never created. */
export function normalSideOf(account: string): NormalSide {
  const purpose = GATEWAY_ACCOUNT.exec(account)?.groups?.['purpose'];
  const side = purpose === undefined ? NORMAL_SIDES.get(account) : PURPOSES.get(purpose);
  if (side === undefined) {
    throw new RangeError(`not an account of the chart: ${account}`);
  }
  return side;
}

/** Has one debit and one credit account, one currency and an amount > 0, so an unbalanced transaction cannot be expressed. */
export interface Posting {
  readonly debit: string;
  readonly credit: string;
  readonly amountMinor: bigint;
}

/**
 * The cause of a ledger transaction. It is unique together with the kind, so nothing is posted twice. `id` is a payment's reference, an attempt's
 * reference with the validation id of the late charge, a refund's reference, the decimal id of a row of `payout_bookings`, or that of the reversed
 * transaction.
 */
export interface Cause {
  readonly type: 'payment' | 'unapplied-payment' | 'refund' | 'payout' | 'transaction';
  readonly id: string;
}

export interface LedgerTransaction {
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly currency: string;
  readonly cause: Cause;
  readonly kind: 'charge' | 'unapplied' | 'kept' | 'refund' | 'payout' | 'reversal';
  /** The reversed ledger transaction; only for kind `reversal`. */
  readonly reversesId?: bigint;
  readonly postings: readonly Posting[];
}

/** The greatest amount of one posting: the maximum of PostgreSQL's bigint. */
const POSTING_MINOR_MAX = 2n ** 63n - 1n;
/** An upper bound for readers. No rule creates this many postings. */
export const POSTINGS_MAX = 100;

/** Checks that the transaction can be stored. Throws RangeError otherwise. */
export function checkTransaction({ postings }: LedgerTransaction): void {
  if (postings.length === 0 || postings.length > POSTINGS_MAX) {
    throw new RangeError(`a ledger transaction must have 1 to ${POSTINGS_MAX} postings, not ${postings.length}`);
  }
  for (const { debit, credit, amountMinor } of postings) {
    normalSideOf(debit);
    normalSideOf(credit);
    if (debit === credit) {
      throw new RangeError(`a posting must move between two accounts, not within ${debit}`);
    }
    if (amountMinor <= 0n || amountMinor > POSTING_MINOR_MAX) {
      throw new RangeError(`not a valid posting amount: ${amountMinor}`);
    }
  }
}

interface Collected {
  readonly gateway: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
}

interface Overpayment {
  /** The part of the gross that exceeds what the invoice asked for; 0 without an invoice. */
  readonly overpaymentMinor?: bigint;
}

interface Owner {
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly currency: string;
}

/** Returns the single ledger transaction of a paid payment. An overpayment of its invoice is held in suspense. */
export function paymentPosting(
  payment: Owner & Collected & Overpayment & { readonly reference: string },
): LedgerTransaction {
  return {
    ...ownerOf(payment),
    cause: { type: 'payment', id: payment.reference },
    kind: 'charge',
    postings: paymentPostings(payment),
  };
}

/** Returns the single ledger transaction of a row of `unapplied_payments`. */
export function unappliedPaymentReceipt(
  late: Owner & Collected & { readonly attemptReference: string; readonly validationId: string },
): LedgerTransaction {
  return {
    ...ownerOf(late),
    cause: { type: 'unapplied-payment', id: `${late.attemptReference}:${late.validationId}` },
    kind: 'unapplied',
    postings: unappliedPaymentPostings(late),
  };
}

interface PostedRefund {
  readonly reference: string;
  readonly gateway: string;
  readonly amountMinor: bigint;
  /** Unapplied money was never owed to the application, so its refund is taken from suspense instead of `app:payable`. */
  readonly late: boolean;
}

/** Returns the single ledger transaction of a refund that the gateway has made. The gateway does not return its fee. */
export function refundPosting(refund: Owner & PostedRefund): LedgerTransaction {
  return {
    ...ownerOf(refund),
    cause: { type: 'refund', id: refund.reference },
    kind: 'refund',
    postings: refundPostings(refund),
  };
}

export function refundPostings({ gateway, amountMinor, late }: Omit<PostedRefund, 'reference'>): Posting[] {
  return [{ debit: late ? SUSPENSE_ACCOUNT : PAYABLE_ACCOUNT, credit: clearingAccount(gateway), amountMinor }];
}

/** Returns the transaction for unapplied money that an operator lets the application keep: from suspense to `app:payable`. */
export function unappliedPaymentKept(
  late: Owner & { readonly grossMinor: bigint; readonly attemptReference: string; readonly validationId: string },
): LedgerTransaction {
  return {
    ...ownerOf(late),
    cause: { type: 'unapplied-payment', id: `${late.attemptReference}:${late.validationId}` },
    kind: 'kept',
    postings: [{ debit: SUSPENSE_ACCOUNT, credit: PAYABLE_ACCOUNT, amountMinor: late.grossMinor }],
  };
}

/** What lines and transfers of payouts are posted to. */
export const PAYOUT_ACCOUNTS = [
  'clearing',
  'conversion',
  'fees',
  'taxes',
  'disputes',
  'reserve',
  'unexplained',
  'differences',
  'bank',
] as const;
export type PayoutAccount = (typeof PAYOUT_ACCOUNTS)[number];

/** By how many minor units each account is credited; negative: debited. */
export type PayoutAmounts = Readonly<Partial<Record<PayoutAccount, bigint>>>;

/**
 * `lines` and `bank` are posted against the money in transit, in the currency of the payout. `converted` is the other half of lines that the gateway has
 * converted: what they cover in the currency of their payments and refunds, against `gateway:{name}:conversion`.
 */
export const PAYOUT_BOOKING_KINDS = ['lines', 'converted', 'bank'] as const;
export type PayoutBookingKind = (typeof PAYOUT_BOOKING_KINDS)[number];

interface PayoutBooking {
  /** The decimal id of the row of `payout_bookings`. */
  readonly bookingId: bigint;
  readonly gateway: string;
  readonly kind: PayoutBookingKind;
  readonly amounts: PayoutAmounts;
}

/** Returns the single ledger transaction of a row of `payout_bookings`. It has at least one amount that is not 0. */
export function payoutPosting(booking: Owner & PayoutBooking): LedgerTransaction {
  return {
    ...ownerOf(booking),
    cause: { type: 'payout', id: booking.bookingId.toString() },
    kind: 'payout',
    postings: payoutPostings(booking),
  };
}

function payoutPostings({ gateway, kind, amounts }: Omit<PayoutBooking, 'bookingId'>): Posting[] {
  const against = kind === 'converted' ? `gateway:${gateway}:conversion` : `gateway:${gateway}:transit`;
  return PAYOUT_ACCOUNTS.flatMap((name): Posting[] => {
    const amountMinor = amounts[name] ?? 0n;
    const account = payoutAccount(gateway, name);
    if (amountMinor === 0n) {
      return [];
    }
    return amountMinor > 0n
      ? [{ debit: against, credit: account, amountMinor }]
      : [{ debit: account, credit: against, amountMinor: -amountMinor }];
  });
}

function payoutAccount(gateway: string, name: PayoutAccount): string {
  switch (name) {
    case 'fees':
      return FEES_ACCOUNT;
    case 'taxes':
      return TAXES_ACCOUNT;
    case 'bank':
      return BANK_ACCOUNT;
    case 'clearing':
    case 'conversion':
    case 'disputes':
    case 'reserve':
    case 'unexplained':
    case 'differences':
      return `gateway:${gateway}:${name}`;
  }
}

/** Returns the reversal of a whole ledger transaction. A second reversal of it has the same cause and is not posted. */
export function reversal(original: LedgerTransaction & { readonly id: bigint }): LedgerTransaction {
  return {
    ...ownerOf(original),
    cause: { type: 'transaction', id: original.id.toString() },
    kind: 'reversal',
    reversesId: original.id,
    postings: reversalPostings(original.postings),
  };
}

/** Returns the postings of a confirmed payment: the gateway owes us the gross, we owe it to the application, and the gateway keeps its fee. */
export function paymentPostings({ overpaymentMinor = 0n, ...collected }: Collected & Overpayment): Posting[] {
  return collectedPostings(collected, overpaymentMinor);
}

/** Returns the postings of money that arrived for a payment that had already ended. It is held in suspense until it is refunded or kept. */
export function unappliedPaymentPostings(collected: Collected): Posting[] {
  return collectedPostings(collected, collected.grossMinor);
}

/** Returns the same postings with debit and credit swapped, in reverse order. This is the only kind of correction. */
export function reversalPostings(postings: readonly Posting[]): Posting[] {
  return postings.map(({ debit, credit, amountMinor }) => ({ debit: credit, credit: debit, amountMinor })).reverse();
}

function collectedPostings({ gateway, grossMinor, feeMinor }: Collected, suspendedMinor: bigint): Posting[] {
  if (
    grossMinor <= 0n ||
    feeMinor < 0n ||
    feeMinor > grossMinor ||
    suspendedMinor < 0n ||
    suspendedMinor > grossMinor
  ) {
    throw new RangeError(
      `gross ${grossMinor} and fee ${feeMinor} are not a valid collected amount, with ${suspendedMinor} held in suspense`,
    );
  }
  const clearing = clearingAccount(gateway);
  const postings: Posting[] = [
    { debit: clearing, credit: PAYABLE_ACCOUNT, amountMinor: grossMinor - suspendedMinor },
    { debit: clearing, credit: SUSPENSE_ACCOUNT, amountMinor: suspendedMinor },
    { debit: FEES_ACCOUNT, credit: clearing, amountMinor: feeMinor },
  ];
  return postings.filter(({ amountMinor }) => amountMinor > 0n);
}

function ownerOf({ applicationId, mode, currency }: Owner): Owner {
  return { applicationId, mode, currency };
}

/** The sums of the postings that debit and that credit an account, in minor units. */
export interface AccountSums {
  readonly debitMinor: bigint;
  readonly creditMinor: bigint;
}

/** Returns the balance on the account's normal side; negative if the other side is larger. */
export function balanceOf({ debitMinor, creditMinor }: AccountSums, normalSide: NormalSide): bigint {
  return normalSide === 'debit' ? debitMinor - creditMinor : creditMinor - debitMinor;
}
