import { describe, expect, test } from '@jest/globals';
import { proposalsFor } from '../../../domain/payouts/proposals.ts';
import { charge, line, refund } from './matching-samples.ts';

describe('proposalsFor', () => {
  test('puts a reference that lost its zeros before an equal amount, with reasons', () => {
    const movements = [
      charge({ key: 'charge:equal', gatewayTxnId: '777', attemptReference: 'ATTEMPT-7' }),
      charge({ key: 'charge:zeros', gatewayTxnId: '0012', attemptReference: 'ATTEMPT-8', amountMinor: 1n }),
      charge({ key: 'charge:other', gatewayTxnId: '778', attemptReference: 'ATTEMPT-9', amountMinor: 2n }),
      refund({ key: 'refund:never' }),
    ];
    const lost = line({ gatewayTxnId: '12', attemptReference: null });
    expect(proposalsFor(lost, { movements, occurredOn: '2026-11-22' })).toEqual([
      { movementKey: 'charge:zeros', score: 70, reasons: ['LEADING_ZEROS_DIFFER', 'SAME_DAY', 'SAME_STORE'] },
      { movementKey: 'charge:equal', score: 50, reasons: ['SAME_AMOUNT', 'SAME_DAY', 'SAME_STORE'] },
    ]);
  });

  test('proposes nothing by day and store alone, in another currency or for a fee', () => {
    const movements = [charge()];
    const strange = { gatewayTxnId: null, attemptReference: null };
    for (const changes of [{ grossMinor: 5n }, { currency: 'USD' }, { kind: 'FEE' as const }]) {
      const proposals = proposalsFor(line({ ...strange, ...changes }), { movements, occurredOn: '2026-11-22' });
      expect(proposals).toEqual([]);
    }
  });
});
