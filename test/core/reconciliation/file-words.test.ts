import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createApplication, payPayment } from '../ledger/ledger-fixture.ts';
import { GATEWAY, openReconciliation, type ReconciliationWorld } from './reconciliation-world.ts';

let world: ReconciliationWorld;
beforeEach(async () => {
  world = await openReconciliation();
});
afterEach(() => world.close());

const limit = (minor: bigint | null, applicationId = world.applicationId) =>
  world.ledger.asOwner((em) =>
    em.execute(`update applications set refund_approval_threshold_minor = ?::bigint where id = ?::bigint`, [
      minor,
      applicationId,
    ]),
  );
const said = async () => (await world.results()).map(({ reason, status, detail }) => `${reason ?? status} ${detail}`);
const NAMELESS = { gatewayTxnId: null, attemptReference: null } as const;

test('costs in several files of one person are flagged together once they are more than the threshold, also those that a run has let pass', async () => {
  // Four eyes: many small lines do not get round the threshold.
  await limit(1_000n);
  await world.addLines([{ ...NAMELESS, kind: 'FEE', grossMinor: -600n, period: '2026-10-01' }]);
  await world.run();
  expect(await said()).toEqual(['MATCHED EXPLAINED_BY_KIND']);
  await world.addLines([{ ...NAMELESS, kind: 'TAX', grossMinor: -401n }]);
  await world.run();
  expect(await said()).toEqual(['FEE COST_UNPROVEN', 'FEE COST_UNPROVEN']);
  expect((await world.balances())['gateway:sslcommerz:unexplained']).toBe('1001');
  expect((await world.ledger.verify()).findings).toEqual([]);
  await limit(1_001n);
  await world.run();
  expect(await said()).toEqual(['MATCHED EXPLAINED_BY_KIND', 'MATCHED EXPLAINED_BY_KIND']);
});

test('a charge and a cost of the same amount leave a case that two people close', async () => {
  await limit(1_000n);
  const { attemptReference } = await payPayment(world.ledger.database, {
    applicationId: world.applicationId,
    grossMinor: 10_000n,
    feeMinor: 250n,
  });
  await world.addLines([
    { attemptReference, gatewayTxnId: `B${attemptReference}`, grossMinor: 9_750n },
    { ...NAMELESS, kind: 'FEE', grossMinor: -9_750n },
  ]);
  await world.run();
  expect(await world.cases()).toEqual([
    { kind: 'result', reason: 'FEE', state: 'OPEN', amount: '9750', resolution: null },
  ]);
});

test('a reserve that a run has let pass is flagged with the costs that come later, though it names a charge', async () => {
  await limit(10_000n);
  const { attemptReference } = await payPayment(world.ledger.database, {
    applicationId: world.applicationId,
    grossMinor: 10_000n,
    feeMinor: 250n,
  });
  const gatewayTxnId = `B${attemptReference}`;
  await world.addLines([{ gatewayTxnId, kind: 'RESERVE', grossMinor: -6_000n, period: '2026-10-01' }]);
  await world.run();
  expect((await said())[1]).toBe('MATCHED EXPLAINED_BY_KIND');
  await world.addLines([{ ...NAMELESS, kind: 'FEE', grossMinor: -4_001n }]);
  await world.run();
  expect(await said()).toEqual(['DEFERRED NOT_YET_DUE', 'AMOUNT COST_UNPROVEN', 'FEE COST_UNPROVEN']);
});

test('people say to which account a cost belongs that names nothing', async () => {
  await limit(1_000n);
  const [line] = await world.addLines([{ ...NAMELESS, kind: 'FEE', grossMinor: -1_001n }]);
  await world.run();
  await world.ledger.asOwner((em) =>
    em.execute(`update reconciliation_results set corrected_account = 'fees' where line_id = ?::bigint`, [line]),
  );
  await world.run();
  expect(await said()).toEqual(['MATCHED CORRECTED']);
  expect((await world.balances())['gateway:fees']).toBe('1001');
});

test('what the own API of the gateway says explains itself at any amount', async () => {
  await limit(0n);
  const cost = { kind: 'FEE', grossMinor: -600_000n, source: 'api' } as const;
  await world.addLines([
    { ...cost, ...NAMELESS },
    { ...cost, gatewayTxnId: 'NO-SUCH' },
  ]);
  await world.run();
  expect(await said()).toEqual(['MATCHED EXPLAINED_BY_KIND', 'MATCHED EXPLAINED_BY_KIND']);
});

test('a store of one application goes by its own threshold, and the store of the installation by the strictest', async () => {
  const other = await createApplication(world.ledger.database);
  await limit(10n, other);
  const cost = { ...NAMELESS, kind: 'FEE', grossMinor: -500n } as const;
  await world.addLines([cost, { ...cost, storeId: 'own' }]);
  await world.ledger.asOwner((em) =>
    em.execute(
      `insert into gateway_configurations (application_id, mode, gateway, store_id, key, store_secret) values (?::bigint, 'TEST', ?, 'own', gen_random_uuid(), 's')`,
      [world.applicationId, GATEWAY],
    ),
  );
  await world.ledger.asOwner((em) =>
    em.execute(
      `update payout_files set store_application_id = ?::bigint, store_id = 'own' where id = (select file_id from payout_lines where store_id = 'own')`,
      [world.applicationId],
    ),
  );
  await world.run();
  expect((await said()).toSorted()).toEqual(['FEE COST_UNPROVEN', 'MATCHED EXPLAINED_BY_KIND']);
});
