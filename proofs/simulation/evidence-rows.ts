import type { PaymentStatus } from '../../domain/payment.ts';
import type { Evidence } from './evidence.ts';
import type { Value, Values } from './postgres/values.ts';

/** Returns the rows of one table at the end of a story. */
export function table(evidence: Evidence, name: string): readonly Values[] {
  return evidence.rows[name] ?? [];
}

export function text(value: Value | undefined): string {
  return typeof value === 'bigint' ? value.toString() : String(value);
}

export function timeOf(value: Value | undefined): number {
  return value instanceof Date ? value.getTime() : 0;
}

export function amountOf({ amount_minor: amount }: Values): bigint {
  return amount as bigint;
}

export function statusOf(payment: Values): PaymentStatus {
  return payment['status'] as PaymentStatus;
}

export function attemptsOf(evidence: Evidence, payment: Values): Values[] {
  return table(evidence, 'payment_attempts').filter(({ payment_id: id }) => id === payment['id']);
}

export function paymentWith(evidence: Evidence, id: Value | undefined): Values | undefined {
  return table(evidence, 'payments').find((payment) => payment['id'] === id);
}

export function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
