import { magnitude, settledAs } from './conversion.ts';
import { agreedCost, agreedFee, feeSaidWith } from './expected-fee.ts';
import { explainingLines } from './explaining-lines.ts';
import { type Finding, flagged, type LineFinding, matched, ofEach } from './finding.ts';
import type { Explained } from './judge-amount.ts';
import { contentOf } from './line-order.ts';
import type { MatchSettings, Movement, SettledFee, StoredLine } from './matching.ts';

/** What the lines of a movement say of its fee. */
export interface JudgedFee {
  /** Of the movement, and of the lines that explain its amount. Null: the amount is not explained, so the fee is not judged. */
  readonly finding: Finding | null;
  readonly findings: readonly LineFinding[];
  readonly bookFee: SettledFee | null;
}

/**
 * Judges the fee in the lines that explain the amount, and in lines of its own.
 *
 * @param costs - FEE and TAX lines that name the charge
 */
export function judgeFee(
  movement: Movement,
  { explained, costs }: { readonly explained: Explained | null; readonly costs: readonly StoredLine[] },
  settings: MatchSettings,
): JudgedFee {
  if (explained === null) {
    return { finding: null, findings: ofEach(costs, matched('COST_OF_CHARGE')), bookFee: null };
  }
  const { currency } = explained.conversion;
  const same = costs.filter((line) => line.currency === currency);
  const strange = ofEach(
    costs.filter((line) => line.currency !== currency),
    flagged('CURRENCY', 'NO_RATE'),
  );
  const { counted, repeated } = countedCosts(movement, { explained, costs: same }, settings);
  const settled = settledFee(movement, { explained, costs: counted }, settings);
  const finding = findingOf(movement, { explained, settled }, settings);
  return {
    finding,
    findings: [
      ...strange,
      ...ofEach(counted, matched('COST_OF_CHARGE')),
      ...ofEach(repeated, flagged('DUPLICATE', 'REPEATED')),
      ...ofEach(explained.lines, finding),
    ],
    bookFee: saidFee(movement, explained) === null && finding.detail !== 'FEE_IMPLAUSIBLE' ? settled : null,
  };
}

interface Judged {
  readonly explained: Explained;
  readonly costs: readonly StoredLine[];
}

/** Tells the lines that make up the fee from those that say it again. */
function countedCosts(
  movement: Movement,
  { explained, costs }: Judged,
  settings: MatchSettings,
): { readonly counted: readonly StoredLine[]; readonly repeated: readonly StoredLine[] } {
  const expectedMinor = expectedFee(movement, explained, settings);
  if (expectedMinor !== null) {
    const targetMinor = expectedMinor - costInLines(explained.lines);
    const explanation = explainingLines(costs, costOf, { targetMinor, toleranceMinor: () => 0n });
    if (explanation !== null) {
      return { counted: explanation.explaining, repeated: explanation.rest };
    }
    if (targetMinor === 0n) {
      return { counted: [], repeated: costs };
    }
  }
  const firstOf = new Map(costs.toReversed().map((line) => [contentOf(line), line]));
  const isFirst = (line: StoredLine): boolean => firstOf.get(contentOf(line)) === line;
  return { counted: costs.filter(isFirst), repeated: costs.filter((line) => !isFirst(line)) };
}

function settledFee(
  movement: Movement,
  { explained: { lines, conversion, figures }, costs }: Judged,
  settings: MatchSettings,
): SettledFee {
  const { currency } = conversion;
  const agreed = settings.statesNetOnly ? agreedFee(movement, settings) : null;
  if (agreed !== null) {
    // The fee is what is missing in the net, the tax as agreed.
    const taxMinor = settledAs(conversion, agreed.taxMinor, movement);
    const costMinor = settledAs(conversion, movement.amountMinor, movement) - figures.settledMinor;
    return { currency, feeMinor: costMinor - taxMinor, taxMinor };
  }
  const taxLines = costs.filter(({ kind }) => kind === 'TAX');
  const feeLines = costs.filter(({ kind }) => kind !== 'TAX');
  return {
    currency,
    feeMinor: lines.reduce((sum, { feeMinor }) => sum + feeMinor, 0n) + total(feeLines),
    taxMinor: lines.reduce((sum, { taxMinor }) => sum + taxMinor, 0n) + total(taxLines),
  };
}

/** In the currency of the settlement. Null: any plausible fee is taken as stated. */
function expectedFee(movement: Movement, { conversion }: Explained, settings: MatchSettings): bigint | null {
  if (settings.statesNetOnly || movement.reversed) {
    return null;
  }
  const ownMinor = saidFee(movement, { conversion }) ?? agreedCost(movement, settings);
  return ownMinor === null ? null : settledAs(conversion, ownMinor, movement);
}

function saidFee(movement: Movement, { conversion }: Pick<Explained, 'conversion'>): bigint | null {
  return feeSaidWith(movement, { isConverted: conversion.rate !== null });
}

function findingOf(
  movement: Movement,
  { explained, settled }: { readonly explained: Explained; readonly settled: SettledFee },
  settings: MatchSettings,
): Finding {
  if (settings.statesNetOnly) {
    return explained.finding;
  }
  const feeExpectedMinor = expectedFee(movement, explained, settings);
  const feeSettledMinor = settled.feeMinor + settled.taxMinor;
  const figures = { ...explained.figures, feeExpectedMinor, feeSettledMinor };
  if (feeExpectedMinor === null) {
    return isPlausible(movement, explained, feeSettledMinor)
      ? { ...explained.finding, figures }
      : flagged('FEE', 'FEE_IMPLAUSIBLE', figures);
  }
  const differenceMinor = feeSettledMinor - feeExpectedMinor;
  const toleratedMinor =
    explained.conversion.rate === null ? settings.tolerance.feeMinor : BigInt(explained.lines.length);
  return magnitude(differenceMinor) <= toleratedMinor
    ? { ...explained.finding, figures }
    : flagged('FEE', 'FEE_DIFFERS', { ...figures, differenceMinor });
}

/** A refund may return a fee or cost one; a charge costs something from nothing to all of it. */
function isPlausible({ kind, reversed }: Movement, { figures }: Explained, feeMinor: bigint): boolean {
  const lowest = kind === 'REFUND' ? -magnitude(figures.settledMinor) : 0n;
  return reversed || (feeMinor >= lowest && feeMinor <= magnitude(figures.settledMinor));
}

function costInLines(lines: readonly StoredLine[]): bigint {
  return lines.reduce((sum, { feeMinor, taxMinor }) => sum + feeMinor + taxMinor, 0n);
}

function total(costs: readonly StoredLine[]): bigint {
  return costs.reduce((sum, line) => sum + costOf(line), 0n);
}

/** What a line of its own takes from us, wherever it states it. */
function costOf({ netMinor }: StoredLine): bigint {
  return -netMinor;
}
