import { magnitude, settledAs } from './conversion.ts';
import { agreedCost, agreedFee, feeSaidWith } from './expected-fee.ts';
import { explainingLines } from './explaining-lines.ts';
import { isBeyondWord, isBeyondWordTogether, isGuarded, offsetAmong } from './file-word.ts';
import { amountFigures, deferred, type Finding, flagged, type LineFinding, matched, ofEach } from './finding.ts';
import type { Explained } from './judge-amount.ts';
import { contentOf } from './line-order.ts';
import type { MatchSettings, Movement, SettledFee, StoredLine, VerdictDetail } from './matching.ts';

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
 * @param waits - whether a line for the amount may still come, if none has
 */
export function judgeFee(
  movement: Movement,
  {
    explained,
    costs,
    waits,
  }: { readonly explained: Explained | null; readonly costs: readonly StoredLine[]; readonly waits: boolean },
  settings: MatchSettings,
): JudgedFee {
  if (explained === null) {
    const charge = waits && !isBeyondWordTogether(costs) ? 'waits' : 'unexplained';
    const findings = costs.map((line): LineFinding => [line.id, costFinding(line, charge)]);
    return { finding: null, findings, bookFee: null };
  }
  const { currency } = explained.conversion;
  const same = costs.filter((line) => line.currency === currency);
  const strange = ofEach(
    costs.filter((line) => line.currency !== currency),
    flagged('CURRENCY', 'NO_RATE'),
  );
  const { counted, repeated } = countedCosts(movement, { explained, costs: same }, settings);
  const settled = settledFee(movement, { explained, costs: counted }, settings);
  const finding =
    findingOfOffset(movement, { explained, costs: counted }) ??
    findingOf(movement, { explained, costs: counted, settled }, settings);
  return {
    finding,
    findings: [
      ...strange,
      ...counted.map((line): LineFinding => [
        line.id,
        costFinding(line, finding.status === 'FLAGGED' ? 'unexplained' : 'explained'),
      ]),
      ...ofEach(repeated, flagged('DUPLICATE', 'REPEATED')),
      ...ofEach(explained.lines, finding),
    ],
    bookFee:
      saidFee(movement, explained) === null && !UNBOOKED.some((code) => code === finding.detail) ? settled : null,
  };
}

const UNBOOKED = ['FEE_IMPLAUSIBLE', 'FEE_NOT_AGREED', 'OFFSETTING'] as const satisfies readonly VerdictDetail[];

/** A person's word about a cost counts only with the charge: it waits for it, and is flagged with it. */
function costFinding(line: StoredLine, charge: 'waits' | 'explained' | 'unexplained'): Finding {
  if (charge === 'explained' || !isGuarded(line)) {
    return matched('COST_OF_CHARGE');
  }
  if (charge === 'waits') {
    return deferred('WAITS_FOR_CHARGE');
  }
  return flagged('FEE', 'CHARGE_UNEXPLAINED', {
    ...amountFigures({ currency: line.currency, rate: null }, { expectedMinor: 0n, settledMinor: line.grossMinor }),
    feeExpectedMinor: 0n,
    feeSettledMinor: costOf(line),
  });
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
  { explained, costs, settled }: Judged & { readonly settled: SettledFee },
  settings: MatchSettings,
): Finding {
  if (settings.statesNetOnly) {
    return findingBesideNet(movement, { explained, costs }, settings);
  }
  const feeExpectedMinor = expectedFee(movement, explained, settings);
  const feeSettledMinor = settled.feeMinor + settled.taxMinor;
  const figures = { ...explained.figures, feeExpectedMinor, feeSettledMinor };
  if (feeExpectedMinor === null) {
    if (!isPlausible(movement, explained, feeSettledMinor)) {
      return flagged('FEE', 'FEE_IMPLAUSIBLE', figures);
    }
    const fee = { currency: settled.currency, amountMinor: feeSettledMinor };
    return isBeyondWord([...explained.lines, ...costs], fee)
      ? flagged('FEE', 'FEE_NOT_AGREED', figures)
      : { ...explained.finding, figures };
  }
  const differenceMinor = feeSettledMinor - feeExpectedMinor;
  const toleratedMinor =
    explained.conversion.rate === null ? settings.tolerance.feeMinor : BigInt(explained.lines.length);
  return magnitude(differenceMinor) <= toleratedMinor
    ? { ...explained.finding, figures }
    : flagged('FEE', 'FEE_DIFFERS', { ...figures, differenceMinor });
}

/**
 * A person's lines of one movement must not move amounts to and fro that cancel each other: placed in two payouts, they would explain what is missing in
 * one of them. A charge that was taken back comes and goes once.
 */
function findingOfOffset(movement: Movement, { explained, costs: ofGroup }: Judged): Finding | null {
  const { conversion, figures } = explained;
  const lines = explained.lines.filter(isGuarded);
  const costs = ofGroup.filter(isGuarded);
  const takenBackMinor = movement.reversed ? 2n * magnitude(settledAs(conversion, movement.amountMinor, movement)) : 0n;
  const ofAmount = offsetAmong(lines.map(({ grossMinor }) => grossMinor)) - takenBackMinor;
  const ofCosts = offsetAmong([
    ...lines.flatMap(({ feeMinor, taxMinor }) => [feeMinor, taxMinor]),
    ...costs.flatMap(({ grossMinor, feeMinor, taxMinor }) => [-grossMinor, feeMinor, taxMinor]),
  ]);
  const amountMinor = (ofAmount > 0n ? ofAmount : 0n) + ofCosts;
  return isBeyondWord([...lines, ...costs], { currency: conversion.currency, amountMinor })
    ? flagged('AMOUNT', 'OFFSETTING', figures)
    : null;
}

/** Where the source states the net only, what a person's file calls a fee comes on top of it. */
function findingBesideNet(movement: Movement, { explained, costs }: Judged, settings: MatchSettings): Finding {
  const lines = [...explained.lines, ...costs];
  if (!lines.some(isGuarded)) {
    return explained.finding;
  }
  const { conversion, figures } = explained;
  const besideMinor = costInLines(explained.lines) + total(costs);
  const knownMinor = movement.feeMinor ?? agreedCost(movement, settings);
  if (knownMinor === null) {
    const beyond = isBeyondWord(lines, { currency: conversion.currency, amountMinor: besideMinor });
    const feeFigures = { ...figures, feeSettledMinor: besideMinor };
    return beyond ? flagged('FEE', 'FEE_NOT_AGREED', feeFigures) : explained.finding;
  }
  if (magnitude(besideMinor) <= settings.tolerance.feeMinor) {
    return explained.finding;
  }
  const feeExpectedMinor = settledAs(conversion, knownMinor, movement);
  return flagged('FEE', 'FEE_DIFFERS', {
    ...figures,
    differenceMinor: besideMinor,
    feeExpectedMinor,
    feeSettledMinor: feeExpectedMinor + besideMinor,
  });
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
