import type { Errand } from './plan.ts';

/** A refund that an application asks for, with a key of its own. */
export interface AppRefund {
  /** The refund's reason as well: whoever reads it knows which request made it. */
  readonly key: string;
  readonly amountMinor: number;
}

/** What the application of an errand asks for, in this order, or all at once where it is in a rush. */
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

/** What an operator asks for; null where he asks for nothing. */
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
