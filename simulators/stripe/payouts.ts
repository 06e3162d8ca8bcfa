import type { PayoutColumns } from '../kit/payouts/files.ts';
import { feeWithin, netOf } from '../kit/payouts/movements.ts';
import type { Movement, MovementKind, PayoutSource } from '../kit/payouts/movements.ts';
import type { PayoutSettings } from '../kit/payouts/settings.ts';
import { decimalOf, unitsOf } from '../kit/payouts/units.ts';
import { settledAmount } from './gateway.ts';
import { placesOf } from './money.ts';
import type { State } from './state.ts';

/** Stripe tells its fee with the charge, pays out after two days, and rests on Saturday and Sunday. */
export const payoutDefaults: PayoutSettings = {
  feeBps: 0,
  feeFixed: 0,
  vatBps: 0,
  delayDays: 2,
  closedWeekdays: [0, 6],
  holidays: [],
  negative: 'carry',
  reserveBps: 0,
  reserveDays: 30,
  disputeFee: 1_500,
};

/** Currencies are in upper case, as in the charge log. */
const places = (currency: string): number => placesOf(currency.toLowerCase());

export function payoutSourceOf(state: State): PayoutSource {
  return {
    gateway: 'stripe',
    offsetMinutes: 0,
    defaults: payoutDefaults,
    placesOf: places,
    settle(line, settings) {
      const session = state.sessions.get(line.valId);
      const units = Number(unitsOf(line.amount, places(line.currency)));
      if (!session?.charge) {
        throw new Error('A line of the charge log without its charge');
      }
      const { settledIn, rate, fee } = session.charge;
      return {
        currency: settledIn.toUpperCase(),
        gross: BigInt(settledAmount(session, units)),
        ...feeWithin(BigInt(fee), settings),
        ...(rate === undefined ? {} : { original: { currency: line.currency, rate, amount: BigInt(units) } }),
      };
    },
    lineId(_kind, { sourceId, letters, copy }) {
      const session = state.sessions.get(state.byCharge.get(sourceId) ?? '');
      return (copy ? undefined : session?.charge?.balanceTransaction) ?? `txn_3${letters.slice(0, 23)}`;
    },
    payoutId: (letters) => `po_1${letters.slice(0, 23)}`,
    disputeId: (letters) => `dp_1${letters.slice(0, 23)}`,
    foreign: (letters) => ({
      sourceId: `ch_3${letters(23)}`,
      valId: `cs_test_a1${letters(30)}`,
      tranId: '',
      bankTranId: `pi_3${letters(23)}`,
    }),
    refundsCount: 'at-acceptance',
    namesCurrency: true,
  };
}

/** The gateway's words for what moved money. */
export const wordsOf: Readonly<Record<MovementKind, { category: string; type: string; description: string | null }>> = {
  charge: { category: 'charge', type: 'charge', description: null },
  refund: { category: 'refund', type: 'refund', description: 'REFUND FOR CHARGE' },
  refund_failure: { category: 'refund_failure', type: 'refund_failure', description: 'REFUND FAILURE' },
  dispute: { category: 'dispute', type: 'adjustment', description: 'Chargeback withdrawal' },
  dispute_reversal: { category: 'dispute_reversal', type: 'adjustment', description: 'Chargeback reversal' },
  reserve_hold: { category: 'risk_reserved_funds', type: 'reserve_hold', description: 'Reserve hold' },
  reserve_release: { category: 'risk_reserved_funds', type: 'reserve_release', description: 'Reserve release' },
  payout_reversal: { category: 'payout_reversal', type: 'payout_failure', description: 'PAYOUT FAILURE' },
};

/** A fee and the tax on it, each if there is any. */
export function feeDetails(
  { fee, tax }: Pick<Movement, 'fee' | 'tax'>,
  currency: string,
): Readonly<Record<string, unknown>>[] {
  const parts = [
    { amount: fee, type: 'stripe_fee', description: 'Processing fees' },
    { amount: tax, type: 'tax', description: 'VAT' },
  ];
  return parts
    .filter(({ amount }) => amount !== 0n)
    .map(({ amount, ...told }) => ({ amount: Number(amount), application: null, currency, ...told }));
}

/** The report `payout_reconciliation.itemized.7`, with the optional columns that name a payment. */
export function payoutColumns(): PayoutColumns {
  return {
    headings: [
      'automatic_payout_id',
      'automatic_payout_effective_at',
      'balance_transaction_id',
      'created',
      'available_on',
      'currency',
      'gross',
      'fee',
      'net',
      'reporting_category',
      'description',
      'customer_facing_amount',
      'customer_facing_currency',
      'payment_intent_id',
      'source_id',
      'payment_metadata[attempt_reference]',
      'trace_id',
    ],
    row(line, payout) {
      const decimal = (units: bigint): string => decimalOf(units, places(line.currency));
      const { category, description } = wordsOf[line.kind];
      return [
        payout.id,
        `${payout.on} 00:00:00`,
        line.lineId,
        utcTime(line.at),
        `${payout.on} 00:00:00`,
        line.currency.toLowerCase(),
        decimal(line.gross),
        decimal(line.fee + line.tax),
        decimal(netOf(line)),
        category,
        description ?? '',
        ...customerFacing(line),
        line.bankTranId,
        line.sourceId,
        line.tranId,
        payout.bankReference,
      ];
    },
  };
}

/** What the payer paid or got back, and its currency. The report states no rate. Only what moves the money of a payer has it. */
function customerFacing({ kind, gross, currency, original }: Movement): [string, string] {
  if (kind !== 'charge' && kind !== 'refund') {
    return ['', ''];
  }
  const facing = original ?? { currency, amount: gross < 0n ? -gross : gross };
  const amount = decimalOf(facing.amount, places(facing.currency));
  return [gross < 0n ? `-${amount}` : amount, facing.currency.toLowerCase()];
}

function utcTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');
}
