import { z } from 'zod';
import { isCurrency } from '../../domain/currency.ts';
import { rateFromText } from '../../domain/payouts/amount-text.ts';
import { impliedRate } from '../../domain/payouts/conversion.ts';
import { headingKey } from '../../domain/payouts/heading.ts';
import { DESCRIPTION_CHARS_MAX, REFERENCE_CHARS_MAX } from '../../domain/payouts/map-record.ts';
import type { PayoutLine, PayoutLineKind } from '../../domain/payouts/payout-line.ts';
import { LineRejected } from '../../domain/payouts/rejection.ts';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import type { RejectedPayoutLine } from '../port.ts';
import { fromStripeBalance } from './units.ts';

const Source = z.looseObject({
  id: z.string(),
  object: z.string(),
  currency: z.string().nullish(),
  /** Without a sign, in its own currency. */
  amount: z.int().nullish(),
  /** Of a charge, a refund and a dispute. */
  payment_intent: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});

const FeeDetail = z.looseObject({ amount: z.int(), currency: z.string(), type: z.string() });

/** A balance transaction with its source expanded. */
export const BalanceTransaction = z.looseObject({
  id: z.string().min(1).max(REFERENCE_CHARS_MAX),
  amount: z.int(),
  fee: z.int(),
  net: z.int(),
  fee_details: z.array(FeeDetail).max(100),
  currency: z.string(),
  exchange_rate: z.number().nullish(),
  created: z.int().min(0).max(253_402_300_799),
  description: z.string().nullish(),
  reporting_category: z.string(),
  type: z.string(),
  source: z.union([z.string(), Source]).nullish(),
});
export type BalanceTransaction = z.infer<typeof BalanceTransaction>;

export interface ItemizedPayout {
  readonly id: string;
  readonly on: PlainDate;
}

/** The words are those of the report, so that a payout says the same by file and by API. */
const KINDS: ReadonlyMap<string, PayoutLineKind> = new Map(
  SHIPPED_MAPPINGS.stripe.kinds.flatMap(({ words, kind }) => words.map((word) => [headingKey(word), kind] as const)),
);

/** The list of a payout's transactions ends in the payout itself, which is the transfer and none of its lines. */
export function isTransferItself({ type, source }: BalanceTransaction, payout: ItemizedPayout): boolean {
  return type === 'payout' && (typeof source === 'string' ? source : source?.id) === payout.id;
}

/** Reads one line. What Stripe states in another way than it documents makes the line a rejected one, not the whole page a failure. */
export function payoutLineOf(
  transaction: BalanceTransaction,
  payout: ItemizedPayout,
): { readonly line: PayoutLine } | { readonly rejected: RejectedPayoutLine } {
  try {
    return { line: lineOf(transaction, payout) };
  } catch (error) {
    if (error instanceof LineRejected) {
      const { rejection } = error;
      return { rejected: { payoutReference: payout.id, lineReference: transaction.id, rejection } };
    }
    throw error;
  }
}

function lineOf(transaction: BalanceTransaction, payout: ItemizedPayout): PayoutLine {
  const kind = KINDS.get(headingKey(transaction.reporting_category));
  if (kind === undefined) {
    throw new LineRejected('UNKNOWN_KIND', 'reporting_category', 'No kind of line is known for this category.');
  }
  const currency = checkedCurrency(transaction.currency, 'currency');
  const source = typeof transaction.source === 'object' ? transaction.source : null;
  const intent = source?.payment_intent;
  return {
    kind,
    payoutReference: payout.id,
    lineReference: transaction.id,
    gatewayTxnId: checkedReference(typeof intent === 'object' ? intent?.id : intent, 'source.payment_intent'),
    attemptReference: checkedReference(ourReferenceIn(source), 'source.metadata'),
    currency,
    ...amountsOf(transaction, currency),
    ...conversionOf(transaction, { kind, currency }),
    occurredAt: new Date(transaction.created * 1_000),
    paidOutOn: payout.on,
    description: descriptionOf(transaction),
  };
}

/** A refund carries two references of ours. Its own one tells it from other refunds of the same charge, which the payment's id names anyway. */
function ourReferenceIn(source: z.infer<typeof Source> | null | undefined): unknown {
  const { attempt_reference: ofAttempt, refund_reference: ofRefund } = source?.metadata ?? {};
  return source?.object === 'refund' ? (ofRefund ?? ofAttempt) : ofAttempt;
}

/** Source: Stripe's `net` is `amount` − `fee`, and `fee` is the sum of its details. A tax on the fee is one of them. */
function amountsOf(
  { amount, fee, net, fee_details: details, currency: stated }: BalanceTransaction,
  currency: string,
): Pick<PayoutLine, 'grossMinor' | 'feeMinor' | 'taxMinor' | 'netMinor'> {
  const tax = sum(details.filter(({ type }) => type === 'tax'));
  if (amount - fee !== net || sum(details) !== fee || details.some(({ currency }) => currency !== stated)) {
    throw new LineRejected('NET_DIFFERS', 'net', 'Amount, fee, its details and net do not add up.');
  }
  const minor = (units: number, member: string): bigint => {
    const read = fromStripeBalance(units, currency);
    if (read === null) {
      throw new LineRejected('BAD_AMOUNT', member, `The member is no amount in ${currency}.`);
    }
    return read;
  };
  return {
    grossMinor: minor(amount, 'amount'),
    feeMinor: minor(fee - tax, 'fee'),
    taxMinor: minor(tax, 'fee_details'),
    netMinor: minor(net, 'net'),
  };
}

function sum(details: readonly { amount: number }[]): number {
  return details.reduce((total, { amount }) => total + amount, 0);
}

/**
 * Stripe rounds the rate that it states. What the payer paid or got back implies the exact one, if the line is of that charge, refund or dispute itself.
 */
function conversionOf(
  { exchange_rate: rate, source, amount: settled }: BalanceTransaction,
  { kind, currency }: Pick<PayoutLine, 'kind' | 'currency'>,
): Pick<PayoutLine, 'originalCurrency' | 'exchangeRate'> {
  if (rate === null || rate === undefined) {
    return { originalCurrency: null, exchangeRate: null };
  }
  const stated = rateFromText(String(rate), { decimalComma: false });
  if (stated === null) {
    throw new LineRejected('BAD_RATE', 'exchange_rate', 'The member is not a positive decimal.');
  }
  const { currency: paidIn, amount: paid } = typeof source === 'object' && source !== null ? source : {};
  const original = paidIn === null || paidIn === undefined ? null : checkedCurrency(paidIn, 'source.currency');
  if (original === null || original === currency) {
    return { originalCurrency: null, exchangeRate: stated };
  }
  const isItself = kind === 'CHARGE' || kind === 'REFUND' || kind === 'DISPUTE';
  const paidMinor = !isItself || paid === null || paid === undefined ? null : fromStripeBalance(paid, original);
  const grossMinor = fromStripeBalance(settled, currency);
  const implied =
    paidMinor === null || grossMinor === null
      ? null
      : impliedRate({ originalCurrency: original, paidMinor }, { currency, grossMinor });
  return { originalCurrency: original, exchangeRate: implied ?? stated };
}

function checkedCurrency(text: string, member: string): string {
  const code = text.toUpperCase();
  if (!isCurrency(code)) {
    throw new LineRejected('BAD_CURRENCY', member, 'The member is not the code of a currency.');
  }
  return code;
}

function checkedReference(value: unknown, member: string): string | null {
  if (typeof value !== 'string' || value === '') {
    return null;
  }
  if (value.length > REFERENCE_CHARS_MAX) {
    throw new LineRejected('TOO_LONG', member, `The member has more than ${REFERENCE_CHARS_MAX} characters.`);
  }
  return value;
}

function descriptionOf({ description }: BalanceTransaction): string | null {
  if (description === null || description === undefined || description === '') {
    return null;
  }
  if (description.length > DESCRIPTION_CHARS_MAX) {
    throw new LineRejected('TOO_LONG', 'description', `The member has more than ${DESCRIPTION_CHARS_MAX} characters.`);
  }
  return description;
}
