import { addDays, openDayAfter } from './days.ts';
import type { Movement, PayoutSource } from './movements.ts';
import { createRandom, lettersFor, shuffled } from './random.ts';
import type { PayoutSettings } from './settings.ts';
import { portionOf } from './units.ts';

/** What can be wrong with payouts, and what it means. The last two concern a whole payout. */
export const payoutFaults = {
  missing: 'a charge is in no payout',
  duplicated: 'a charge is in its payout twice',
  late: 'a charge is in a later payout',
  amount: 'a charge is paid out with another amount',
  currency: 'a charge is paid out in another currency, in a payout of its own',
  foreign: 'a payout has a charge that the merchant never made',
  split: 'a charge is paid out in two parts, the second one later',
  fee: 'the fee of a charge is higher than agreed',
  negative: 'a refund that the merchant never asked for makes a payout negative, and it is paid so',
  truncated: 'the file of a payout ends in the middle of its last line',
} as const;
export type PayoutFault = keyof typeof payoutFaults;
export type FaultCounts = Readonly<Partial<Record<PayoutFault, number>>>;

/** A fault as it was planted: what a judge must find. */
export type Planted = {
  fault: PayoutFault;
  /** The charge as it should have been paid out; null if the fault invents one, or concerns a whole payout. */
  expected: Movement | null;
  /** The ids of the lines that are wrong. */
  lineIds: readonly string[];
  payoutId?: string;
};

type Planting = {
  waiting: Movement[];
  counts: FaultCounts;
  seed: string;
  until: string;
  owner: string;
  source: PayoutSource;
  settings: PayoutSettings;
};

/** Changes what waits for a payout. Each fault takes charges of its own. Returns what was planted, which is less than asked if there are too few. */
export function plantInCharges(planting: Planting): Planted[] {
  const { waiting, counts, seed, until } = planting;
  const due = waiting.filter(({ kind, dueOn }) => kind === 'charge' && dueOn <= until);
  const targets = shuffled(due, seed, ({ lineId }) => lineId);
  const planted: Planted[] = [];
  for (const [fault, count] of Object.entries(counts) as [PayoutFault, number][]) {
    for (let done = 0; done < count; done += 1) {
      const plant = plants[fault];
      const charge = fault === 'foreign' ? targets[done % Math.max(targets.length, 1)] : plant && targets.shift();
      if (plant && charge) {
        const expected = fault === 'foreign' ? null : { ...charge };
        planted.push({ fault, expected, lineIds: plant({ ...planting, charge, seed: `${seed} ${fault} ${done}` }) });
      }
    }
  }
  return planted;
}

type Plant = (planting: Planting & { charge: Movement }) => string[];

const hundred = 100n;

/** Each plants one fault and returns the ids of the lines that are wrong. */
const plants: Partial<Record<PayoutFault, Plant>> = {
  missing({ waiting, charge }) {
    waiting.splice(waiting.indexOf(charge), 1);
    return [];
  },
  duplicated(planting) {
    const copy = { ...planting.charge, lineId: lineIdFor(planting) };
    planting.waiting.push(copy);
    return [planting.charge.lineId, copy.lineId];
  },
  late({ charge, settings }) {
    charge.dueOn = openDayAfter(addDays(charge.dueOn, 1), 0, settings);
    return [charge.lineId];
  },
  amount({ charge, seed }) {
    const most = charge.gross / 2n < hundred ? 1n : hundred;
    const delta = BigInt(1 + createRandom(seed).below(Number(most)));
    charge.gross += createRandom(seed).below(2) === 0 ? delta : -delta;
    return [charge.lineId];
  },
  currency({ charge, source }) {
    const to = charge.currency === 'USD' ? 'EUR' : 'USD';
    const shift = 10n ** BigInt(source.placesOf(charge.currency));
    const convert = (units: bigint): bigint =>
      portionOf(units, { of: 10n ** BigInt(source.placesOf(to)), from: shift * hundred });
    charge.original = { currency: charge.currency, rate: '0.01', amount: charge.gross };
    Object.assign(charge, { currency: to, gross: convert(charge.gross), fee: convert(charge.fee) });
    charge.tax = convert(charge.tax);
    return [charge.lineId];
  },
  foreign({ waiting, charge, seed, source, owner }) {
    const identity = source.foreign(createRandom(`${seed} ${owner}`).letters);
    const letters = lettersFor(`${seed} ${owner} foreign`, 24);
    const lineId = source.lineId('charge', { sourceId: identity.sourceId, letters });
    const { original: _original, ...alike } = charge;
    waiting.push({ ...alike, ...identity, lineId });
    return [lineId];
  },
  split(planting) {
    const { charge, waiting, settings } = planting;
    const half: Pick<Movement, 'gross' | 'fee' | 'tax' | 'original'> = {
      gross: charge.gross / 2n,
      fee: charge.fee / 2n,
      tax: charge.tax / 2n,
    };
    const rest = {
      ...charge,
      gross: charge.gross - half.gross,
      fee: charge.fee - half.fee,
      tax: charge.tax - half.tax,
      lineId: lineIdFor(planting),
      dueOn: openDayAfter(addDays(charge.dueOn, 1), 0, settings),
    };
    const { original } = charge;
    if (original !== undefined) {
      half.original = { ...original, amount: original.amount / 2n };
      rest.original = { ...original, amount: original.amount - original.amount / 2n };
    }
    Object.assign(charge, half);
    waiting.push(rest);
    return [charge.lineId, rest.lineId];
  },
  fee({ charge, seed }) {
    charge.fee += BigInt(1 + createRandom(seed).below(100));
    return [charge.lineId];
  },
};

/** A second line about the same charge. Where a line has no id of its own, it repeats the charge's. */
function lineIdFor({ charge, source, seed }: Planting & { charge: Movement }): string {
  const letters = lettersFor(`${seed} ${charge.lineId}`, 24);
  return source.lineId('charge', { sourceId: charge.sourceId, letters, copy: true });
}

/** Returns the refund that makes a payout of this sum negative. */
export function refundBeyond(
  sum: bigint,
  { seed, on, currency, source }: { seed: string; on: string; currency: string; source: PayoutSource },
): Movement {
  const identity = source.foreign(createRandom(`${seed} negative`).letters);
  const letters = lettersFor(`${seed} negative ${on}`, 24);
  return {
    ...identity,
    lineId: source.lineId('refund', { sourceId: identity.sourceId, letters }),
    kind: 'refund',
    at: Date.parse(`${on}T00:00:00Z`) - source.offsetMinutes * 60_000,
    currency,
    gross: -(sum + hundred * 10n ** BigInt(source.placesOf(currency))),
    fee: 0n,
    tax: 0n,
    dueOn: on,
  };
}
