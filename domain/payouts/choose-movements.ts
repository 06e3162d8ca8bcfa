import { areOfOneCharge, type Choice, chooseMovement, keysOf, keysOfMovement, namesRefund } from './choose-movement.ts';
import { magnitude } from './conversion.ts';
import { inLineOrder } from './line-order.ts';
import type { Movement, StoredLine } from './matching.ts';

/**
 * Returns the choice of each line, by its id. Where several refunds of one charge have the same amount and the lines carry only the charge's id, all lines
 * together may choose: each refund that no other line names gets one of them.
 */
export function chooseMovements(
  lines: readonly StoredLine[],
  movements: readonly Movement[],
): ReadonlyMap<bigint, Choice> {
  const byKey = movementsByKey(movements);
  const choices = new Map(
    lines.map((line): [bigint, Choice] => {
      const candidates = new Set(keysOf(line).flatMap((key) => byKey.get(key) ?? []));
      return [line.id, chooseMovement(line, [...candidates])];
    }),
  );
  const namedRefunds = new Set(
    lines.flatMap((line) => {
      const choice = choices.get(line.id) ?? null;
      return choice !== null && 'key' in choice && namesRefund(line, choice) ? [choice.key] : [];
    }),
  );
  for (const { lines: alike, refunds } of alikes(lines, choices)) {
    const open = refunds.filter(({ key }) => !namedRefunds.has(key));
    if (open.length > 0 && alike.length >= open.length) {
      const last = open[open.length - 1];
      inLineOrder(alike).forEach((line, index) => choices.set(line.id, open[index] ?? last ?? null));
    }
  }
  return choices;
}

function movementsByKey(movements: readonly Movement[]): Map<string, Movement[]> {
  const byKey = new Map<string, Movement[]>();
  for (const movement of movements) {
    for (const key of keysOfMovement(movement)) {
      const found = byKey.get(key);
      if (found === undefined) {
        byKey.set(key, [movement]);
      } else {
        found.push(movement);
      }
    }
  }
  return byKey;
}

/** Lines of one amount, and the refunds of one charge with that amount. */
interface Alike {
  readonly lines: StoredLine[];
  readonly refunds: readonly Movement[];
}

function alikes(lines: readonly StoredLine[], choices: ReadonlyMap<bigint, Choice>): Alike[] {
  const found = new Map<string, Alike>();
  for (const line of lines) {
    const choice = choices.get(line.id) ?? null;
    if (line.kind !== 'REFUND' || line.grossMinor >= 0n || choice === null || 'key' in choice) {
      continue;
    }
    const refunds = areOfOneCharge(choice.ambiguous)
      ? choice.ambiguous.filter(({ amountMinor }) => amountMinor === magnitude(line.grossMinor))
      : [];
    if (refunds.length > 0) {
      const name = refunds
        .map(({ key }) => key)
        .sort()
        .join('\n');
      const alike = found.get(name) ?? { lines: [], refunds: refunds.toSorted((a, b) => (a.key < b.key ? -1 : 1)) };
      alike.lines.push(line);
      found.set(name, alike);
    }
  }
  return [...found.values()];
}
