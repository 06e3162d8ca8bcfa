import { describe, expect, test } from '@jest/globals';
import { costSums } from '../../../domain/payouts/file-word.ts';
import { judge } from '../../../domain/payouts/judge.ts';
import type { MatchSettings, Movement, StoredLine } from '../../../domain/payouts/matching.ts';
import type { ApprovalThresholds } from '../../../domain/refund.ts';
import { AS_OF, charge, line, SETTINGS } from './matching-samples.ts';

const THRESHOLD: ApprovalThresholds = { bdtMinor: 5_000n, othersMinor: { USD: 100n } };
const by = (uploadedBy: string, thresholds = [THRESHOLD]) => ({ word: { uploadedBy, thresholds } });
const ANN = by('ann');
/** Of no application with a threshold. */
const FREE = by('ann', [{ bdtMinor: null, othersMinor: {} }]);
const API = { word: null };
const NAMELESS = { gatewayTxnId: null, attemptReference: null, feeMinor: 0n, taxMinor: 0n } as const;
const cost = (kind: 'FEE' | 'TAX' | 'RESERVE', grossMinor: bigint, changes: Partial<StoredLine> = ANN): StoredLine =>
  line({ kind, ...NAMELESS, grossMinor, ...changes });

interface Given {
  readonly movements?: readonly Movement[];
  readonly settings?: Partial<MatchSettings>;
  readonly asOf?: string;
}

/** Returns what is said of the lines, whatever their order, and then of the movements. */
function said(lines: readonly StoredLine[], { movements = [], settings = {}, asOf = AS_OF }: Given = {}): string[] {
  const judged = (given: readonly StoredLine[]): string[] => {
    const books = { movements, lines: given, pendingReferences: new Set<string>(), costSums: costSums(given) };
    const { lines: ofLines, movements: ofMovements } = judge(books, { asOf, settings: { ...SETTINGS, ...settings } });
    const inOrder = lines.flatMap(({ id }) => ofLines.filter(({ lineId }) => lineId === id));
    return [...inOrder, ...ofMovements].map(({ status, reason, detail }) => `${reason ?? status} ${detail}`);
  };
  const verdicts = judged(lines);
  expect(judged(lines.toReversed())).toEqual(verdicts);
  return verdicts;
}

describe('costs of no charge in a file', () => {
  test('explain themselves up to what one person may explain, and are flagged all together beyond it', () => {
    // Four eyes: no one person's file explains away more than the threshold.
    expect(said([cost('FEE', -3_000n), cost('TAX', -2_000n)])).toEqual([
      'MATCHED EXPLAINED_BY_KIND',
      'MATCHED EXPLAINED_BY_KIND',
    ]);
    expect(said([cost('FEE', -3_000n), cost('TAX', -2_000n), cost('RESERVE', -1n)])).toEqual([
      'FEE COST_UNPROVEN',
      'FEE COST_UNPROVEN',
      'AMOUNT COST_UNPROVEN',
    ]);
  });

  test('do not cancel each other out, and hide behind no column of the other sign', () => {
    expect(said([cost('RESERVE', -3_000n), cost('RESERVE', 3_000n)])).toEqual([
      'AMOUNT COST_UNPROVEN',
      'AMOUNT COST_UNPROVEN',
    ]);
    expect(said([cost('FEE', -3_000n, { ...ANN, feeMinor: -3_000n })])).toEqual(['FEE COST_UNPROVEN']);
  });

  test('are added up for each person by themselves, and for each currency', () => {
    expect(said([cost('FEE', -3_000n), cost('FEE', -3_000n, by('ben'))])).toEqual([
      'MATCHED EXPLAINED_BY_KIND',
      'MATCHED EXPLAINED_BY_KIND',
    ]);
    expect(said([cost('FEE', -3_000n), cost('FEE', -101n, { ...ANN, currency: 'USD' })])).toEqual([
      'MATCHED EXPLAINED_BY_KIND',
      'FEE COST_UNPROVEN',
    ]);
  });

  test('explain themselves at any amount where no application has a threshold, or the gateway says so itself', () => {
    for (const whose of [FREE, API]) {
      expect(said([cost('FEE', -900_000n, whose), cost('RESERVE', -900_000n, whose)])).toEqual([
        'MATCHED EXPLAINED_BY_KIND',
        'MATCHED EXPLAINED_BY_KIND',
      ]);
    }
  });

  test('are judged by the strictest threshold of the store', () => {
    const shared = by('ann', [{ bdtMinor: null, othersMinor: {} }, THRESHOLD, { bdtMinor: 10n, othersMinor: {} }]);
    expect(said([cost('FEE', -11n, shared)])).toEqual(['FEE COST_UNPROVEN']);
  });

  test('that name a charge which we do not know are flagged at any amount, but a reserve may name one that we know', () => {
    const unknown = { ...ANN, gatewayTxnId: 'NO-SUCH' };
    expect(said([cost('FEE', -1n, unknown), cost('TAX', -1n, unknown), cost('RESERVE', -1n, unknown)])).toEqual([
      'MISSING_INTERNALLY UNKNOWN_REFERENCE',
      'MISSING_INTERNALLY UNKNOWN_REFERENCE',
      'MISSING_INTERNALLY UNKNOWN_REFERENCE',
    ]);
    expect(said([cost('FEE', -1n, { ...unknown, ...FREE })])).toEqual(['MATCHED EXPLAINED_BY_KIND']);
    const [reserve] = said([cost('RESERVE', -1n, { ...ANN, gatewayTxnId: 'TXN-1' })], { movements: [charge()] });
    expect(reserve).toBe('MATCHED EXPLAINED_BY_KIND');
  });

  test('do not hide a charge that never came: of the pair, the cost stays flagged', () => {
    expect(said([line(ANN), cost('FEE', -9_770n)], { movements: [charge()] })).toEqual([
      'MATCHED EXACT',
      'FEE COST_UNPROVEN',
      'MATCHED EXACT',
    ]);
  });
});

describe('a cost of a charge in a file', () => {
  const tax = (changes: Partial<StoredLine> = ANN): StoredLine =>
    line({ kind: 'TAX', grossMinor: -30n, feeMinor: 0n, taxMinor: 0n, ...changes });
  const movements = [charge()];

  test('waits for the line of the charge, and is flagged with it', () => {
    expect(said([tax()], { movements })).toEqual(['DEFERRED WAITS_FOR_CHARGE', 'DEFERRED NOT_YET_DUE']);
    expect(said([tax()], { movements, asOf: '2026-12-24' })).toEqual([
      'FEE CHARGE_UNEXPLAINED',
      'MISSING_IN_PAYOUT NO_LINE',
    ]);
    expect(said([tax(), line({ ...ANN, grossMinor: 9_000n, taxMinor: 0n })], { movements })).toEqual([
      'FEE CHARGE_UNEXPLAINED',
      'AMOUNT AMOUNT_DIFFERS',
      'AMOUNT AMOUNT_DIFFERS',
    ]);
  });

  test('counts with a charge that is explained, and does not wait where nobody has a threshold', () => {
    expect(said([tax(), line({ ...ANN, taxMinor: 0n })], { movements })[0]).toBe('MATCHED COST_OF_CHARGE');
    for (const whose of [FREE, API]) {
      expect(said([tax(whose)], { movements })[0]).toBe('MATCHED COST_OF_CHARGE');
    }
  });
});

describe('a fee in a file', () => {
  const movements = [charge({ feeMinor: null })];
  const stating = (feeMinor: bigint, changes: Partial<StoredLine> = ANN): StoredLine =>
    line({ feeMinor, taxMinor: 0n, ...changes });

  test('that only lines state is flagged beyond what one person may explain, unless a fee was agreed', () => {
    expect(said([stating(5_000n)], { movements })).toEqual(['MATCHED EXACT', 'MATCHED EXACT']);
    expect(said([stating(5_001n)], { movements })).toEqual(['FEE FEE_NOT_AGREED', 'FEE FEE_NOT_AGREED']);
    const settings = { agreedFee: { feeBps: 6_000, taxBps: 0 } };
    expect(said([stating(6_000n)], { movements, settings })).toEqual(['MATCHED EXACT', 'MATCHED EXACT']);
    expect(said([stating(6_001n)], { movements, settings })).toEqual(['FEE FEE_DIFFERS', 'FEE FEE_DIFFERS']);
    for (const whose of [FREE, API]) {
      expect(said([stating(9_000n, whose)], { movements })[0]).toBe('MATCHED EXACT');
    }
  });

  test('in lines of its own is flagged with the charge', () => {
    const fee = line({ ...ANN, kind: 'FEE', grossMinor: -5_001n, feeMinor: 0n, taxMinor: 0n });
    expect(said([stating(0n), fee], { movements })).toEqual([
      'FEE FEE_NOT_AGREED',
      'FEE CHARGE_UNEXPLAINED',
      'FEE FEE_NOT_AGREED',
    ]);
  });

  test('beside a net that says all is compared with nothing', () => {
    // Without this, the net in the file is right and the payout is short by the fee.
    const settings = { statesNetOnly: true };
    const net = (changes: Partial<StoredLine>): StoredLine =>
      line({ grossMinor: 9_770n, feeMinor: 0n, taxMinor: 0n, ...ANN, ...changes });
    const known = { movements: [charge()], settings };
    expect(said([net({})], known)).toEqual(['MATCHED EXACT', 'MATCHED EXACT']);
    expect(said([net({ feeMinor: 1n })], known)).toEqual(['FEE FEE_DIFFERS', 'FEE FEE_DIFFERS']);
    expect(said([net({ feeMinor: 9_000n, ...FREE })], known)[0]).toBe('MATCHED EXACT');
    const agreed = { movements, settings: { ...settings, agreedFee: { feeBps: 230, taxBps: 0 } } };
    expect(said([net({ feeMinor: 1n })], agreed)).toEqual(['FEE FEE_DIFFERS', 'FEE FEE_DIFFERS']);
  });

  test('beside the net of a refund counts up to what one person may explain', () => {
    const refunded = charge({ kind: 'REFUND', refundReference: 'REF-1', feeMinor: null });
    const given = { movements: [refunded], settings: { statesNetOnly: true } };
    const back = (feeMinor: bigint): StoredLine =>
      line({ ...ANN, kind: 'REFUND', grossMinor: -10_000n, feeMinor, taxMinor: 0n });
    expect(said([back(5_000n)], given)[0]).toBe('MATCHED EXACT');
    expect(said([back(5_001n)], given)[0]).toBe('FEE FEE_NOT_AGREED');
  });
});

describe('a rate in a file', () => {
  const agreed = { rates: [{ from: 'BDT', to: 'USD', rate: '0.01', toleranceBps: 200 }] };
  const at = (grossMinor: bigint, exchangeRate: string, changes: Partial<StoredLine> = ANN): StoredLine =>
    line({
      currency: 'USD',
      originalCurrency: 'BDT',
      grossMinor,
      exchangeRate,
      feeMinor: 0n,
      taxMinor: 0n,
      ...changes,
    });
  const of = (amountMinor: bigint): Given => ({ movements: [charge({ amountMinor, feeMinor: 0n })] });

  test('matches within the band that was agreed, whatever the amount, and is flagged outside of it', () => {
    const [large, free] = [of(1_000_000n), { ...of(1_000_000n), settings: agreed }];
    for (const [gross, rate] of [
      [9_800n, '0.0098'],
      [10_200n, '0.0102'],
    ] as const) {
      expect(said([at(gross, rate)], { ...large, settings: agreed })[0]).toBe('MATCHED CONVERTED');
    }
    for (const [gross, rate] of [
      [9_799n, '0.009799'],
      [10_201n, '0.010201'],
    ] as const) {
      expect(said([at(gross, rate)], { ...large, settings: agreed })).toEqual([
        'CURRENCY RATE_NOT_AGREED',
        'CURRENCY RATE_NOT_AGREED',
      ]);
      expect(said([at(gross, rate, FREE)], free)[0]).toBe('CURRENCY RATE_NOT_AGREED');
      expect(said([at(gross, rate, API)], free)[0]).toBe('MATCHED CONVERTED');
    }
  });

  test('that follows from a rounded amount is not refused for its rounding', () => {
    const settings = { rates: [{ from: 'BDT', to: 'USD', rate: '0.0125', toleranceBps: 0 }] };
    // 1.00 taka is 1.25 cents, which is paid out as 1.
    expect(said([at(1n, '0.01')], { ...of(100n), settings })[0]).toBe('MATCHED CONVERTED');
  });

  test('that was not agreed counts up to what one person may explain, in either currency', () => {
    expect(said([at(50n, '0.01')], of(5_000n))[0]).toBe('MATCHED CONVERTED');
    expect(said([at(51n, '0.01')], of(5_100n))[0]).toBe('CURRENCY RATE_NOT_AGREED');
    expect(said([at(101n, '0.0505')], of(2_000n))[0]).toBe('CURRENCY RATE_NOT_AGREED');
    for (const whose of [FREE, API]) {
      expect(said([at(900_000n, '9')], of(100_000n))[0]).toBe('CURRENCY RATE_NOT_AGREED');
      expect(said([at(900_000n, '9', whose)], of(100_000n))[0]).toBe('MATCHED CONVERTED');
    }
  });

  test('of one pair says nothing about another', () => {
    const settings = { rates: [{ from: 'EUR', to: 'USD', rate: '0.01', toleranceBps: 200 }] };
    expect(said([at(100n, '0.01')], { ...of(10_000n), settings })[0]).toBe('CURRENCY RATE_NOT_AGREED');
  });

  test('of a dispute has to be agreed too', () => {
    const paid = at(10_000n, '0.01');
    const disputed = at(-20_000n, '0.02', { ...ANN, kind: 'DISPUTE' });
    expect(said([paid, disputed], { ...of(1_000_000n), settings: agreed }).slice(0, 2)).toEqual([
      'MATCHED CONVERTED',
      'CURRENCY RATE_NOT_AGREED',
    ]);
  });
});

describe('a dispute in a file', () => {
  const taken = (grossMinor: bigint, changes: Partial<StoredLine> = ANN): StoredLine =>
    line({ kind: 'DISPUTE', grossMinor, feeMinor: 0n, taxMinor: 0n, ...changes });
  const paid = line(API);
  const of = (disputedMinor: bigint | null): Given => ({ movements: [charge({ disputedMinor })] });

  test('has to be one of which the gateway tells, where it tells of disputes', () => {
    expect(said([paid, taken(-1n)], of(0n))[1]).toBe('MISSING_INTERNALLY DISPUTE_UNKNOWN');
    expect(said([paid, taken(-4_000n)], of(4_000n))[1]).toBe('MATCHED DISPUTE_OF_CHARGE');
    expect(said([paid, taken(-4_001n)], of(4_000n))[1]).toBe('MISSING_INTERNALLY DISPUTE_UNKNOWN');
    for (const whose of [FREE, API]) {
      expect(said([paid, taken(-10_000n, whose)], of(0n))[1]).toBe('MATCHED DISPUTE_OF_CHARGE');
    }
  });

  test('counts up to what one person may explain, where the gateway tells of none, in one line or in several', () => {
    expect(said([paid, taken(-5_000n)], of(null))[1]).toBe('MATCHED DISPUTE_OF_CHARGE');
    expect(said([paid, taken(-5_001n)], of(null))[1]).toBe('AMOUNT DISPUTE_UNPROVEN');
    expect(said([paid, taken(-2_500n), taken(-2_501n)], of(null)).slice(1, 3)).toEqual([
      'AMOUNT DISPUTE_UNPROVEN',
      'AMOUNT DISPUTE_UNPROVEN',
    ]);
    for (const whose of [FREE, API]) {
      expect(said([paid, taken(-10_000n, whose)], of(null))[1]).toBe('MATCHED DISPUTE_OF_CHARGE');
    }
  });

  test('may not cost more than one person may explain', () => {
    expect(said([paid, taken(-10n, { ...ANN, feeMinor: 5_001n })], of(10_000n))[1]).toBe('FEE FEE_NOT_AGREED');
  });
});

describe('amounts of opposite signs in a file', () => {
  // One of them explains what is missing in a payout, the other stands in a payout that does not exist.
  const movements = [charge({ feeMinor: null })];
  const settings = { agreedFee: { feeBps: 0, taxBps: 0 } };
  const free = (changes: Partial<StoredLine>): StoredLine => line({ ...ANN, feeMinor: 0n, taxMinor: 0n, ...changes });
  const fee = (grossMinor: bigint): StoredLine => free({ kind: 'FEE', grossMinor });

  test.each([
    ['costs of a charge', [free({}), fee(-2_501n), fee(2_501n)]],
    ['fee columns', [free({ feeMinor: 2_501n }), free({ grossMinor: 0n, feeMinor: -2_501n })]],
    ['parts of a charge', [free({ grossMinor: 12_501n }), free({ grossMinor: -2_501n })]],
    ['fee and tax of one line', [free({ feeMinor: -2_501n, taxMinor: 2_501n })]],
  ])('are flagged beyond what one person may explain: %s', (_name, lines) => {
    expect(said(lines, { movements, settings }).at(-1)).toBe('AMOUNT OFFSETTING');
    expect(said(lines, { movements, settings })).not.toContainEqual(expect.stringMatching(/^MATCHED/));
  });

  test.each([
    ['up to it', ANN],
    ['where nobody has a threshold', FREE],
    ['of the gateway’s own API', API],
  ])('count as they are %s', (_name, whose) => {
    const offsetMinor = whose === ANN ? 2_500n : 100_000n;
    const lines = [free(whose), fee(-offsetMinor), fee(offsetMinor)].map((one) => ({ ...one, ...whose }));
    expect(said(lines, { movements, settings }).at(-1)).toMatch(/^MATCHED/);
  });

  test('of the gateway count for nothing beside a small one of a person', () => {
    const api = { ...free(API), ...API };
    const lines = [api, { ...fee(-100_000n), ...API }, { ...fee(100_000n), ...API }, fee(-1n), fee(1n)];
    expect(said(lines, { movements, settings }).at(-1)).toMatch(/^MATCHED/);
  });

  test('come and go once where the charge was taken back', () => {
    const reversed = [charge({ feeMinor: null, reversed: true })];
    const lines = [free({}), free({ grossMinor: -10_000n })];
    expect(said(lines, { movements: reversed, settings }).at(-1)).toBe('MATCHED CANCELLED_OUT');
  });
});

test('a cost that waits for its charge is flagged at once beyond what one person may explain', () => {
  // A payout must not be explained by what nobody can check yet.
  const fee = (grossMinor: bigint): StoredLine => line({ ...ANN, kind: 'FEE', grossMinor, feeMinor: 0n, taxMinor: 0n });
  expect(said([fee(-5_000n)], { movements: [charge()] })[0]).toBe('DEFERRED WAITS_FOR_CHARGE');
  expect(said([fee(-2_501n), fee(-2_500n)], { movements: [charge()] }).slice(0, 2)).toEqual([
    'FEE CHARGE_UNEXPLAINED',
    'FEE CHARGE_UNEXPLAINED',
  ]);
  // Each currency has a limit of its own.
  expect(said([{ ...fee(-101n), currency: 'USD' }], { movements: [charge()] })[0]).toBe('FEE CHARGE_UNEXPLAINED');
  expect(said([{ ...fee(-100n), currency: 'USD' }], { movements: [charge()] })[0]).toBe('DEFERRED WAITS_FOR_CHARGE');
});

test('what is said to be taken for something unconfirmed waits up to what one person may explain', () => {
  const pendingReferences = new Set(['open']);
  const taken = (grossMinor: bigint, changes: Partial<StoredLine> = ANN): string | undefined => {
    const lines = [
      line({ feeMinor: 0n, taxMinor: 0n, ...changes, grossMinor, netMinor: grossMinor, gatewayTxnId: 'open' }),
    ];
    const books = { movements: [], lines, pendingReferences };
    return judge(books, { asOf: AS_OF, settings: SETTINGS }).lines[0]?.detail;
  };
  expect(taken(-5_000n)).toBe('NOT_YET_CONFIRMED');
  expect(taken(-5_001n)).toBe('TAKEN_UNCONFIRMED');
  expect(taken(-5_001n, API)).toBe('NOT_YET_CONFIRMED');
  expect(taken(50_000n)).toBe('NOT_YET_CONFIRMED');
});
