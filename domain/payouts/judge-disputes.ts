import { amountFigures, flagged, grossOf, type LineFinding, matched } from './finding.ts';
import { settledAs } from './judge-amount.ts';
import type { Movement, StoredLine } from './matching.ts';

/**
 * Judges the disputes of a charge: what is taken and given back, in order, has to stay between the charge's amount and nothing.
 *
 * @param lines - in their order
 */
export function judgeDisputes(movement: Movement, lines: readonly StoredLine[]): LineFinding[] {
  const accepted: StoredLine[] = [];
  return lines.map((line): LineFinding => {
    const rate = line.currency === movement.currency ? null : line.exchangeRate;
    if (line.currency !== movement.currency && (line.originalCurrency !== movement.currency || rate === null)) {
      return [line.id, flagged('CURRENCY', 'NO_RATE')];
    }
    const conversion = { currency: line.currency, rate };
    const amountMinor = settledAs(conversion, movement.amountMinor, movement);
    const before = grossOf(accepted.filter(({ currency }) => currency === line.currency));
    const after = before + line.grossMinor;
    const roundingMinor = rate === null ? 0n : BigInt(accepted.length + 1);
    if (after <= roundingMinor && after >= -amountMinor - roundingMinor) {
      accepted.push(line);
      return [line.id, matched('DISPUTE_OF_CHARGE')];
    }
    const repeats = accepted.some(({ grossMinor }) => grossMinor === line.grossMinor);
    const figures = amountFigures(conversion, { expectedMinor: -amountMinor, settledMinor: after });
    return [line.id, repeats ? flagged('DUPLICATE', 'REPEATED') : flagged('AMOUNT', 'AMOUNT_DIFFERS', figures)];
  });
}
