/** What a payer does, and how the payment must end because of it. */
export const ENDINGS = {
  pay: 'SUCCEEDED',
  fail: 'FAILED',
  'cancel-at-gateway': 'CANCELLED',
  'cancel-on-our-page': 'CANCELLED',
  'leave-the-gateway': 'EXPIRED',
  'never-continue': 'EXPIRED',
} as const;

export type Choice = keyof typeof ENDINGS;

export interface Plan {
  readonly number: number;
  readonly choice: Choice;
  readonly amountMinor: number;
}

/** Approximate numbers per hundred payers. */
const WEIGHTS: readonly (readonly [Choice, number])[] = [
  ['pay', 50],
  ['fail', 15],
  ['cancel-at-gateway', 10],
  ['cancel-on-our-page', 10],
  ['leave-the-gateway', 8],
  ['never-continue', 7],
];

const AMOUNT_MINOR_MIN = 1_000;
const AMOUNT_MINOR_MAX = 500_000;
/** The simulator treats this amount as a script. */
const SCRIPTED_TAKA = 1_313;

/** Returns the same payments for the same seed. */
export function planPayments({ payments, seed }: { payments: number; seed: number }): Plan[] {
  const random = seededRandom(seed);
  return Array.from({ length: payments }, (_, index) => ({
    number: index + 1,
    choice: choiceAt(random() * 100),
    amountMinor: amountAt(random()),
  }));
}

export function isLeft({ choice }: Plan): boolean {
  return ENDINGS[choice] === 'EXPIRED';
}

function choiceAt(point: number): Choice {
  let sum = 0;
  for (const [choice, weight] of WEIGHTS) {
    sum += weight;
    if (point < sum) {
      return choice;
    }
  }
  return 'pay';
}

function amountAt(share: number): number {
  const amount = AMOUNT_MINOR_MIN + Math.floor(share * (AMOUNT_MINOR_MAX - AMOUNT_MINOR_MIN));
  return Math.floor(amount / 100) === SCRIPTED_TAKA ? amount + 100 : amount;
}

/** mulberry32: small, sufficiently uniform, and the same on every machine. */
function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
