import type { Money } from '../money.ts';
import { magnitude } from './conversion.ts';
import type { FlagReason } from './matching.ts';
import type { PayoutLine } from './payout-line.ts';

/** What a case is about, as far as it decides how much a person can let pass by accepting it. */
export interface Acceptable {
  readonly reason: FlagReason | string;
  /** The difference that the case shows. */
  readonly stake: Money;
  /** Null: the case is not about a line. */
  readonly line: Pick<PayoutLine, 'currency' | 'grossMinor' | 'feeMinor' | 'taxMinor' | 'netMinor'> | null;
  /** The payment to which the line belongs, if any. */
  readonly payment: Money | null;
}

/**
 * Returns the most that accepting a case can book away, in each currency. The difference alone is not enough: accepting books the net amount, so a fee
 * that takes everything hides behind a right gross amount, and a line in another currency can settle a whole payment.
 */
export function amountsAtRisk({ reason, stake, line, payment }: Acceptable): Money[] {
  if (line === null) {
    return [stake];
  }
  const costsMinor = magnitude(line.feeMinor) + magnitude(line.taxMinor);
  const isForeign = payment !== null && payment.currency !== line.currency;
  if (payment !== null && !isForeign && (reason === 'AMOUNT' || reason === 'FEE')) {
    return summed([stake, { currency: line.currency, amountMinor: reason === 'AMOUNT' ? costsMinor : 0n }]);
  }
  const ofCurrency = stake.currency === line.currency ? [stake.amountMinor] : [];
  const wholeMinor = [...ofCurrency, line.grossMinor, line.netMinor, costsMinor]
    .map(magnitude)
    .reduce((a, b) => (a > b ? a : b));
  const whole = { currency: line.currency, amountMinor: wholeMinor };
  return summed([...(ofCurrency.length === 0 ? [stake] : []), whole, ...(isForeign ? [payment] : [])]);
}

/** Adds up the amounts of each currency. */
function summed(amounts: readonly Money[]): Money[] {
  const sums = new Map<string, bigint>();
  for (const { currency, amountMinor } of amounts) {
    sums.set(currency, (sums.get(currency) ?? 0n) + magnitude(amountMinor));
  }
  return [...sums].map(([currency, amountMinor]) => ({ currency, amountMinor }));
}
