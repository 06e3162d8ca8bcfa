import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Findings, type Finding } from '../../../core/ledger/verify/findings.ts';
import { GatewayFailure, type AttemptAnswer, type Charge, type Gateway } from '../../../gateways/port.ts';
import { SSLCOMMERZ_CAPABILITIES } from '../../../gateways/sslcommerz/gateway.ts';
import { queryGateways } from '../../../scripts/commands/query-gateways.ts';
import { createApplication, openLedger, payPayment, receiveLate, type LedgerFixture } from './ledger-fixture.ts';
import { registryOf } from '../../support/gateways.ts';

let ledger: LedgerFixture;
beforeAll(async () => {
  ledger = await openLedger();
  const applicationId = await createApplication(ledger.database);
  const paid = await payPayment(ledger.database, { applicationId });
  await receiveLate(ledger.database, { ...paid, applicationId });
});
afterAll(() => ledger.close());

/** Returns a gateway that confirms what our rows say, with the changes of the test. */
function gateway(change: Partial<Charge>): Gateway['queryAttempt'] {
  return ({ attemptReference, claimedValidationId }) => {
    const late = claimedValidationId?.startsWith('L') === true;
    const charge: Charge = {
      validationId: claimedValidationId ?? '',
      gatewayTxnId: `${late ? 'LB' : 'B'}${attemptReference}`,
      attemptReference,
      storeId: 'store',
      orderAmountMinor: 10_000n,
      orderCurrency: 'BDT',
      grossMinor: 10_000n,
      currency: 'BDT',
      feeMinor: 250n,
      netText: '97.50',
      riskFlagged: false,
      evidence: '{}',
      ...change,
    };
    return Promise.resolve({ kind: 'charged', charge });
  };
}

async function ask(queryAttempt: Gateway['queryAttempt'] | undefined): Promise<{ asked: number; listed: Finding[] }> {
  const findings = new Findings();
  const never = () => Promise.reject(new Error('not asked for'));
  const asked = await queryGateways({
    database: ledger.database,
    findings,
    gateways: registryOf({
      open: () =>
        queryAttempt === undefined
          ? undefined
          : {
              capabilities: SSLCOMMERZ_CAPABILITIES,
              storeId: 'store',
              queryAttempt,
              openSession: never,
              refund: never,
              queryRefund: never,
              parseCallback: () => {
                throw new Error('not asked for');
              },
            },
    }),
  });
  return { asked, listed: findings.listed };
}

describe('asking the gateways again', () => {
  // The gateway decides what was charged.
  test('finds nothing when each charge is confirmed as booked', async () => {
    expect(await ask(gateway({}))).toEqual({ asked: 2, listed: [] });
  });

  // An attacker can forge evidence in our database, but not at the gateway.
  test.each<[string, Partial<Charge>, RegExp]>([
    ['another amount', { grossMinor: 9_999n }, /gross 10000, but sslcommerz says 9999/],
    ['another fee', { feeMinor: 0n }, /fee 250, but sslcommerz says 0/],
    ['another currency', { currency: 'USD' }, /currency BDT/],
    ['another transaction', { gatewayTxnId: 'X' }, /gateway transaction/],
  ])('names the row of which the gateway says %s', async (_name, change, what) => {
    const { listed } = await ask(gateway(change));
    expect(listed.map(({ table }) => table)).toEqual(['payment_attempts', 'unapplied_payments']);
    expect(listed[0]?.what).toMatch(what);
  });

  // If the gateway does not know a charge, it was never made.
  test.each<AttemptAnswer>([{ kind: 'not-started' }, { kind: 'failed' }, { kind: 'unknown', note: 'x' }])(
    'a confirmed attempt of which the gateway says $kind is a finding',
    async (answer) => {
      const { listed } = await ask(() => Promise.resolve(answer));
      expect(listed).toHaveLength(2);
      expect(listed[0]?.what).toContain(`now answers: ${answer.kind}`);
    },
  );

  // A check that could not query the gateway must not look clean.
  test('a gateway that cannot be asked is a finding', async () => {
    const { listed } = await ask(() => Promise.reject(new GatewayFailure('unavailable', 'down')));
    expect(listed.map(({ what }) => what)).toEqual(Array(2).fill('could not be queried: sslcommerz is unavailable'));
    expect((await ask(undefined)).listed[0]?.what).toMatch(/the TEST credentials of its store/);
  });
});
