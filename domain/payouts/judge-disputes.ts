import { conversionOf, settledAs } from './conversion.ts';
import { amountFigures, flagged, type LineFinding, matched } from './finding.ts';
import type { Movement, StoredLine } from './matching.ts';

/** What the disputes of a charge have moved in one currency so far. */
interface Moved {
  readonly sumMinor: bigint;
  readonly lines: bigint;
  readonly amounts: Set<bigint>;
}

/**
 * Judges the disputes of a charge: what is taken and given back, in order, has to stay between the charge's amount and nothing.
 *
 * @param lines - in their order
 */
export function judgeDisputes(movement: Movement, lines: readonly StoredLine[]): LineFinding[] {
  const movedIn = new Map<string, Moved>();
  return lines.map((line): LineFinding => {
    const conversion = conversionOf(movement, line);
    if (conversion === null) {
      return [line.id, flagged('CURRENCY', 'NO_RATE')];
    }
    const moved = movedIn.get(line.currency) ?? { sumMinor: 0n, lines: 0n, amounts: new Set<bigint>() };
    const sumMinor = moved.sumMinor + line.grossMinor;
    const amountMinor = settledAs(conversion, movement.amountMinor, movement);
    const roundingMinor = conversion.rate === null ? 0n : moved.lines + 1n;
    if (sumMinor <= roundingMinor && sumMinor >= -amountMinor - roundingMinor) {
      const amounts = moved.amounts.add(line.grossMinor);
      movedIn.set(line.currency, { sumMinor, lines: moved.lines + 1n, amounts });
      return [line.id, matched('DISPUTE_OF_CHARGE')];
    }
    const figures = amountFigures(conversion, { expectedMinor: -amountMinor, settledMinor: sumMinor });
    return [
      line.id,
      moved.amounts.has(line.grossMinor)
        ? flagged('DUPLICATE', 'REPEATED', figures)
        : flagged('AMOUNT', 'AMOUNT_DIFFERS', figures),
    ];
  });
}
