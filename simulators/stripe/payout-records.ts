import type { Dispute, Payout } from '../kit/payouts/book.ts';
import { netOf } from '../kit/payouts/movements.ts';
import type { Movement } from '../kit/payouts/movements.ts';
import { lettersFor } from '../kit/payouts/random.ts';
import { isLive } from './accounts.ts';
import type { Gateway } from './gateway.ts';
import { feeDetails, wordsOf } from './payouts.ts';
import { chargeFields, refundFields, seconds } from './records.ts';
import type { Fields } from './records.ts';

/* The wire objects of payouts, balance transactions and disputes. */

export function payoutFields(gateway: Gateway, payout: Payout): Fields {
  const { status } = payout;
  return {
    id: payout.id,
    object: 'payout',
    amount: Number(payout.amount),
    application_fee: null,
    application_fee_amount: null,
    arrival_date: midnight(payout.on),
    automatic: payout.automatic,
    balance_transaction: transferId(payout),
    created: seconds(payout.madeAt),
    currency: payout.currency.toLowerCase(),
    description: 'STRIPE PAYOUT',
    destination: 'ba_1Simulated',
    failure_balance_transaction: null,
    failure_code: status === 'failed' ? 'account_closed' : null,
    failure_message: status === 'failed' ? 'The bank account has been closed.' : null,
    livemode: liveOf(gateway, payout.owner),
    metadata: {},
    method: 'standard',
    original_payout: null,
    payout_method: null,
    reconciliation_status: payout.automatic ? 'completed' : 'not_applicable',
    reversed_by: null,
    source_type: 'card',
    statement_descriptor: null,
    status: status === 'pending' ? 'in_transit' : status,
    trace_id: {
      status: status === 'paid' ? 'supported' : 'pending',
      value: status === 'paid' ? payout.bankReference : null,
    },
    type: 'bank_account',
  };
}

/** The transaction by which a payout leaves the balance. It is listed with those that it pays out. */
export function transferFields(payout: Payout, source: Fields | string): Fields {
  const currency = payout.currency.toLowerCase();
  return {
    id: transferId(payout),
    ...commonFields({ at: payout.madeAt, on: payout.on, currency, gross: -payout.amount, costs: 0n }),
    description: 'STRIPE PAYOUT',
    exchange_rate: null,
    fee_details: [],
    reporting_category: 'payout',
    source,
    type: 'payout',
  };
}

export function movementFields(payout: Payout, line: Movement, source: Fields | string | null): Fields {
  const currency = line.currency.toLowerCase();
  const { category, type, description } = wordsOf[line.kind];
  return {
    id: line.lineId,
    ...commonFields({ at: line.at, on: payout.on, currency, gross: line.gross, costs: line.gross - netOf(line) }),
    description,
    exchange_rate: line.original === undefined ? null : Number(line.original.rate),
    fee_details: feeDetails(line, currency),
    reporting_category: category,
    source,
    type,
  };
}

function commonFields(given: { at: number; on: string; currency: string; gross: bigint; costs: bigint }): Fields {
  const { at, on, currency, gross, costs } = given;
  return {
    object: 'balance_transaction',
    amount: Number(gross),
    available_on: midnight(on),
    balance_type: 'payments',
    created: seconds(at),
    currency,
    fee: Number(costs),
    net: Number(gross - costs),
    status: 'available',
  };
}

/** Returns what moved the money, as an object. Of a charge that nobody made only what its transaction says is known. */
export function sourceFields(gateway: Gateway, line: Movement): Fields | null {
  const session = gateway.state.sessions.get(line.valId);
  const refund = gateway.state.refunds.get(line.sourceId);
  const dispute = gateway.desk.book().disputes.get(line.sourceId);
  if (refund) {
    return refundFields(gateway, refund);
  }
  if (dispute) {
    return disputeFields(gateway, dispute);
  }
  if (session?.charge) {
    return chargeFields(gateway, session);
  }
  return line.kind === 'charge' || line.kind === 'refund' ? foreignFields(line) : null;
}

function foreignFields({ kind, sourceId, bankTranId, gross, currency, at }: Movement): Fields {
  return {
    id: sourceId,
    object: kind,
    amount: Math.abs(Number(gross)),
    created: seconds(at),
    currency: currency.toLowerCase(),
    metadata: {},
    payment_intent: bankTranId,
    status: 'succeeded',
  };
}

export function disputeFields(gateway: Gateway, dispute: Dispute): Fields {
  const { charge, id, at, owner, reason, status } = dispute;
  return {
    id,
    object: 'dispute',
    amount: Number(charge.gross),
    balance_transactions: [],
    charge: charge.sourceId,
    created: seconds(at),
    currency: charge.currency.toLowerCase(),
    enhanced_eligibility_types: [],
    evidence: emptyEvidence,
    evidence_details: {
      due_by: seconds(at) + evidenceSeconds,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
    },
    is_charge_refundable: false,
    livemode: liveOf(gateway, owner),
    metadata: {},
    payment_intent: charge.bankTranId,
    reason,
    status,
  };
}

const evidenceSeconds = 9 * 24 * 3_600;
const evidenceMembers =
  'access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal ' +
  'customer_communication customer_email_address customer_name customer_purchase_ip customer_signature ' +
  'duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt ' +
  'refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation ' +
  'shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number ' +
  'uncategorized_file uncategorized_text';
const emptyEvidence: Fields = {
  ...Object.fromEntries(evidenceMembers.split(' ').map((name) => [name, null])),
  enhanced_evidence: {},
};

function transferId({ id }: Payout): string {
  return `txn_1${lettersFor(`transfer ${id}`, 23)}`;
}

function midnight(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / 1_000;
}

function liveOf({ accounts }: Gateway, owner: string): boolean {
  return accounts.some((account) => account.id === owner && isLive(account));
}
