import { describe, expect, test } from '@jest/globals';
import { judge } from '../../../domain/payouts/judge.ts';
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
});
