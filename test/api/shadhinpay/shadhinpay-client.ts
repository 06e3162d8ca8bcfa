import { documentedCaller, type DocumentedAnswer } from '../documented-call.ts';
import type { Call } from '../http-call.ts';
import type { Keys } from './shadhinpay-world.ts';

export type ShadhinpayAnswer = DocumentedAnswer;

const documented = documentedCaller('shadhinpay.json', (path) =>
  path
    .replace(/^\/payments\/[^/]+(?=\/|$)/, '/payments/{paymentId}')
    .replace(/^\/refunds\/.+$/, '/refunds/{refundId}')
    .replace(/^\/invoices\/[^/]+(?=\/|$)/, '/invoices/{invoiceId}'),
);

export interface ShadhinpayCall extends Omit<Call, 'credentials'> {
  readonly keys?: Keys | undefined;
}

/** Sends a request below the prefix and fails on any status or body that the document does not describe. */
export function shadhinpayCall({ keys, ...call }: ShadhinpayCall): Promise<ShadhinpayAnswer> {
  return documented({ ...call, headers: { ...keys, ...call.headers } });
}

let orders = 0;

/** Returns a new idempotency key. */
export function aKey(): { 'x-idempotency-key': string } {
  orders += 1;
  return { 'x-idempotency-key': `key-${orders}` };
}

/** Returns an order number that no other payment of a test has. */
export function anOrder(): string {
  orders += 1;
  return `order-${orders}`;
}

export function dataOf({ json }: ShadhinpayAnswer): Record<string, unknown> {
  return json['data'] as Record<string, unknown>;
}

export function rowsOf({ json }: ShadhinpayAnswer): Record<string, unknown>[] {
  return json['data'] as Record<string, unknown>[];
}
