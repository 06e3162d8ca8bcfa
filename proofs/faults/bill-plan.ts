import { randomFrom, type Random } from './random.ts';

/** What happens to an invoice of a round. */
export const BILL_ACTS = ['paid-twice', 'part-by-part', 'voided'] as const;
export type BillAct = (typeof BILL_ACTS)[number];

/** One invoice of a round, as its application requests it. */
export interface Bill {
  /** Unique in the whole run: the idempotency key and the customer's reference. */
  readonly mark: string;
  readonly app: 0 | 1 | 2;
  readonly act: BillAct;
  readonly startMs: number;
  readonly firstApi: 0 | 1;
  readonly totalMinor: number;
  /** Installments with their due days, counted from the day of creation. */
  readonly parts: readonly { readonly inDays: number; readonly amountMinor: number }[];
  /** Created as a draft and issued by a separate request. */
  readonly draftFirst: boolean;
}

/** Ids of a round's invoices, available as soon as they can be paid; null for an invoice that never can. */
export type Billed = ReadonlyMap<string, Promise<number | null>>;

/** A payment of all or a part of an invoice. */
export interface BillShare {
  readonly bill: string;
  readonly amountMinor: number;
  readonly startMs: number;
}

const TOTAL_MINOR_MIN = 60_000;
const TOTAL_MINOR_MAX = 400_000;
const VOIDED_LAST = 2;

/** Returns one invoice of each kind. Each has a part that is overdue as soon as the invoice is issued. */
export function planBills(seed: bigint, round: number): Bill[] {
  return BILL_ACTS.map((act, index) => {
    const random = randomFrom(seed, round, 5_000 + index);
    const totalMinor = random.between(TOTAL_MINOR_MIN, TOTAL_MINOR_MAX);
    return {
      mark: `${seed}-${round}-i${index}`,
      app: index === VOIDED_LAST ? random.pick([0, 1, 2] as const) : random.pick([0, 1] as const),
      act,
      startMs: random.between(0, 600),
      firstApi: random.pick([0, 1] as const),
      totalMinor,
      parts: partsOf(random, totalMinor),
      draftFirst: random.chance(0.4),
    };
  });
}

function partsOf(random: Random, totalMinor: number): Bill['parts'] {
  const first = Math.floor((totalMinor * random.between(20, 40)) / 100);
  const second = Math.floor((totalMinor * random.between(10, 30)) / 100);
  return [
    { inDays: -random.between(1, 40), amountMinor: first },
    { inDays: 0, amountMinor: second },
    { inDays: random.between(10, 60), amountMinor: totalMinor - first - second },
  ];
}

/** Returns two payers who each pay the whole invoice at once, and two who pay a half and a fifth. No one pays the invoice that will be voided. */
export function sharesOf(seed: bigint, round: number): BillShare[] {
  return planBills(seed, round).flatMap(({ mark, act, totalMinor }, index) => {
    const random = randomFrom(seed, round, 6_000 + index);
    const startMs = random.between(0, 500);
    switch (act) {
      case 'paid-twice':
        return [0, 1].map(() => ({ bill: mark, amountMinor: totalMinor, startMs: startMs + random.between(0, 60) }));
      case 'part-by-part':
        return [Math.ceil(totalMinor / 2), Math.floor(totalMinor / 5)].map((amountMinor) => ({
          bill: mark,
          amountMinor,
          startMs: startMs + random.between(0, 1_200),
        }));
      case 'voided':
        return [];
    }
  });
}
