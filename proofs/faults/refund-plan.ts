import type { Errand } from './plan.ts';

/** A refund requested by an application, with its own key. */
export interface AppRefund {
  /** Also the refund's reason, so that a reader can see which request made it. */
  readonly key: string;
  readonly amountMinor: number;
}

/** Returns the refunds that an errand's application requests, in order, or all at once for `rush`. */
export function appRefundsOf({ mark, amountMinor, refund }: Errand): AppRefund[] {
  const keyed = (amounts: readonly number[]): AppRefund[] =>
    amounts.map((minor, index) => ({ key: `${mark}-r${index}`, amountMinor: minor }));
  const half = Math.ceil(amountMinor / 2);
  switch (refund) {
    case 'part':
      return keyed([Math.ceil(amountMinor * 0.4)]);
    case 'whole':
      return keyed([amountMinor]);
    case 'rush':
      return keyed([half, half, amountMinor - half, amountMinor]);
    case 'too-much':
      return keyed([amountMinor + 1, amountMinor - half, amountMinor]);
    case 'mixed':
      return keyed([half]);
    default:
      return [];
  }
}

/** Returns the refund that an operator requests, or null. */
export function operatorRefundOf({ mark, amountMinor, refund }: Errand): AppRefund | null {
  switch (refund) {
    case 'approved':
    case 'approved-at-once':
    case 'own-word':
    case 'rejected':
    case 'left':
      return { key: `${mark}-o`, amountMinor };
    case 'mixed':
      return { key: `${mark}-o`, amountMinor: amountMinor - Math.ceil(amountMinor / 2) };
    default:
      return null;
  }
}
