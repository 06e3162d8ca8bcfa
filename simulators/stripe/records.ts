import type { Account } from './accounts.ts';
import { isLive } from './accounts.ts';
import { ApiError } from './errors.ts';
import { feeWithin } from '../kit/payouts/movements.ts';
import { settingsFor } from '../kit/payouts/settings.ts';
import type { Gateway } from './gateway.ts';
import { settledAmount } from './gateway.ts';
import { feeDetails, payoutDefaults } from './payouts.ts';
import type { Event, Refund, Session } from './state.ts';

/* The gateway's wire objects. A reference to another object is its id, or the whole object if the caller asked to expand it. */

export type Fields = Record<string, unknown>;

/** Dotted paths, relative to the object in the answer. */
export type Expand = readonly string[];

export const apiVersion = '2026-10-28.endive';
export const seconds = (ms: number): number => Math.floor(ms / 1_000);

const availableAfterMs = 2 * 24 * 3_600_000;
/** For the test cards, which work with any future month. */
const cardExpiry = { exp_month: 12, exp_year: 2034 };
const noAddress = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };

const expandable = {
  session: ['payment_intent', 'payment_intent.latest_charge', 'payment_intent.latest_charge.balance_transaction'],
  intent: ['latest_charge', 'latest_charge.balance_transaction'],
  charge: ['balance_transaction', 'payment_intent'],
  refund: ['charge', 'payment_intent', 'balance_transaction'],
};

/** @throws ApiError for a property that cannot be expanded */
export function checkExpand(expand: Expand, kind: keyof typeof expandable): Expand {
  for (const path of expand) {
    if (!expandable[kind].includes(path)) {
      throw new ApiError({ param: 'expand', message: `This property cannot be expanded (${path}).` });
    }
  }
  return expand;
}

/** Returns the paths to expand below one member. */
function below(expand: Expand, name: string): Expand {
  return expand.flatMap((path) => (path.startsWith(`${name}.`) ? [path.slice(name.length + 1)] : []));
}

function wants(expand: Expand, name: string): boolean {
  return expand.some((path) => path === name || path.startsWith(`${name}.`));
}

export function sessionFields(gateway: Gateway, session: Session, expand: Expand = []): Fields {
  const { intent } = session;
  const intentField =
    intent && wants(expand, 'payment_intent')
      ? intentFields(gateway, session, below(expand, 'payment_intent'))
      : intent?.id;
  return {
    id: session.id,
    object: 'checkout.session',
    amount_subtotal: session.amount,
    amount_total: session.amount,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    cancel_url: session.cancelUrl,
    client_reference_id: session.reference,
    created: seconds(session.createdAt),
    currency: session.currency,
    custom_fields: [],
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    customer: null,
    customer_email: session.email,
    expires_at: seconds(session.expiresAt),
    livemode: liveOf(gateway, session),
    locale: session.locale,
    metadata: session.metadata,
    mode: 'payment',
    payment_intent: intentField ?? null,
    payment_method_types: ['card', 'us_bank_account'],
    payment_status: session.paid ? 'paid' : 'unpaid',
    shipping_options: [],
    status: session.status,
    success_url: session.successUrl,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    url: session.status === 'open' ? pageUrl(gateway, session) : null,
  };
}

export function pageUrl({ publicUrl }: Gateway, { id }: Session): string {
  return `${publicUrl}/stripe/c/pay/${id}`;
}

export function intentFields(gateway: Gateway, session: Session, expand: Expand = []): Fields {
  const { intent, charge } = session;
  if (!intent) {
    throw new Error('The payer has not tried to pay yet');
  }
  const chargeField =
    charge && wants(expand, 'latest_charge')
      ? chargeFields(gateway, session, below(expand, 'latest_charge'))
      : charge?.id;
  return {
    id: intent.id,
    object: 'payment_intent',
    amount: session.amount,
    amount_received: charge?.amount ?? 0,
    capture_method: 'automatic',
    created: seconds(intent.createdAt),
    currency: session.currency,
    last_payment_error: intent.lastError ? errorFields(intent.lastError) : null,
    latest_charge: chargeField ?? null,
    livemode: liveOf(gateway, session),
    metadata: session.intentMetadata,
    payment_method_types: ['card', 'us_bank_account'],
    status: intent.status,
  };
}

function errorFields({ code, declineCode, message }: { code: string; declineCode?: string; message: string }): Fields {
  return { code, ...(declineCode === undefined ? {} : { decline_code: declineCode }), message, type: 'card_error' };
}

export function chargeFields(gateway: Gateway, session: Session, expand: Expand = []): Fields {
  const { charge, intent } = session;
  if (!charge) {
    throw new Error('Nothing was charged yet');
  }
  const refunded = gateway.refundedOf(session);
  const intentField = wants(expand, 'payment_intent') ? intentFields(gateway, session) : (intent?.id ?? null);
  return {
    id: charge.id,
    object: 'charge',
    amount: charge.amount,
    amount_captured: charge.amount,
    amount_refunded: refunded,
    balance_transaction: wants(expand, 'balance_transaction')
      ? balanceFields(gateway, session)
      : charge.balanceTransaction,
    billing_details: { address: noAddress, email: session.email, name: null, phone: null, tax_id: null },
    captured: true,
    created: seconds(charge.at),
    currency: session.currency,
    disputed: [...gateway.desk.book().disputes.values()].some((dispute) => dispute.charge.sourceId === charge.id),
    failure_code: null,
    livemode: liveOf(gateway, session),
    metadata: session.intentMetadata,
    outcome: {
      network_status: 'approved_by_network',
      risk_level: charge.riskLevel,
      seller_message: 'Payment complete.',
      type: 'authorized',
    },
    paid: true,
    payment_intent: intentField,
    payment_method_details:
      charge.card === null
        ? { type: 'us_bank_account', us_bank_account: {} }
        : { type: 'card', card: { ...charge.card, ...cardExpiry } },
    refunded: refunded >= charge.amount,
    status: 'succeeded',
  };
}

function balanceFields({ state }: Gateway, session: Session): Fields | null {
  const { charge, account } = session;
  if (!charge || charge.balanceTransaction === null) {
    return null;
  }
  return {
    id: charge.balanceTransaction,
    object: 'balance_transaction',
    amount: settledAmount(session, charge.amount),
    available_on: seconds(charge.at + availableAfterMs),
    balance_type: 'payments',
    created: seconds(charge.at),
    currency: charge.settledIn,
    exchange_rate: charge.rate === undefined ? null : Number(charge.rate),
    fee: charge.fee,
    fee_details: feeDetails(
      feeWithin(BigInt(charge.fee), settingsFor(payoutDefaults, state.settings.payouts, account)),
      charge.settledIn,
    ),
    net: settledAmount(session, charge.amount) - charge.fee,
    reporting_category: 'charge',
    source: charge.id,
    status: 'pending',
    type: 'charge',
  };
}

export function refundFields(gateway: Gateway, refund: Refund, expand: Expand = []): Fields {
  const session = gateway.state.sessions.get(refund.sessionId);
  if (!session?.charge || !session.intent) {
    throw new Error('A refund without a charge');
  }
  return {
    id: refund.id,
    object: 'refund',
    amount: refund.amount,
    balance_transaction: null,
    charge: wants(expand, 'charge') ? chargeFields(gateway, session) : session.charge.id,
    created: seconds(refund.at),
    currency: session.currency,
    metadata: refund.metadata,
    payment_intent: wants(expand, 'payment_intent') ? intentFields(gateway, session) : session.intent.id,
    reason: refund.reason,
    status: refund.status,
    ...(refund.status === 'failed' ? { failure_reason: 'lost_or_stolen_card' } : {}),
  };
}

export function listFields({ url, data, more = false }: { url: string; data: Fields[]; more?: boolean }): Fields {
  return { object: 'list', data, has_more: more, url };
}

/** Returns an event as it is posted; `pendingDeliveries` differs from copy to copy. */
export function eventFields(account: Account, event: Event, pendingDeliveries: number): Fields {
  return {
    id: event.id,
    object: 'event',
    api_version: apiVersion,
    created: seconds(event.at),
    data: {
      object: event.object,
      ...(event.previous === undefined ? {} : { previous_attributes: event.previous }),
    },
    livemode: isLive(account),
    pending_webhooks: pendingDeliveries,
    request: { id: null, idempotency_key: null },
    type: event.type,
  };
}

function liveOf({ accounts }: Gateway, session: Session): boolean {
  return accounts.some((account) => account.id === session.account && isLive(account));
}
