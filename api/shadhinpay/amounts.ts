import type { PaymentBounds } from '../../domain/invoice-due.ts';
import { toDecimalText } from '../../domain/money.ts';

/** The contract's bounds. Those of a vendor or of the application can be narrower. */
export const CONTRACT_BOUNDS: PaymentBounds = { minMinor: 1_000n, maxMinor: 20_000_000n };

export function withinContract(bounds: PaymentBounds | null): PaymentBounds {
  const { minMinor, maxMinor } = bounds ?? CONTRACT_BOUNDS;
  return {
    minMinor: minMinor > CONTRACT_BOUNDS.minMinor ? minMinor : CONTRACT_BOUNDS.minMinor,
    maxMinor: maxMinor < CONTRACT_BOUNDS.maxMinor ? maxMinor : CONTRACT_BOUNDS.maxMinor,
  };
}

/** `between 10.00 and 200000.00` */
export function boundsInWords({ minMinor, maxMinor }: PaymentBounds, currency: string): string {
  const [from, to] = [minMinor, maxMinor].map((amountMinor) => toDecimalText({ amountMinor, currency }));
  return `between ${from} and ${to}`;
}
