import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bookingsOfGroup, type JudgedLine } from '../../../domain/payouts/booking.ts';
import { keysOf, keysOfMovement } from '../../../domain/payouts/choose-movement.ts';
import { costGroupOf, costSums } from '../../../domain/payouts/file-word.ts';
import { judge, type Judgement } from '../../../domain/payouts/judge.ts';
import type { FileWord, LineVerdict, MatchSettings, Movement, StoredLine } from '../../../domain/payouts/matching.ts';
import { PAYOUT_LINE_KINDS } from '../../../domain/payouts/payout-line.ts';
import { residualsOf } from '../../../domain/payouts/residual.ts';
import { AS_OF, SETTINGS } from './matching-samples.ts';

/** Few values, so that references, amounts and currencies meet. */
const reference = fc.constantFrom(null, '', ' ', 'A', 'B', 'C', 'R1', 'R2');
const amount = fc.constantFrom(1n, 2n, 3n, 5n, 10n, 100n);
const currency = fc.constantFrom('BDT', 'BDT', 'BDT', 'USD', 'not a currency');
const store = fc.constantFrom('store-1', 'store-1', 'store-1', 'store-2');
const day = fc.constantFrom('2026-11-20', '2026-11-22', '2026-11-24');

const movement = fc.record<Omit<Movement, 'key'>>({
  kind: fc.constantFrom('CHARGE', 'REFUND'),
  storeId: store,
  gatewayTxnId: reference,
  attemptReference: fc.constantFrom('A', 'B', 'C'),
  refundReference: fc.constantFrom(null, 'R1', 'R2'),
  gatewayRefundId: fc.constantFrom(null, '', 'A', 'R1'),
  currency,
  amountMinor: amount,
  feeMinor: fc.constantFrom(null, 0n, 1n, 2n),
  reversed: fc.boolean(),
  disputedMinor: fc.constantFrom(null, 0n, 2n, 100n),
  happenedOn: day,
});

/** Two people, of whom one may explain little and the other anything, and the gateway itself. */
const word = fc.constantFrom<FileWord | null>(
  null,
  { uploadedBy: 'ann', thresholds: [{ bdtMinor: 3n, othersMinor: { USD: 5n } }] },
  { uploadedBy: 'ben', thresholds: [{ bdtMinor: null, othersMinor: {} }] },
);

const line = fc.record<Omit<StoredLine, 'id'>>({
  kind: fc.constantFrom(...PAYOUT_LINE_KINDS, 'CHARGE', 'REFUND'),
  storeId: store,
  word,
  payoutReference: fc.constantFrom(null, 'P1', 'P2'),
  lineReference: reference,
  gatewayTxnId: reference,
  attemptReference: reference,
  currency,
  grossMinor: fc.tuple(amount, fc.boolean()).map(([minor, negative]) => (negative ? -minor : minor)),
  feeMinor: fc.constantFrom(0n, 0n, 1n, 2n),
  taxMinor: fc.constantFrom(0n, 0n, 1n),
  netMinor: fc.constantFrom(-100n, -3n, 2n, 97n),
  originalCurrency: fc.constantFrom(null, 'BDT', 'USD'),
  exchangeRate: fc.constantFrom(null, '1', '0.5', '100', 'no rate'),
  occurredAt: fc.constantFrom(null, new Date('2026-11-20T10:00:00Z')),
  paidOutOn: fc.option(day),
  description: fc.constant(null),
});

const settings = fc.record<MatchSettings>({
  tolerance: fc.record({ amountMinor: fc.constantFrom(0n, 0n, 1n), feeMinor: fc.constantFrom(0n, 1n) }),
  statesNetOnly: fc.boolean(),
  agreedFee: fc.constantFrom(null, { feeBps: 200, taxBps: 1500 }),
  rates: fc.constantFrom([], [{ from: 'BDT', to: 'USD', rate: '0.5', toleranceBps: 100 }]),
  expectedWithinDays: fc.integer({ min: 0, max: 3 }),
  businessDays: fc.constant(SETTINGS.businessDays),
});

const story = fc.record({
  movements: fc
    .array(movement, { maxLength: 8 })
    .map((found) => found.map((one, index): Movement => ({ ...one, key: `movement-${index}` }))),
  lines: fc
    .array(line, { maxLength: 14 })
    .map((found) => found.map((one, id): StoredLine => ({ ...one, id: BigInt(id) }))),
  pending: fc.array(
    reference.map((text) => text ?? ''),
    { maxLength: 2 },
  ),
  settings,
  seed: fc.integer(),
});

type Story = typeof story extends fc.Arbitrary<infer Value> ? Value : never;

function judged({ movements, lines, pending, settings: rules }: Omit<Story, 'seed'>): Judgement {
  const books = { movements, lines, pendingReferences: new Set(pending), costSums: costSums(lines) };
  return judge(books, { asOf: AS_OF, settings: rules });
}

/** Returns the same items in another order that the seed decides. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  return items
    .map((item, index) => ({ item, at: Math.imul(index + 1, seed | 1) ^ (seed >>> 7) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** What is said of lines by what they say themselves, and of movements: equal lines may change places. */
function canonical({ lines, movements }: Judgement, stored: readonly StoredLine[]): unknown {
  const byId = new Map(stored.map((found) => [found.id, found]));
  const text = (value: unknown): string =>
    JSON.stringify(value, (key, member: unknown) =>
      key === 'id' || key === 'lineId' ? undefined : typeof member === 'bigint' ? `${member}` : member,
    );
  return {
    lines: lines.map((verdict) => text([byId.get(verdict.lineId), verdict])).toSorted(),
    movements: movements.map(text).toSorted(),
  };
}

test('each line and each movement is in exactly one state, whatever a story is made of', () => {
  fc.assert(
    fc.property(story, (told) => {
      const { lines, movements } = judged(told);
      expect(lines.map(({ lineId }) => lineId).toSorted((a, b) => Number(a - b))).toEqual(
        told.lines.map(({ id }) => id),
      );
      expect(movements.map(({ movementKey }) => movementKey)).toEqual(told.movements.map(({ key }) => key));
      for (const { status, reason } of [...lines, ...movements]) {
        expect(status === 'FLAGGED').toBe(reason !== null);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('the order of files, lines and movements changes no verdict, and neither does a later id', () => {
  fc.assert(
    fc.property(story, (told) => {
      const last = BigInt(told.lines.length);
      const lines = shuffled(told.lines, told.seed).map((one, index) => ({ ...one, id: last - BigInt(index) }));
      const movements = shuffled(told.movements, told.seed);
      expect(canonical(judged({ ...told, lines, movements }), lines)).toEqual(canonical(judged(told), told.lines));
    }),
    { numRuns: 2_000 },
  );
});

/** Finds what concerns these lines, as `Books` describes it. */
function concerned(told: Story, stored: readonly StoredLine[], fresh: readonly StoredLine[]): Story {
  const lines = new Set(fresh);
  const movements = new Set<Movement>();
  for (let size = -1; size < lines.size + movements.size;) {
    size = lines.size + movements.size;
    const keys = new Set([...lines].flatMap(keysOf));
    told.movements
      .filter((one) => keysOfMovement(one).some((key) => keys.has(key)))
      .forEach((one) => movements.add(one));
    const found = new Set([...movements].flatMap(keysOfMovement));
    stored.filter((one) => keysOf(one).some((key) => found.has(key))).forEach((one) => lines.add(one));
    const groups = new Set([...lines].map(costGroupOf));
    stored.filter((one) => costGroupOf(one) !== null && groups.has(costGroupOf(one))).forEach((one) => lines.add(one));
  }
  return { ...told, lines: [...lines], movements: [...movements] };
}

/** Stands for the database: after each file it judges what the file's lines concern, and keeps all other verdicts. */
function afterEachFile(told: Story, files: readonly (readonly StoredLine[])[]): Judgement {
  const stored: StoredLine[] = [];
  const nothing = judged({ ...told, lines: [] });
  const lines = new Map<bigint, LineVerdict>();
  const movements = new Map(nothing.movements.map((verdict) => [verdict.movementKey, verdict]));
  for (const file of files) {
    stored.push(...file);
    const now = judged(concerned(told, stored, file));
    now.lines.forEach((verdict) => lines.set(verdict.lineId, verdict));
    now.movements.forEach((verdict) => movements.set(verdict.movementKey, verdict));
  }
  return { lines: [...lines.values()], movements: [...movements.values()] };
}

test('files that come one by one, with a run after each over what it concerns, end in the verdicts of one run over all', () => {
  fc.assert(
    fc.property(story, fc.integer({ min: 1, max: 5 }), (told, size) => {
      const late = shuffled(told.lines, told.seed);
      const files = Array.from({ length: Math.ceil(late.length / size) }, (_, index) =>
        late.slice(index * size, (index + 1) * size),
      );
      expect(canonical(afterEachFile(told, files), told.lines)).toEqual(canonical(judged(told), told.lines));
    }),
    { numRuns: 1_000 },
  );
});

test('what matches adds up: the lines of a matched charge are its amount, and those of a payout its bank transfer', () => {
  fc.assert(
    fc.property(story, fc.bigInt({ min: -1_000n, max: 1_000n }), (told, amountMinor) => {
      const { lines, movements } = judged({ ...told, settings: { ...SETTINGS } });
      const byId = new Map(told.lines.map((one) => [one.id, one]));
      for (const { movementKey, detail } of movements) {
        const movement = told.movements.find(({ key }) => key === movementKey);
        if (movement !== undefined && (detail === 'EXACT' || detail === 'SPLIT')) {
          const explaining = lines.filter((one) => one.movementKey === movementKey && one.detail === detail);
          const sum = explaining.reduce((total, { lineId }) => total + (byId.get(lineId)?.grossMinor ?? 0n), 0n);
          expect(sum).toBe(movement.kind === 'CHARGE' ? movement.amountMinor : -movement.amountMinor);
        }
      }
      const labelled = lines.map(({ lineId, status, reason }) => {
        const { kind = 'CHARGE', currency: of = '', netMinor = 0n } = byId.get(lineId) ?? {};
        return { kind, status, reason, currency: of, netMinor };
      });
      const residuals = residualsOf({ bankAmounts: [{ currency: 'BDT', amountMinor }], lines: labelled });
      for (const { currency: of, bankMinor, sums, residualMinor } of residuals) {
        expect(sums.reduce((total, { netMinor }) => total + netMinor, residualMinor)).toBe(bankMinor);
        expect(bankMinor).toBe(of === 'BDT' ? amountMinor : 0n);
        expect(sums.reduce((total, sum) => total + sum.lines, 0)).toBe(
          told.lines.filter((one) => one.currency === of).length,
        );
      }
    }),
    { numRuns: 1_000 },
  );
});

test('each line is booked to all that it moves, and a movement with a converted line is settled exactly, whatever people accept', () => {
  fc.assert(
    fc.property(story, fc.array(fc.boolean(), { minLength: 14, maxLength: 14 }), (told, accepts) => {
      const { lines } = judged(told);
      for (const movement of told.movements) {
        const ofMovement = lines.flatMap((verdict): JudgedLine[] => {
          const stored = told.lines.find(({ id }) => id === verdict.lineId);
          const accepted = verdict.status === 'FLAGGED' && accepts[Number(verdict.lineId)] === true;
          return stored === undefined || verdict.movementKey !== movement.key
            ? []
            : [{ line: stored, verdict, accepted }];
        });
        const bookings = bookingsOfGroup(movement, ofMovement);
        for (const { line: stored } of ofMovement) {
          const amounts = Object.values(bookings.get(stored.id)?.amounts ?? {});
          expect(amounts.reduce((sum, minor) => sum + minor, 0n)).toBe(stored.netMinor);
        }
        const settles = ({ line: { kind, id } }: JudgedLine): boolean =>
          (kind === 'CHARGE' || kind === 'REFUND' || kind === 'ADJUSTMENT') && bookings.get(id)?.converted !== null;
        if (ofMovement.some(settles)) {
          const covered = [...bookings.values()].map(({ amounts, converted }) =>
            converted === null ? (amounts.clearing ?? 0n) : converted.amountMinor,
          );
          const { kind, amountMinor, feeMinor, reversed } = movement;
          const owedMinor = reversed ? 0n : kind === 'REFUND' ? -amountMinor : amountMinor - (feeMinor ?? 0n);
          expect(covered.reduce((sum, minor) => sum + minor, 0n)).toBe(owedMinor);
        }
      }
    }),
    { numRuns: 3_000 },
  );
});
