import { dhakaDateTime } from './identifiers.ts';
import { findInstrument } from './instruments.ts';
import { unpad } from './money.ts';
import type { Outcome, Session } from './state.ts';

/*
 * The field names of the gateway's messages, one set for each kind of message. Every value is text, except the two integers of the validation answer,
 * which are integers in the captures too.
 */

type Text = Record<string, string>;

const orderOfNotice = (
  'tran_id val_id amount card_type store_amount card_no bank_tran_id status tran_date error currency card_issuer ' +
  'card_brand card_sub_brand card_issuer_country card_issuer_country_code store_id verify_sign verify_key ' +
  'verify_sign_sha2 currency_type currency_amount currency_rate base_fair value_a value_b value_c value_d ' +
  'subscription_id risk_level risk_title'
).split(' ');

/** Fields that are absent from a notice with this status. */
const absentFrom: Readonly<Record<string, readonly string[]>> = {
  VALID: [],
  UNATTEMPTED: [],
  EXPIRED: [],
  FAILED: ['val_id', 'store_amount', 'risk_level', 'risk_title'],
  CANCELLED: [
    'val_id',
    'store_amount',
    'risk_level',
    'risk_title',
    'card_type',
    'card_no',
    'card_issuer',
    'card_brand',
    'card_sub_brand',
    'card_issuer_country',
    'card_issuer_country_code',
  ],
};

/** Returns the fields of an IPN and of the browser's return, without the signature. */
export function noticeFields({ session, outcome }: { session: Session; outcome: Outcome }): Text {
  const all: Text = {
    ...paymentFields({ session, outcome }),
    store_id: session.storeId,
    error: outcome.error,
    ...riskFields({ session, outcome }),
    ...(session.script.subscriptionId ? { subscription_id: '' } : {}),
  };
  const absent = absentFrom[outcome.status] ?? [];
  return Object.fromEntries(Object.entries(all).filter(([name]) => !absent.includes(name)));
}

/** Sorts the fields in the order observed in a browser's return. */
export function inReturnOrder(fields: Readonly<Text>): [string, string][] {
  const place = ([name]: [string, string]): number => orderOfNotice.indexOf(name);
  return Object.entries(fields).sort((left, right) => place(left) - place(right));
}

/** Sorts the fields in the order observed in an IPN: alphabetically, then the signature. */
export function inNoticeOrder(fields: Readonly<Text>, signature: Readonly<Text>): [string, string][] {
  const sorted = Object.entries(fields).sort(([left], [right]) => (left < right ? -1 : 1));
  return [...sorted, ...Object.entries(signature)];
}

/** Returns the body of a validation answer and of a query by session key, except status and APIConnect. */
export function validationFields({ session, outcome }: { session: Session; outcome: Outcome }) {
  return {
    ...paymentFields({ session, outcome }),
    card_category: cardCategory(outcome),
    ...emiFields(),
    account_details: '',
    ...riskFields({ session, outcome }),
    ...discountFields(),
    validated_on: validatedOn(outcome),
    gw_version: '',
    offer_avail: 1,
    card_ref_id: '',
    isTokeizeSuccess: 0,
    campaign_code: '',
  };
}

/** Returns one element of the answer to a query by transaction id. */
export function elementFields({ session, outcome }: { session: Session; outcome: Outcome }): Text {
  const { card_sub_brand: _subBrand, ...payment } = paymentFields({ session, outcome });
  return {
    ...payment,
    status: recordedStatus(outcome),
    validated_on: validatedOn(outcome),
    ...discountFields(),
    ...riskFields({ session, outcome }),
    bank_gw: payment['card_type'] ?? '',
    gw_version: '',
    ...emiFields(),
    error: outcome.error,
  };
}

/** Returns the recorded status. Only the merchant's first validation turns VALID into VALIDATED. */
export function recordedStatus(outcome: Outcome): string {
  return outcome.status === 'VALID' && outcome.validatedAt !== undefined ? 'VALIDATED' : outcome.status;
}

/** Returns the outcome that a query shows for a session without one: the same members, all empty. */
export function pendingOutcome(session: Session): Outcome {
  return {
    status: 'UNATTEMPTED',
    at: session.createdAt,
    error: '',
    instrument: '',
    valId: '',
    bankTranId: '',
    amount: session.amount,
    currencyAmount: session.currencyAmount,
    storeAmount: '',
  };
}

function paymentFields({ session, outcome }: { session: Session; outcome: Outcome }): Text {
  const write = (amount: string): string => (session.script.unpadded ? unpad(amount) : amount);
  return {
    status: outcome.status,
    tran_date: dhakaDateTime(outcome.at),
    tran_id: session.tranId,
    val_id: outcome.valId,
    amount: write(outcome.amount),
    store_amount: write(outcome.storeAmount),
    currency: 'BDT',
    bank_tran_id: outcome.bankTranId,
    ...cardFields(outcome),
    currency_type: session.currency,
    currency_amount: write(outcome.currencyAmount),
    currency_rate: session.rate,
    base_fair: '0.00',
    value_a: session.values.a,
    value_b: session.values.b,
    value_c: session.values.c,
    value_d: session.values.d,
  };
}

function cardFields(outcome: Outcome): Text {
  const instrument = outcome.status === 'VALID' ? findInstrument(outcome.instrument) : undefined;
  return {
    card_type: instrument?.cardType ?? '',
    card_no: instrument?.cardNo ?? '',
    card_issuer: instrument?.cardIssuer ?? '',
    card_brand: instrument?.cardBrand ?? '',
    // In the captures, a failed attempt has this field filled while its other card fields are empty.
    card_sub_brand: instrument?.cardSubBrand ?? (outcome.status === 'FAILED' ? 'Classic' : ''),
    card_issuer_country: instrument ? 'Bangladesh' : '',
    card_issuer_country_code: instrument ? 'BD' : '',
  };
}

function riskFields({ session, outcome }: { session: Session; outcome: Outcome }): Text {
  const risky = outcome.status === 'VALID' && session.script.risk === '1';
  return { risk_level: risky ? '1' : '0', risk_title: risky ? 'Not Safe' : 'Safe' };
}

function cardCategory(outcome: Outcome): string {
  return findInstrument(outcome.instrument)?.channel === 'card' ? 'DEBIT' : '';
}

function validatedOn(outcome: Outcome): string {
  return outcome.validatedAt === undefined ? '' : dhakaDateTime(outcome.validatedAt);
}

function emiFields(): Text {
  return { emi_instalment: '0', emi_amount: '0.00', emi_description: '', emi_issuer: '' };
}

function discountFields(): Text {
  return { discount_percentage: '0', discount_amount: '0.00', discount_remarks: '' };
}
