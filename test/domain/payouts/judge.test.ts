import { describe, expect, test } from '@jest/globals';
import { judge } from '../../../domain/payouts/judge.ts';
import { judgeGroup } from '../../../domain/payouts/judge-group.ts';
import type { MatchSettings, Movement, StoredLine } from '../../../domain/payouts/matching.ts';
import { AS_OF, charge, line, refund, refundLine, SETTINGS } from './matching-samples.ts';

interface Given {
  readonly movements?: readonly Movement[];
  readonly lines?: readonly StoredLine[];
  readonly pending?: readonly string[];
  readonly asOf?: string;
  readonly settings?: Partial<MatchSettings>;
}

/** Returns the verdicts in short, lines in their order, then movements in theirs. */
function verdicts({ movements = [charge()], lines = [], pending = [], asOf = AS_OF, settings = {} }: Given): string[] {
  const judged = judge(
    { movements, lines, pendingReferences: new Set(pending) },
    { asOf, settings: { ...SETTINGS, ...settings } },
  );
  const said = ({ status, reason, detail }: { status: string; reason: string | null; detail: string }): string =>
    `${reason ?? status} ${detail}`;
  return [
    ...lines.map(({ id }) =>
      judged.lines
        .filter(({ lineId }) => lineId === id)
        .map(said)
        .join(' and '),
    ),
    '/',
    ...movements.map(({ key }) =>
      judged.movements
        .filter(({ movementKey }) => movementKey === key)
        .map(said)
        .join(' and '),
    ),
  ];
}

describe('judge', () => {
  test('matches a charge whose amount, fee and tax are exact', () => {
    expect(verdicts({ lines: [line()] })).toEqual(['MATCHED EXACT', '/', 'MATCHED EXACT']);
  });

  test('matches a charge that was split over lines with an exact sum', () => {
    const lines = [line({ grossMinor: 6_000n }), line({ grossMinor: 4_000n, feeMinor: 0n, taxMinor: 0n })];
    expect(verdicts({ lines })).toEqual(['MATCHED SPLIT', 'MATCHED SPLIT', '/', 'MATCHED SPLIT']);
  });

  test('flags a repeated line, the later payout being the repetition', () => {
    const lines = [line({ paidOutOn: '2026-11-24' }), line()];
    expect(verdicts({ lines })).toEqual(['DUPLICATE REPEATED', 'MATCHED EXACT', '/', 'MATCHED EXACT']);
  });

  test('matches refunds that carry only the id of their charge by their exact amounts', () => {
    const movements = [
      charge(),
      refund(),
      refund({ key: 'refund:REF-2', refundReference: 'REF-2', gatewayRefundId: 'GR-2', amountMinor: 1_000n }),
    ];
    const lines = [line(), refundLine(), refundLine({ grossMinor: -1_000n }), refundLine({ grossMinor: -3_000n })];
    expect(verdicts({ movements, lines })).toEqual([
      'MATCHED EXACT',
      'MATCHED EXACT',
      'MATCHED EXACT',
      'REFUND_UNKNOWN SEVERAL_CANDIDATES',
      '/',
      'MATCHED EXACT',
      'MATCHED EXACT',
      'MATCHED EXACT',
    ]);
  });

  test('defers a line whose attempt is not confirmed, and a movement that is not yet due', () => {
    const lines = [line({ gatewayTxnId: 'TXN-9', attemptReference: 'ATTEMPT-9' })];
    expect(verdicts({ lines, pending: ['ATTEMPT-9'] })).toEqual([
      'DEFERRED NOT_YET_CONFIRMED',
      '/',
      'DEFERRED NOT_YET_DUE',
    ]);
    expect(verdicts({ asOf: '2026-11-25' })).toEqual(['/', 'DEFERRED NOT_YET_DUE']);
    expect(verdicts({ asOf: '2026-11-26' })).toEqual(['/', 'MISSING_IN_PAYOUT NO_LINE']);
  });

  describe('an amount', () => {
    test('that differs is flagged to the minor unit, unless a tolerance is set', () => {
      const lines = [line({ grossMinor: 9_999n })];
      expect(verdicts({ lines })).toEqual(['AMOUNT AMOUNT_DIFFERS', '/', 'AMOUNT AMOUNT_DIFFERS']);
      const tolerance = { amountMinor: 1n, feeMinor: 0n };
      expect(verdicts({ lines, settings: { tolerance } })).toEqual([
        'MATCHED WITHIN_TOLERANCE',
        '/',
        'MATCHED WITHIN_TOLERANCE',
      ]);
    });

    test('is compared by the net where the source states only that', () => {
      const settings = { statesNetOnly: true };
      const net = { feeMinor: 0n, taxMinor: 0n };
      expect(verdicts({ lines: [line({ grossMinor: 9_770n, ...net })], settings })[0]).toBe('MATCHED EXACT');
      expect(verdicts({ lines: [line({ grossMinor: 10_000n, ...net })], settings })[0]).toBe('AMOUNT AMOUNT_DIFFERS');
    });

    test('of a net alone says nothing where nobody knows the fee', () => {
      const movements = [charge({ feeMinor: null })];
      const lines = [line({ grossMinor: 9_770n, feeMinor: 0n, taxMinor: 0n })];
      const settings = { statesNetOnly: true };
      expect(verdicts({ movements, lines, settings })).toEqual(['FEE FEE_UNKNOWN', '/', 'FEE FEE_UNKNOWN']);
      const agreed = { ...settings, agreedFee: { feeBps: 200, taxBps: 1500 } };
      expect(verdicts({ movements, lines, settings: agreed })).toEqual(['MATCHED EXACT', '/', 'MATCHED EXACT']);
    });

    test('that was taken back is flagged at the line and at the movement, until it comes again', () => {
      const back = line({ grossMinor: -10_000n, feeMinor: -200n, taxMinor: -30n, paidOutOn: '2026-11-24' });
      expect(verdicts({ lines: [line(), back] })).toEqual(['MATCHED EXACT', 'AMOUNT REVERSED', '/', 'AMOUNT REVERSED']);
      const again = line({ paidOutOn: '2026-11-25' });
      expect(verdicts({ lines: [line(), back, again] })).toEqual([
        'MATCHED SPLIT',
        'MATCHED SPLIT',
        'MATCHED SPLIT',
        '/',
        'MATCHED SPLIT',
      ]);
    });

    test('is corrected by an adjustment that names the charge', () => {
      const lines = [
        line({ grossMinor: 9_000n }),
        line({ kind: 'ADJUSTMENT', grossMinor: 1_000n, feeMinor: 0n, taxMinor: 0n }),
      ];
      expect(verdicts({ lines })).toEqual(['MATCHED SPLIT', 'MATCHED SPLIT', '/', 'MATCHED SPLIT']);
    });

    test('split over lines of which one is repeated leaves that one', () => {
      const part = { feeMinor: 0n, taxMinor: 0n };
      const lines = [
        line({ grossMinor: 6_000n, lineReference: 'a' }),
        line({ grossMinor: 4_000n, ...part, lineReference: 'b' }),
        line({ grossMinor: 4_000n, ...part, lineReference: 'c' }),
      ];
      expect(verdicts({ lines }).slice(0, 3)).toEqual(['MATCHED SPLIT', 'MATCHED SPLIT', 'DUPLICATE REPEATED']);
    });

    test('of very many lines is added up as a whole or not at all', () => {
      const part = { grossMinor: 500n, feeMinor: 0n, taxMinor: 0n };
      const lines = [line({ ...part, feeMinor: 230n }), ...Array.from({ length: 19 }, () => line(part))];
      expect(new Set(verdicts({ lines }).filter((said) => said !== '/'))).toEqual(new Set(['MATCHED SPLIT']));
    });
  });

  test('one line explains a charge among very many that repeat it', () => {
    const lines = Array.from({ length: 20 }, () => line());
    const said = verdicts({ lines });
    expect(said.slice(0, 20)).toEqual(['MATCHED EXACT', ...Array<string>(19).fill('DUPLICATE REPEATED')]);
  });

  test('a holiday puts off when a line is missing, but no row of holidays does for ever', () => {
    const holiday = { weeklyHolidays: [5, 6], holidays: ['2026-11-25'] };
    expect(verdicts({ asOf: '2026-11-26', settings: { businessDays: holiday } })).toEqual([
      '/',
      'DEFERRED NOT_YET_DUE',
    ]);
    const always = { weeklyHolidays: [0, 1, 2, 3, 4, 5, 6], holidays: [] };
    expect(verdicts({ asOf: '2027-12-31', settings: { businessDays: always } })).toEqual([
      '/',
      'MISSING_IN_PAYOUT NO_LINE',
    ]);
  });

  describe('a fee', () => {
    test.each([
      ['fee', { feeMinor: 201n }],
      ['tax', { taxMinor: 0n }],
    ])('whose %s differs from what the gateway said before is flagged', (_, changes) => {
      expect(verdicts({ lines: [line(changes)] })).toEqual(['FEE FEE_DIFFERS', '/', 'FEE FEE_DIFFERS']);
    });

    test('may have its VAT in a line of its own, but once', () => {
      const vat = { kind: 'TAX' as const, grossMinor: -30n, feeMinor: 0n, taxMinor: 0n };
      const lines = [line({ taxMinor: 0n }), line(vat), line(vat)];
      expect(verdicts({ lines })).toEqual([
        'MATCHED EXACT',
        'MATCHED COST_OF_CHARGE',
        'DUPLICATE REPEATED',
        '/',
        'MATCHED EXACT',
      ]);
    });

    test('that the line includes already is a repetition', () => {
      const vat = line({ kind: 'TAX', grossMinor: -30n, feeMinor: 0n, taxMinor: 0n });
      expect(verdicts({ lines: [line(), vat] })).toEqual(['MATCHED EXACT', 'DUPLICATE REPEATED', '/', 'MATCHED EXACT']);
    });

    test('that was agreed is compared where the gateway states it only now', () => {
      const movements = [charge({ feeMinor: null })];
      const settings = { agreedFee: { feeBps: 200, taxBps: 1500 } };
      expect(verdicts({ movements, lines: [line()], settings })[0]).toBe('MATCHED EXACT');
      expect(verdicts({ movements, lines: [line({ feeMinor: 260n })], settings })[0]).toBe('FEE FEE_DIFFERS');
    });

    test.each([-1n, 10_001n])('of %s is taken from no gateway', (feeMinor) => {
      const movements = [charge({ feeMinor: null })];
      expect(verdicts({ movements, lines: [line({ feeMinor, taxMinor: 0n })] })).toEqual([
        'FEE FEE_IMPLAUSIBLE',
        '/',
        'FEE FEE_IMPLAUSIBLE',
      ]);
    });

    test('is booked where the gateway states it only now, with its tax and the VAT of other lines', () => {
      const movement = charge({ feeMinor: null });
      const vat = line({ kind: 'TAX', grossMinor: -30n, feeMinor: 0n, taxMinor: 0n });
      const group = { movement, lines: [line({ taxMinor: 0n }), vat] };
      const { bookFee } = judgeGroup(group, { asOf: AS_OF, settings: SETTINGS }).movement;
      expect(bookFee).toEqual({ currency: 'BDT', feeMinor: 200n, taxMinor: 30n });
      const known = judgeGroup({ ...group, movement: charge() }, { asOf: AS_OF, settings: SETTINGS });
      expect(known.movement.bookFee).toBeNull();
    });
  });

  describe('a currency', () => {
    const usd = { currency: 'USD', originalCurrency: 'BDT', exchangeRate: '0.0083' };

    test('that the gateway converted at the rate of the line matches with that rate', () => {
      const lines = [line({ ...usd, grossMinor: 83n, feeMinor: 2n, taxMinor: 0n })];
      expect(verdicts({ lines })).toEqual(['MATCHED CONVERTED', '/', 'MATCHED CONVERTED']);
    });

    test('may be one minor unit off for each line that was rounded, and for no other', () => {
      const part = { ...usd, feeMinor: 1n, taxMinor: 0n };
      expect(verdicts({ lines: [line({ ...part, grossMinor: 84n })] })[0]).toBe('MATCHED CONVERTED');
      const split = [line({ ...part, grossMinor: 40n }), line({ ...part, grossMinor: 45n })];
      expect(verdicts({ lines: split })[0]).toBe('MATCHED CONVERTED');
      const repeated = [line({ ...part, grossMinor: 85n }), line({ ...part, grossMinor: 85n })];
      expect(verdicts({ lines: repeated })[0]).toBe('CURRENCY RATE_DIFFERS');
    });

    test('of a charge that was confirmed without a fee matches with the fee that its line states', () => {
      // Stripe takes the fee of a converted charge from the converted amount, so the charge itself has none.
      const withFee = (feeMinor: bigint) => [line({ ...usd, grossMinor: 83n, feeMinor, taxMinor: 0n })];
      const movements = [charge({ feeMinor: 0n })];
      expect(verdicts({ movements, lines: withFee(5n) })[0]).toBe('MATCHED CONVERTED');
      expect(verdicts({ movements, lines: withFee(84n) })[0]).toBe('FEE FEE_IMPLAUSIBLE');
      const agreed = { agreedFee: { feeBps: 600, taxBps: 0 } };
      expect(verdicts({ movements, lines: withFee(5n), settings: agreed })[0]).toBe('MATCHED CONVERTED');
      expect(verdicts({ movements, lines: withFee(9n), settings: agreed })[0]).toBe('FEE FEE_DIFFERS');
    });

    test('of a refund costs nothing where fees come with charges', () => {
      const lines = [refundLine({ ...usd, grossMinor: -33n, feeMinor: 5n })];
      expect(verdicts({ movements: [charge(), refund()], lines })[0]).toBe('FEE FEE_DIFFERS');
    });

    test('of a tax in a line of its own has to be that of the charge', () => {
      const vat = line({ kind: 'TAX', currency: 'USD', grossMinor: -30n, feeMinor: 0n, taxMinor: 0n });
      expect(verdicts({ lines: [line({ taxMinor: 0n }), vat] })).toEqual([
        'FEE FEE_DIFFERS',
        'CURRENCY NO_RATE',
        '/',
        'FEE FEE_DIFFERS',
      ]);
    });

    test.each([
      ['without a rate', { currency: 'USD', originalCurrency: 'BDT' }, 'NO_RATE'],
      ['from a third currency', { ...usd, originalCurrency: 'EUR' }, 'NO_RATE'],
      ['at a rate of nothing', { ...usd, exchangeRate: '0.0' }, 'NO_RATE'],
      ['at a rate that does not lead to the amount', { ...usd, exchangeRate: '0.009' }, 'RATE_DIFFERS'],
    ])('that differs %s is flagged', (_, changes, detail) => {
      const lines = [line({ ...changes, grossMinor: 83n, feeMinor: 0n, taxMinor: 0n })];
      expect(verdicts({ lines })).toEqual([`CURRENCY ${detail}`, '/', `CURRENCY ${detail}`]);
    });
  });

  describe('references', () => {
    test.each(['', ' ', null])('that are empty (%j) name nothing', (empty) => {
      const movements = [charge({ gatewayTxnId: empty, attemptReference: '' })];
      const lines = [line({ gatewayTxnId: empty, attemptReference: empty })];
      expect(verdicts({ movements, lines })[0]).toBe('MISSING_INTERNALLY NO_REFERENCE');
    });

    const other = charge({ key: 'charge:ATTEMPT-2:V2', gatewayTxnId: 'TXN-2', attemptReference: 'ATTEMPT-2' });

    test('that name two movements leave the choice to a person', () => {
      const lines = [line({ attemptReference: 'ATTEMPT-2' })];
      expect(verdicts({ movements: [charge(), other], lines })[0]).toBe('MISSING_INTERNALLY REFERENCES_DISAGREE');
    });

    test('choose by the attempt among charges with one transaction id', () => {
      const movements = [charge(), { ...other, gatewayTxnId: 'TXN-1' }];
      expect(verdicts({ movements, lines: [line(), line({ attemptReference: 'ATTEMPT-2' })] })).toEqual([
        'MATCHED EXACT',
        'MATCHED EXACT',
        '/',
        'MATCHED EXACT',
        'MATCHED EXACT',
      ]);
      const lines = [line({ attemptReference: null })];
      expect(verdicts({ movements, lines })[0]).toBe('MISSING_INTERNALLY SEVERAL_CANDIDATES');
    });

    test('of an attempt do not vouch for another transaction of it', () => {
      const lines = [line({ gatewayTxnId: 'TXN-9' })];
      expect(verdicts({ lines })[0]).toBe('MISSING_INTERNALLY REFERENCES_DISAGREE');
      const movements = [charge({ gatewayTxnId: null })];
      expect(verdicts({ movements, lines })[0]).toBe('MATCHED EXACT');
    });

    test('that are unknown are never replaced by an equal amount', () => {
      const lines = [line({ gatewayTxnId: '1', attemptReference: null })];
      const movements = [charge({ gatewayTxnId: '0001' })];
      expect(verdicts({ movements, lines })[0]).toBe('MISSING_INTERNALLY UNKNOWN_REFERENCE');
    });

    test('at another store are flagged, and the movement with them', () => {
      const lines = [line({ storeId: 'store-2' })];
      expect(verdicts({ lines })).toEqual(['WRONG_STORE OTHER_STORE', '/', 'WRONG_STORE OTHER_STORE']);
      expect(verdicts({ lines: [...lines, line()] })).toEqual([
        'WRONG_STORE OTHER_STORE',
        'MATCHED EXACT',
        '/',
        'MATCHED EXACT',
      ]);
    });
  });

  describe('a refund', () => {
    const second = refund({ key: 'refund:REF-2', refundReference: 'REF-2', gatewayRefundId: 'GR-2' });

    test.each([
      { lineReference: 'GR-1' },
      { gatewayTxnId: 'GR-1', attemptReference: null },
      { gatewayTxnId: null, attemptReference: 'REF-1' },
    ])('is named by its own ids: %j', (ids) => {
      expect(verdicts({ movements: [refund(), second], lines: [refundLine(ids)] })).toEqual([
        'MATCHED EXACT',
        '/',
        'MATCHED EXACT',
        'DEFERRED NOT_YET_DUE',
      ]);
    });

    test('whose own id contradicts the charge of the line goes to a person', () => {
      const movements = [refund(), charge({ key: 'charge:2', gatewayTxnId: 'TXN-2', attemptReference: 'ATTEMPT-2' })];
      const lines = [refundLine({ lineReference: 'GR-1', gatewayTxnId: 'TXN-2', attemptReference: null })];
      expect(verdicts({ movements, lines })[0]).toBe('REFUND_UNKNOWN REFERENCES_DISAGREE');
    });

    test('equal to another of its charge waits until there is a line for each', () => {
      const movements = [refund(), second];
      expect(verdicts({ movements, lines: [refundLine()] })[0]).toBe('REFUND_UNKNOWN SEVERAL_CANDIDATES');
      const lines = [refundLine(), refundLine()];
      expect(verdicts({ movements, lines }).slice(0, 2)).toEqual(['MATCHED EXACT', 'MATCHED EXACT']);
      const named = [refundLine({ lineReference: 'GR-2' }), refundLine()];
      expect(verdicts({ movements, lines: named }).slice(0, 2)).toEqual(['MATCHED EXACT', 'MATCHED EXACT']);
      const more = [...lines, refundLine()];
      expect(verdicts({ movements, lines: more }).toSorted()).toEqual(
        ['/', ...Array<string>(4).fill('MATCHED EXACT'), 'DUPLICATE REPEATED'].toSorted(),
      );
    });

    test('that nobody made is unknown, also beside one that we made', () => {
      expect(verdicts({ movements: [charge()], lines: [refundLine()] })[0]).toBe('REFUND_UNKNOWN UNKNOWN_REFERENCE');
      const lines = [refundLine(), refundLine({ grossMinor: -700n })];
      expect(verdicts({ movements: [refund()], lines })).toEqual([
        'MATCHED EXACT',
        'REFUND_UNKNOWN BEYOND_REFUND',
        '/',
        'MATCHED EXACT',
      ]);
    });

    test('that the gateway reversed is flagged until our books take it back too', () => {
      const lines = [refundLine(), refundLine({ grossMinor: 4_000n, paidOutOn: '2026-11-24' })];
      expect(verdicts({ movements: [refund()], lines })).toEqual([
        'MATCHED EXACT',
        'AMOUNT REVERSED',
        '/',
        'AMOUNT REVERSED',
      ]);
      const movements = [refund({ reversed: true })];
      expect(verdicts({ movements, lines })).toEqual([
        'MATCHED CANCELLED_OUT',
        'MATCHED CANCELLED_OUT',
        '/',
        'MATCHED CANCELLED_OUT',
      ]);
      expect(verdicts({ movements, lines: lines.slice(0, 1) })[0]).toBe('AMOUNT AMOUNT_DIFFERS');
      expect(verdicts({ movements })).toEqual(['/', 'MATCHED NOTHING_DUE']);
    });
  });

  describe('other kinds', () => {
    const amount = { grossMinor: -10_000n, feeMinor: 0n, taxMinor: 0n };
    const nameless = { gatewayTxnId: null, attemptReference: null };

    test('a dispute and its withdrawal belong to their charge, which they leave matched', () => {
      const dispute = line({ ...amount, kind: 'DISPUTE', feeMinor: 1_500n });
      const withdrawn = line({ kind: 'DISPUTE', paidOutOn: '2026-11-24', feeMinor: 0n, taxMinor: 0n });
      expect(verdicts({ lines: [withdrawn, line(), dispute] })).toEqual([
        'MATCHED DISPUTE_OF_CHARGE',
        'MATCHED EXACT',
        'MATCHED DISPUTE_OF_CHARGE',
        '/',
        'MATCHED EXACT',
      ]);
      expect(verdicts({ lines: [line(), withdrawn] })[1]).toBe('AMOUNT AMOUNT_DIFFERS');
      const repeated = { ...dispute, id: dispute.id + 1_000n };
      expect(verdicts({ lines: [line(), dispute, repeated] })[2]).toBe('DUPLICATE REPEATED');
    });

    test.each(['FEE', 'TAX', 'RESERVE'] as const)('a %s line without a charge is explained by its kind', (kind) => {
      expect(verdicts({ movements: [], lines: [line({ ...amount, ...nameless, kind })] })).toEqual([
        'MATCHED EXPLAINED_BY_KIND',
        '/',
      ]);
    });

    test.each(['ADJUSTMENT', 'DISPUTE'] as const)('a %s line without a charge is flagged', (kind) => {
      expect(verdicts({ movements: [], lines: [line({ ...amount, ...nameless, kind })] })).toEqual([
        'MISSING_INTERNALLY NO_REFERENCE',
        '/',
      ]);
    });
  });
});

test('very many refunds and lines of one reference are judged in proportion, and a person chooses among them', () => {
  // Five thousand lines that each look at five thousand refunds would hold the run up for seconds.
  const count = 5_000;
  const refunds = Array.from({ length: count }, (_, index) =>
    refund({ key: `refund:R${index}`, refundReference: `R${index}`, gatewayRefundId: null, amountMinor: 100n }),
  );
  const named = refunds.map(({ refundReference }) => refundLine({ lineReference: refundReference, grossMinor: -100n }));
  const unnamed = refunds.map(() => refundLine({ lineReference: null, grossMinor: -100n }));
  const began = performance.now();
  const judged = judge(
    { movements: [charge(), ...refunds], lines: [...named, ...unnamed], pendingReferences: new Set() },
    { asOf: AS_OF, settings: SETTINGS },
  );
  expect(performance.now() - began).toBeLessThan(5_000);
  const byLine = new Map(judged.lines.map((verdict) => [verdict.lineId, verdict]));
  expect(named.every(({ id }, index) => byLine.get(id)?.movementKey === refunds[index]?.key)).toBe(true);
  expect(unnamed.every(({ id }) => byLine.get(id)?.detail === 'SEVERAL_CANDIDATES')).toBe(true);
});
