import { convertedAt, magnitude, settledAs, type Conversion } from './conversion.ts';
import { isBeyondWord } from './file-word.ts';
import type { AgreedRate, Movement, StoredLine } from './matching.ts';

interface Converted {
  readonly conversion: Conversion;
  readonly lines: readonly StoredLine[];
}

/**
 * Reports whether the rate of converted lines counts. The gateway's own word does. That of a file has to be one of those that were agreed; where none was,
 * it counts up to what one person may explain.
 */
export function isRateTrusted(
  movement: Movement,
  { conversion, lines }: Converted,
  rates: readonly AgreedRate[],
): boolean {
  const said = lines.filter(({ word }) => word !== null);
  if (conversion.rate === null || said.length === 0) {
    return true;
  }
  const agreed = agreedFor(movement, conversion, rates);
  if (agreed !== undefined) {
    return isWithin(movement, conversion, agreed);
  }
  const settledMinor = lines.reduce((sum, { grossMinor }) => sum + magnitude(grossMinor), 0n);
  return (
    !isBeyondWord(said, { currency: conversion.currency, amountMinor: settledMinor }) && !isBeyondWord(said, movement)
  );
}

/** Returns what was agreed for a conversion. */
export function agreedFor(
  { currency: from }: Movement,
  { currency: to }: Conversion,
  rates: readonly AgreedRate[],
): AgreedRate | undefined {
  return rates.find((agreed) => agreed.from === from && agreed.to === to);
}

/** Compares what the rates make of the whole movement, so that a rate that follows from a rounded amount is not refused for its rounding. */
function isWithin(movement: Movement, conversion: Conversion, { rate, toleranceBps }: AgreedRate): boolean {
  const settledMinor = settledAs(conversion, movement.amountMinor, movement);
  const exchange = { from: movement.currency, to: conversion.currency, rate };
  const tolerated = BigInt(toleranceBps);
  const leastMinor = convertedAt(movement.amountMinor, exchange, WHOLE_BPS - tolerated);
  const mostMinor = convertedAt(movement.amountMinor, exchange, WHOLE_BPS + tolerated);
  return settledMinor >= leastMinor && settledMinor <= mostMinor;
}

const WHOLE_BPS = 10_000n;
