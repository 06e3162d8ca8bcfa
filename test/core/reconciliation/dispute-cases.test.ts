import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openDisputeCase } from '../../../core/reconciliation/store/dispute-cases.ts';
import { payPayment } from '../ledger/ledger-fixture.ts';
import { openReconciliation, type ReconciliationWorld } from './reconciliation-world.ts';

let world: ReconciliationWorld;
beforeEach(async () => {
  world = await openReconciliation();
});
afterEach(() => world.close());

const AMOUNT = 10_000n;
type Status = 'OPEN' | 'WON' | 'LOST' | 'CLOSED';

const rows = <Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
  world.ledger.asOwner((em) => em.execute<Row[]>(text, [...values]));

/** A charge that is paid out, and a dispute of it. Returns the charge's id at the gateway. */
async function disputedAs(status: Status): Promise<string> {
  const { applicationId } = world;
  const { attemptReference } = await payPayment(world.ledger.database, { applicationId, feeMinor: 0n });
  const gatewayTxnId = `B${attemptReference}`;
  await world.addLines([{ attemptReference, gatewayTxnId, grossMinor: AMOUNT }]);
  await addDispute(gatewayTxnId, status);
  return gatewayTxnId;
}
async function addDispute(gatewayTxnId: string, status: Status, currency = 'BDT'): Promise<void> {
  const [row] = await rows<{ id: string }>(
    `insert into disputes (application_id, mode, payment_id, attempt_id, gateway, store_id, gateway_txn_id, gateway_dispute_id, status, gateway_status,
       amount_minor, currency)
     select application_id, mode, payment_id, id, gateway, 'store', gateway_txn_id, gen_random_uuid()::text, 'OPEN', 'x', ?::bigint, ?
     from payment_attempts where gateway_txn_id = ? returning id::text`,
    [AMOUNT, currency, gatewayTxnId],
  );
  const id = BigInt(row?.id ?? 0);
  await world.ledger.database.withScope({ applicationId: world.applicationId, mode: 'TEST' }, (statements) =>
    openDisputeCase(statements, id),
  );
  await become(id, status);
}
const become = (id: bigint, status: Status) =>
  rows(
    `update disputes set status = ?, ended_at = case when ? = 'OPEN' then null else now() end where id = ?::bigint returning 1`,
    [status, status, id],
  );
const line = (gatewayTxnId: string, grossMinor: bigint) => ({ kind: 'DISPUTE', gatewayTxnId, grossMinor });
const states = async () =>
  (await world.cases())
    .filter(({ kind }) => kind === 'dispute')
    .map(({ reason, state, resolution }) => `${reason} ${state} ${resolution}`);

describe('the case of a dispute', () => {
  test.each([
    ['that is open', 'OPEN', [-AMOUNT]],
    ['that is lost, before the money was taken', 'LOST', []],
    ['that is lost, while the money came back', 'LOST', [-AMOUNT, AMOUNT]],
    ['that is lost, of which a part was taken', 'LOST', [-AMOUNT + 1n]],
    ['that is won, before the money came back', 'WON', [-AMOUNT]],
    ['that is won, of which no line has told yet', 'WON', []],
  ] as const)('%s stays open', async (_name, status, moved) => {
    const gatewayTxnId = await disputedAs(status);
    await world.addLines(moved.map((grossMinor) => line(gatewayTxnId, grossMinor)));
    await world.run();
    expect(await states()).toEqual([`DISPUTE_${status} OPEN null`]);
  });

  test.each([
    ['that is lost closes once a line has taken the money', 'LOST', [-AMOUNT]],
    ['that is won closes once a line has brought the money back', 'WON', [-AMOUNT, AMOUNT]],
  ] as const)('%s', async (_name, status, moved) => {
    const gatewayTxnId = await disputedAs(status);
    await world.addLines(moved.map((grossMinor) => line(gatewayTxnId, grossMinor)));
    expect((await world.run()).balanced).toBe(true);
    expect(await states()).toEqual([`DISPUTE_${status} RESOLVED EVIDENCE`]);
    // Posted by the lines, and by nothing else.
    expect((await world.balances())['gateway:sslcommerz:disputes']).toBe(status === 'LOST' ? '10000' : undefined);
    expect((await world.ledger.verify()).findings).toEqual([]);
  });

  test('that ended before money was taken closes by itself', async () => {
    await disputedAs('CLOSED');
    await world.run();
    expect((await states()).map((state) => state.split(' ').slice(1))).toEqual([['RESOLVED', 'EVIDENCE']]);
  });

  test('of a charge with another open dispute waits for it', async () => {
    // The lines of a charge do not say which of its disputes they are of.
    const gatewayTxnId = await disputedAs('LOST');
    await addDispute(gatewayTxnId, 'OPEN');
    await world.addLines([line(gatewayTxnId, -AMOUNT)]);
    await world.run();
    expect(await states()).toEqual(['DISPUTE_LOST OPEN null', 'DISPUTE_OPEN OPEN null']);
  });
});
