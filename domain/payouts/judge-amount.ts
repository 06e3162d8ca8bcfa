import { agreedFor, isRateTrusted } from './agreed-rates.ts';
import { type Conversion, conversionOf, settledAs } from './conversion.ts';
import { namesRefund } from './choose-movement.ts';
import { explainingLines } from './explaining-lines.ts';
import { agreedCost } from './expected-fee.ts';
import { amountFigures, type Finding, flagged, grossOf, type LineFinding, matched, ofEach } from './finding.ts';
import type { Figures, MatchSettings, Movement, StoredLine, VerdictDetail } from './matching.ts';

/** What the lines of a movement say of its amount. */
export interface JudgedAmount {
  /** Of the movement. Null: no line says anything of its amount. */
  readonly finding: Finding | null;
  readonly findings: readonly LineFinding[];
  /** The lines that explain the amount. Null unless it is explained. */
  readonly explained: Explained | null;
}

export interface Explained {
  readonly lines: readonly StoredLine[];
  readonly conversion: Conversion;
  readonly finding: Finding;
  readonly figures: Figures;
}

/** Judges whether the lines, or some of them, add up to the movement. */
export function judgeAmount(movement: Movement, lines: readonly StoredLine[], settings: MatchSettings): JudgedAmount {
  const expectedMinor = expectedAmount(movement, settings);
  if (expectedMinor === null) {
    const finding = flagged('FEE', 'FEE_UNKNOWN');
    return { finding: lines.length === 0 ? null : finding, findings: ofEach(lines, finding), explained: null };
  }
  const batches = batchesOf(movement, lines);
  const distrusted = new Set<Batch>();
  for (const batch of batches) {
    const explanation = explain(movement, batch, { expectedMinor, settings });
    if (explanation !== null && !isRateTrusted(movement, explanation, settings.rates)) {
      distrusted.add(batch);
    } else if (explanation !== null) {
      const explaining = new Set(explanation.lines);
      const rest = lines.filter((line) => !explaining.has(line));
      return judgeRest(movement, explanation, rest);
    }
  }
  const findings = [
    ...batches.flatMap((batch) =>
      ofEach(
        batch.lines,
        distrusted.has(batch)
          ? notAgreed(movement, batch, { expectedMinor, settings })
          : differing(movement, batch, expectedMinor),
      ),
    ),
    ...ofEach(inconvertible(movement, lines), flagged('CURRENCY', 'NO_RATE')),
  ];
  return { finding: findings[0]?.[1] ?? null, findings, explained: null };
}

/** What the lines should add up to in the movement's currency. Null: the source states the net only, and nobody has said what the fee is. */
function expectedAmount(movement: Movement, settings: MatchSettings): bigint | null {
  const { kind, amountMinor, feeMinor, reversed } = movement;
  if (reversed) {
    return 0n;
  }
  if (kind === 'REFUND') {
    return -amountMinor;
  }
  if (!settings.statesNetOnly) {
    return amountMinor;
  }
  const costMinor = feeMinor ?? agreedCost(movement, settings);
  return costMinor === null ? null : amountMinor - costMinor;
}

/** Lines that were settled in the same way, so that their amounts can be added. */
interface Batch {
  readonly conversion: Conversion;
  readonly lines: readonly StoredLine[];
}

/** Lines in the movement's own currency come first. */
function batchesOf(movement: Movement, lines: readonly StoredLine[]): Batch[] {
  const batches = new Map<string, { conversion: Conversion; lines: StoredLine[] }>();
  for (const line of lines) {
    const conversion = conversionOf(movement, line);
    if (conversion !== null) {
      const name = `${conversion.currency} ${conversion.rate ?? ''}`;
      const batch = batches.get(name) ?? { conversion, lines: [] };
      batch.lines.push(line);
      batches.set(name, batch);
    }
  }
  return [...batches.values()].sort((a, b) => Number(a.conversion.rate !== null) - Number(b.conversion.rate !== null));
}

function inconvertible(movement: Movement, lines: readonly StoredLine[]): StoredLine[] {
  return lines.filter((line) => conversionOf(movement, line) === null);
}

function explain(
  movement: Movement,
  { conversion, lines }: Batch,
  { expectedMinor, settings }: { readonly expectedMinor: bigint; readonly settings: MatchSettings },
): Explained | null {
  const targetMinor = settledAs(conversion, expectedMinor, movement);
  // The gateway rounds each line that it converts.
  const toleranceMinor = (count: number): bigint =>
    conversion.rate === null ? settings.tolerance.amountMinor : BigInt(count);
  const explanation = explainingLines(lines, ({ grossMinor }) => grossMinor, { targetMinor, toleranceMinor });
  if (explanation === null) {
    return null;
  }
  const { explaining } = explanation;
  const figures = amountFigures(conversion, { expectedMinor: targetMinor, settledMinor: grossOf(explaining) });
  const finding = matched(detailOf(movement, explaining.length, figures), figures);
  return { lines: explaining, conversion, finding, figures };
}

function detailOf(movement: Movement, lines: number, figures: Figures): VerdictDetail {
  if (movement.reversed) {
    return 'CANCELLED_OUT';
  }
  if (figures.exchangeRate !== null) {
    return 'CONVERTED';
  }
  if (figures.differenceMinor !== 0n) {
    return 'WITHIN_TOLERANCE';
  }
  return lines === 1 ? 'EXACT' : 'SPLIT';
}

/** The movement is explained without these lines: what are they? */
function judgeRest(movement: Movement, explained: Explained, rest: readonly StoredLine[]): JudgedAmount {
  const reversals = rest.filter((line) => isReversal(movement, line));
  const amounts = new Set(explained.lines.map(({ grossMinor }) => grossMinor));
  const settledMinor = grossOf([...explained.lines, ...reversals]);
  const { expectedMinor } = explained.figures;
  const reversal = flagged('AMOUNT', 'REVERSED', amountFigures(explained.conversion, { expectedMinor, settledMinor }));
  const others = rest.filter((line) => !isReversal(movement, line));
  return {
    finding: reversals.length > 0 ? reversal : explained.finding,
    findings: [
      ...ofEach(explained.lines, explained.finding),
      ...ofEach(reversals, reversal),
      ...others.map((line): LineFinding => [line.id, beyond(movement, amounts, line)]),
    ],
    explained,
  };
}

/** Reports whether the line takes back what the movement has moved. */
function isReversal({ kind, reversed }: Movement, { grossMinor }: StoredLine): boolean {
  return reversed || (kind === 'CHARGE' ? grossMinor < 0n : grossMinor > 0n);
}

function beyond(movement: Movement, amounts: ReadonlySet<bigint>, line: StoredLine): Finding {
  if (conversionOf(movement, line) === null) {
    return flagged('CURRENCY', 'NO_RATE');
  }
  return movement.kind === 'REFUND' && !amounts.has(line.grossMinor) && !namesRefund(line, movement)
    ? flagged('REFUND_UNKNOWN', 'BEYOND_REFUND')
    : flagged('DUPLICATE', 'REPEATED');
}

function differing(movement: Movement, { conversion, lines }: Batch, expectedOwnMinor: bigint): Finding {
  const expectedMinor = settledAs(conversion, expectedOwnMinor, movement);
  const figures = amountFigures(conversion, { expectedMinor, settledMinor: grossOf(lines) });
  return conversion.rate === null
    ? flagged('AMOUNT', 'AMOUNT_DIFFERS', figures)
    : flagged('CURRENCY', 'RATE_DIFFERS', figures);
}

/** Compared with the agreed rate. Without one nothing can be compared. */
function notAgreed(
  movement: Movement,
  { conversion: { currency }, lines }: Batch,
  { expectedMinor, settings }: { readonly expectedMinor: bigint; readonly settings: MatchSettings },
): Finding {
  const agreed = agreedFor(movement, { currency, rate: null }, settings.rates);
  if (agreed === undefined) {
    return flagged('CURRENCY', 'RATE_NOT_AGREED');
  }
  const conversion = { currency, rate: agreed.rate };
  const settledMinor = grossOf(lines);
  return flagged(
    'CURRENCY',
    'RATE_NOT_AGREED',
    amountFigures(conversion, { expectedMinor: settledAs(conversion, expectedMinor, movement), settledMinor }),
  );
}
