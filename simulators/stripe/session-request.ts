import { invalidParameter, missingParameter, unknownParameter } from './errors.ts';
import { listOf } from './form-encoding.ts';
import type { Parameters } from './form-encoding.ts';
import { boundsOf, decimalText, isCurrency, isThreeDecimal } from './money.ts';

/** The checked content of a create call. */
export type SessionRequest = {
  reference: string | null;
  amount: number;
  currency: string;
  productName: string;
  successUrl: string;
  cancelUrl: string | null;
  email: string | null;
  locale: string | null;
  metadata: Record<string, string>;
  intentMetadata: Record<string, string>;
  expiresAt: number;
};

const minuteMs = 60_000;
const leastLifeMs = 30 * minuteMs;
const greatestLifeMs = 24 * 60 * minuteMs;

const names = [
  'mode',
  'line_items',
  'client_reference_id',
  'metadata',
  'payment_intent_data',
  'customer_email',
  'locale',
  'expires_at',
  'success_url',
  'cancel_url',
  'payment_method_types',
  'submit_type',
  'expand',
];
const intentNames = ['metadata', 'description', 'capture_method', 'receipt_email'];
const lineNames = ['quantity', 'price_data'];
const priceNames = ['currency', 'unit_amount', 'product_data'];
const productNames = ['name', 'description', 'metadata'];

/**
 * Reads and checks a create call. Supports one-time payments with inline prices. It accepts less than the real gateway, and nothing that the real one
 * rejects.
 * @throws ApiError
 */
export function readSessionRequest(given: Parameters, nowMs: number): SessionRequest {
  refuseUnknown(given, names, '');
  if (given['mode'] !== 'payment') {
    throw given['mode'] === undefined
      ? missingParameter('mode')
      : invalidParameter('mode', 'Invalid mode: must be payment');
  }
  const intent = objectAt(given, 'payment_intent_data', '');
  refuseUnknown(intent, intentNames, 'payment_intent_data');
  oneOf(intent, 'capture_method', ['automatic', 'automatic_async'], 'payment_intent_data');
  oneOf(given, 'locale', ['auto', 'en'], '');
  oneOf(given, 'submit_type', ['auto', 'pay', 'book', 'donate'], '');
  const lines = listOf(given['line_items']).map((line, index) => readLine(line, `line_items[${index}]`));
  const [first] = lines;
  if (!first) {
    throw missingParameter('line_items');
  }
  if (lines.some(({ currency }) => currency !== first.currency)) {
    throw invalidParameter('line_items', 'All line items must have the same currency.');
  }
  return {
    reference: text(given, { name: 'client_reference_id', lengthMax: 200 }),
    amount: totalOf(lines, first.currency),
    currency: first.currency,
    productName: first.productName,
    successUrl: url(given, 'success_url') ?? missed('success_url'),
    cancelUrl: url(given, 'cancel_url'),
    email: email(given),
    locale: text(given, { name: 'locale', lengthMax: 20 }),
    metadata: metadataAt(given, ''),
    intentMetadata: metadataAt(intent, 'payment_intent_data'),
    expiresAt: expiry(given, nowMs),
  };
}

type Line = { currency: string; amount: number; productName: string };

function readLine(line: string | Parameters, at: string): Line {
  if (typeof line === 'string') {
    throw invalidParameter(at, 'Invalid object');
  }
  refuseUnknown(line, lineNames, at);
  const price = objectAt(line, 'price_data', at);
  refuseUnknown(price, priceNames, `${at}[price_data]`);
  const product = objectAt(price, 'product_data', `${at}[price_data]`);
  refuseUnknown(product, productNames, `${at}[price_data][product_data]`);
  const currency = String(price['currency'] ?? missed(`${at}[price_data][currency]`)).toLowerCase();
  if (!isCurrency(currency)) {
    throw invalidParameter(`${at}[price_data][currency]`, `Invalid currency: ${currency}.`);
  }
  const unit = wholeNumber(price['unit_amount'], `${at}[price_data][unit_amount]`);
  const quantity = wholeNumber(line['quantity'], `${at}[quantity]`);
  const productName = text(product, { name: 'name', lengthMax: 5_000 });
  if (productName === null || productName === '') {
    throw missingParameter(`${at}[price_data][product_data][name]`);
  }
  return { currency, amount: unit * quantity, productName };
}

function totalOf(lines: readonly Line[], currency: string): number {
  const amount = lines.reduce((sum, line) => sum + line.amount, 0);
  const { least, greatest } = boundsOf(currency);
  const at = 'line_items';
  if (amount < least) {
    const bound = decimalText(least, currency);
    throw invalidParameter(
      at,
      `The Checkout Session's total amount due must add up to at least ${bound} ${currency}`,
      'amount_too_small',
    );
  }
  if (amount > greatest) {
    const bound = decimalText(greatest, currency);
    throw invalidParameter(
      at,
      `The Checkout Session's total amount must be no more than ${bound} ${currency}`,
      'amount_too_large',
    );
  }
  if (isThreeDecimal(currency) && amount % 10 !== 0) {
    throw invalidParameter(at, `Invalid amount: the last digit must be 0 in ${currency}`);
  }
  return amount;
}

function expiry(given: Parameters, nowMs: number): number {
  if (given['expires_at'] === undefined) {
    return nowMs + greatestLifeMs;
  }
  const atMs = wholeNumber(given['expires_at'], 'expires_at') * 1_000;
  if (atMs < nowMs + leastLifeMs - 1_000) {
    throw invalidParameter(
      'expires_at',
      'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.',
    );
  }
  if (atMs > nowMs + greatestLifeMs) {
    throw invalidParameter(
      'expires_at',
      'The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.',
    );
  }
  return atMs;
}

export function refuseUnknown(given: Parameters, allowed: readonly string[], at: string): void {
  for (const name of Object.keys(given)) {
    if (!allowed.includes(name)) {
      throw unknownParameter(at === '' ? name : `${at}[${name}]`);
    }
  }
}

export function wholeNumber(value: string | Parameters | undefined, param: string): number {
  if (value === undefined) {
    throw missingParameter(param);
  }
  if (typeof value !== 'string' || !/^\d{1,12}$/.test(value)) {
    throw invalidParameter(
      param,
      `Invalid integer: ${typeof value === 'string' ? value.slice(0, 50) : 'object'}`,
      'parameter_invalid_integer',
    );
  }
  return Number(value);
}

export function metadataAt(given: Parameters, at: string): Record<string, string> {
  const metadata = Object.entries(objectAt(given, 'metadata', at));
  const param = at === '' ? 'metadata' : `${at}[metadata]`;
  if (metadata.length > 50) {
    throw invalidParameter(param, 'Metadata can have up to 50 keys.');
  }
  return Object.fromEntries(
    metadata.map(([name, value]) => {
      if (typeof value !== 'string' || name.length > 40 || value.length > 500) {
        throw invalidParameter(`${param}[${name}]`, 'Metadata keys have up to 40 characters, and values up to 500.');
      }
      return [name, value];
    }),
  );
}

function objectAt(given: Parameters, name: string, at: string): Parameters {
  const value = given[name];
  if (typeof value === 'string') {
    throw invalidParameter(at === '' ? name : `${at}[${name}]`, 'Invalid object');
  }
  return value ?? {};
}

function oneOf(given: Parameters, name: string, allowed: readonly string[], at: string): void {
  const value = given[name];
  if (value !== undefined && !allowed.includes(String(value))) {
    throw invalidParameter(
      at === '' ? name : `${at}[${name}]`,
      `Invalid ${name}: must be one of ${allowed.join(', ')}`,
    );
  }
}

function text(given: Parameters, { name, lengthMax }: { name: string; lengthMax: number }): string | null {
  const value = given[name];
  if (value !== undefined && (typeof value !== 'string' || value.length > lengthMax)) {
    throw invalidParameter(name, `Invalid string: ${name} has up to ${lengthMax} characters`);
  }
  return value ?? null;
}

function url(given: Parameters, name: string): string | null {
  const value = text(given, { name, lengthMax: 5_000 });
  if (value !== null && !/^https?:\/\/[^/]/.test(value)) {
    throw invalidParameter(name, 'Not a valid URL', 'url_invalid');
  }
  return value;
}

function email(given: Parameters): string | null {
  const value = text(given, { name: 'customer_email', lengthMax: 800 });
  if (value !== null && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) {
    throw invalidParameter('customer_email', `Invalid email address: ${value}`, 'email_invalid');
  }
  return value;
}

function missed(param: string): never {
  throw missingParameter(param);
}
