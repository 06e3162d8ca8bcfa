import { isRateTrusted } from './agreed-rates.ts';
import { type Conversion, conversionOf, magnitude, settledAs } from './conversion.ts';
import { isBeyondWord, isBeyondWordTogether, isGuarded } from './file-word.ts';
import { amountFigures, type Finding, flagged, type LineFinding, matched } from './finding.ts';
import type { MatchSettings, Movement, StoredLine } from './matching.ts';

/** What the disputes of a charge have moved in one currency so far. */
interface Moved {
  readonly sumMinor: bigint;
  readonly lines: bigint;
  readonly amounts: Set<bigint>;
}

/**
 * Judges the disputes of a charge: what is taken and given back, in order, has to stay between the charge's amount and nothing. Of a person's word, what the
 * gateway has told of takes the place of the charge's amount; where the gateway tells of no disputes, it counts up to what one person may explain.
 *
 * @param lines - in their order
 */
export function judgeDisputes(
  movement: Movement,
  lines: readonly StoredLine[],
  { rates }: Pick<MatchSettings, 'rates'>,
): LineFinding[] {
  const movedIn = new Map<string, Moved>();
  const unproven = unprovenDisputes(movement, lines);
  return lines.map((line): LineFinding => {
    const conversion = conversionOf(movement, line);
    if (conversion === null) {
      return [line.id, flagged('CURRENCY', 'NO_RATE')];
    }
    if (!isRateTrusted(movement, { conversion, lines: [line] }, rates)) {
      return [line.id, flagged('CURRENCY', 'RATE_NOT_AGREED')];
    }
    if (unproven.has(line)) {
      const figures = amountFigures(conversion, { expectedMinor: 0n, settledMinor: line.grossMinor });
      return [line.id, flagged('AMOUNT', 'DISPUTE_UNPROVEN', figures)];
    }
    const moved = movedIn.get(line.currency) ?? { sumMinor: 0n, lines: 0n, amounts: new Set<bigint>() };
    const sumMinor = moved.sumMinor + line.grossMinor;
    const roundingMinor = conversion.rate === null ? 0n : moved.lines + 1n;
    const staysAbove = (amountMinor: bigint): boolean =>
      sumMinor >= -settledAs(conversion, amountMinor, movement) - roundingMinor;
    if (sumMinor > roundingMinor || !staysAbove(movement.amountMinor)) {
      return [line.id, beyond(movement, { conversion, moved, line })];
    }
    if (isGuarded(line) && !staysAbove(movement.disputedMinor ?? movement.amountMinor)) {
      return [line.id, flagged('MISSING_INTERNALLY', 'DISPUTE_UNKNOWN')];
    }
    const amounts = moved.amounts.add(line.grossMinor);
    movedIn.set(line.currency, { sumMinor, lines: moved.lines + 1n, amounts });
    return [line.id, isCostBeyondWord(line) ? costFinding(line, conversion) : matched('DISPUTE_OF_CHARGE')];
  });
}

/** Returns the lines of which only people know, where all of them together are more than one person may explain. */
function unprovenDisputes({ disputedMinor }: Movement, lines: readonly StoredLine[]): ReadonlySet<StoredLine> {
  const said = disputedMinor === null ? lines.filter(isGuarded) : [];
  const byCurrency = Map.groupBy(said, ({ currency }) => currency);
  return new Set([...byCurrency.values()].filter(isBeyondWordTogether).flat());
}

/** Nobody tells what a dispute costs but its line. */
function isCostBeyondWord(line: StoredLine): boolean {
  const { currency, feeMinor, taxMinor } = line;
  return isBeyondWord([line], { currency, amountMinor: magnitude(feeMinor) + magnitude(taxMinor) });
}

function costFinding({ grossMinor, feeMinor, taxMinor }: StoredLine, conversion: Conversion): Finding {
  return flagged('FEE', 'FEE_NOT_AGREED', {
    ...amountFigures(conversion, { expectedMinor: grossMinor, settledMinor: grossMinor }),
    feeExpectedMinor: 0n,
    feeSettledMinor: feeMinor + taxMinor,
  });
}

function beyond(
  movement: Movement,
  { conversion, moved, line }: { readonly conversion: Conversion; readonly moved: Moved; readonly line: StoredLine },
): Finding {
  const figures = amountFigures(conversion, {
    expectedMinor: -settledAs(conversion, movement.amountMinor, movement),
    settledMinor: moved.sumMinor + line.grossMinor,
  });
  return moved.amounts.has(line.grossMinor)
    ? flagged('DUPLICATE', 'REPEATED', figures)
    : flagged('AMOUNT', 'AMOUNT_DIFFERS', figures);
}
