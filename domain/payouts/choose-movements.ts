import {
  areOfOneCharge,
  type Choice,
  chooseMovement,
  keysOf,
  keysOfMovement,
  mayBeRefund,
  namesRefund,
} from './choose-movement.ts';
import { magnitude } from './conversion.ts';
import { inLineOrder } from './line-order.ts';
import type { Movement, StoredLine } from './matching.ts';

/** Among more movements of one reference a line finds its own by another one only. Without a limit, so many lines would each look at all of them. */
const MOVEMENTS_MAX = 100;
/** A person cannot choose among more. */
const SHOWN_MAX = 20;

/**
 * Returns the choice of each line, by its id. Where several refunds of one charge have the same amount and the lines carry only the charge's id, all lines
 * together may choose: each refund that no other line names gets one of them. Where very many movements share a reference, a person chooses.
 */
export function chooseMovements(
  lines: readonly StoredLine[],
  movements: readonly Movement[],
): ReadonlyMap<bigint, Choice> {
  const finder = new Finder(movements);
  const tooMany = new Set<bigint>();
  const choices = new Map(
    lines.map((line): [bigint, Choice] => {
      const candidates = finder.candidatesOf(line);
      if (candidates !== null) {
        return [line.id, chooseMovement(line, candidates)];
      }
      const named = chooseMovement(line, finder.namedBy(line));
      if (named !== null) {
        return [line.id, named];
      }
      tooMany.add(line.id);
      return [line.id, { ambiguous: finder.firstOf(line) }];
    }),
  );
  const namedRefunds = new Set(
    lines.flatMap((line) => {
      const choice = choices.get(line.id) ?? null;
      return choice !== null && 'key' in choice && namesRefund(line, choice) ? [choice.key] : [];
    }),
  );
  const few = lines.filter(({ id }) => !tooMany.has(id));
  for (const { lines: alike, refunds } of alikes(few, choices)) {
    const open = refunds.filter(({ key }) => !namedRefunds.has(key));
    if (open.length > 0 && alike.length >= open.length) {
      const last = open[open.length - 1];
      inLineOrder(alike).forEach((line, index) => choices.set(line.id, open[index] ?? last ?? null));
    }
  }
  return choices;
}

type ByKey = ReadonlyMap<string, readonly Movement[]>;

/** Finds movements by what a line says. */
class Finder {
  readonly #charges: ByKey;
  readonly #refunds: ByKey;
  /** By the ids of the refunds themselves, not of their charges. */
  readonly #refundsById: ByKey;

  constructor(movements: readonly Movement[]) {
    const sorted = movements.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const refunds = sorted.filter(({ kind }) => kind === 'REFUND');
    const charges = sorted.filter(({ kind }) => kind === 'CHARGE');
    this.#charges = movementsByKey(charges, keysOfMovement);
    this.#refunds = movementsByKey(refunds, keysOfMovement);
    this.#refundsById = movementsByKey(refunds, ({ refundReference, gatewayRefundId }) =>
      [refundReference, gatewayRefundId].filter((key) => key !== null),
    );
  }

  /** Returns every movement that the line may mean, or null if these are too many. */
  candidatesOf(line: StoredLine): Movement[] | null {
    const sources = this.#sourcesOf(line);
    const many = keysOf(line).some((key) => sources.some((source) => (source.get(key)?.length ?? 0) > MOVEMENTS_MAX));
    return many ? null : sources.flatMap((source) => found(source, line));
  }

  /** Returns the movements that the line names by what few others have. */
  namedBy(line: StoredLine): Movement[] {
    const byIds = mayBeRefund(line) ? found(this.#refundsById, line) : [];
    return [...found(this.#charges, line), ...byIds];
  }

  firstOf(line: StoredLine): Movement[] {
    const sources = this.#sourcesOf(line).toReversed();
    const first = sources.flatMap((source) =>
      keysOf(line).flatMap((key) => source.get(key)?.slice(0, SHOWN_MAX) ?? []),
    );
    return [...new Set(first)].slice(0, SHOWN_MAX);
  }

  #sourcesOf(line: StoredLine): readonly ByKey[] {
    return mayBeRefund(line) ? [this.#charges, this.#refunds] : [this.#charges];
  }
}

function found(byKey: ByKey, line: StoredLine): Movement[] {
  const lists = keysOf(line).map((key) => byKey.get(key) ?? []);
  return [...new Set(lists.filter(({ length }) => length <= MOVEMENTS_MAX).flat())];
}

function movementsByKey(movements: readonly Movement[], keys: (movement: Movement) => readonly string[]): ByKey {
  const byKey = new Map<string, Movement[]>();
  for (const movement of movements) {
    for (const key of new Set(keys(movement))) {
      const known = byKey.get(key);
      if (known === undefined) {
        byKey.set(key, [movement]);
      } else {
        known.push(movement);
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
