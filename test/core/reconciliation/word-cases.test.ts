import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openWordCase } from '../../../core/reconciliation/store/word-cases.ts';
import { payPayment } from '../ledger/ledger-fixture.ts';
import { openReconciliation, type ReconciliationWorld } from './reconciliation-world.ts';

let world: ReconciliationWorld;
beforeEach(async () => {
  world = await openReconciliation();
});
afterEach(() => world.close());

const AMOUNT = 4_000n;

interface Refund {
  readonly id: bigint;
  readonly reference: string;
  readonly attemptReference: string;
  readonly gatewayTxnId: string;
}

const rows = <Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
  world.ledger.asOwner((em) => em.execute<Row[]>(text, [...values]));

/** A refund that two people ended by their word. `once`: it counted as successful before. */
async function byWord(status: 'SUCCEEDED' | 'FAILED', { once = false } = {}): Promise<Refund> {
  const { applicationId } = world;
  const { paymentId, attemptReference } = await payPayment(world.ledger.database, { applicationId });
  const reference = `ref_${randomBytes(11).toString('hex')}`;
  const gatewayTxnId = `B${attemptReference}`;
  const [row] = await rows<{ id: string }>(
    `insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, gateway, store_id, gateway_txn_id, gateway_refund_id,
       created_by_type, succeeded_at, ended_at)
     values (?::bigint, 'TEST', ?::bigint, ?, ?, ?::bigint, 'BDT', 'sslcommerz', 'store', ?, ?, 'APP', ?::timestamptz, now()) returning id::text`,
    [
      applicationId,
      paymentId,
      reference,
      status,
      AMOUNT,
      gatewayTxnId,
      `R${reference}`,
      once || status === 'SUCCEEDED' ? new Date().toISOString() : null,
    ],
  );
  const id = BigInt(row?.id ?? 0);
  await openCase(id, status);
  return { id, reference, attemptReference, gatewayTxnId };
}
const openCase = (refundId: bigint, status: 'SUCCEEDED' | 'FAILED') =>
  world.ledger.database.withScope({ applicationId: world.applicationId, mode: 'TEST' }, (statements) =>
    openWordCase(statements, { refundId, status }),
  );
const refundLine = ({ gatewayTxnId, attemptReference }: Refund, grossMinor = -AMOUNT) => ({
  kind: 'REFUND',
  gatewayTxnId,
  attemptReference,
  grossMinor,
});
const states = async () =>
  (await world.cases())
    .filter(({ kind }) => kind === 'refund-by-word')
    .map(({ reason, state, resolution }) => `${reason} ${state} ${resolution}`);

describe('a refund that people said was made', () => {
  test('is an open case until a line of it comes, which closes it', async () => {
    // Two people can be wrong, and only the gateway knows.
    const refund = await byWord('SUCCEEDED');
    await world.run();
    expect(await states()).toEqual(['REFUNDED_BY_WORD OPEN null']);
    await world.addLines([refundLine(refund)]);
    await world.run();
    expect(await states()).toEqual(['REFUNDED_BY_WORD RESOLVED EVIDENCE']);
  });

  test('stays open while its line has another amount', async () => {
    const refund = await byWord('SUCCEEDED');
    await world.addLines([{ ...refundLine(refund, -AMOUNT + 1n), lineReference: refund.reference }]);
    await world.run();
    expect(await states()).toEqual(['REFUNDED_BY_WORD OPEN null']);
  });

  test('has one case, however often its end is written', async () => {
    const refund = await byWord('SUCCEEDED');
    await Promise.all([openCase(refund.id, 'SUCCEEDED'), openCase(refund.id, 'SUCCEEDED')]);
    expect(await states()).toHaveLength(1);
  });

  test('has none if it did not end so', async () => {
    const refund = await byWord('SUCCEEDED');
    await rows(`delete from reconciliation_cases returning id`);
    await openCase(refund.id, 'FAILED');
    expect(await states()).toEqual([]);
  });
});

describe('a refund that people said was not made', () => {
  test.each([
    ['its reference', ({ reference }: Refund) => ({ lineReference: reference })],
    ['the gateway’s id of it', ({ reference }: Refund) => ({ gatewayTxnId: `R${reference}` })],
    ['its charge, with its amount', ({ gatewayTxnId }: Refund) => ({ gatewayTxnId })],
  ])('is flagged, and stays open, when a line names %s', async (_name, naming) => {
    // The payer has the money, and may get it a second time.
    const refund = await byWord('FAILED');
    await world.run();
    expect(await states()).toEqual(['NOT_REFUNDED_BY_WORD OPEN null']);
    await world.addLines([{ kind: 'REFUND', grossMinor: -AMOUNT, ...naming(refund) }]);
    await world.run();
    expect(await states()).toEqual(['WORD_CONTRADICTED OPEN null']);
    expect((await world.cases()).map(({ reason }) => reason)).toContain('REFUND_UNKNOWN');
  });

  test('is not contradicted by a refund of another amount or another charge', async () => {
    const refund = await byWord('FAILED');
    await world.addLines([
      { kind: 'REFUND', grossMinor: -AMOUNT + 1n, gatewayTxnId: refund.gatewayTxnId },
      { kind: 'REFUND', grossMinor: -AMOUNT, gatewayTxnId: 'B-another' },
    ]);
    await world.run();
    expect(await states()).toEqual(['NOT_REFUNDED_BY_WORD OPEN null']);
  });

  test('after it had counted as made is confirmed by the line that takes it back', async () => {
    const refund = await byWord('FAILED', { once: true });
    await world.addLines([refundLine(refund)]);
    await world.run();
    expect(await states()).toEqual(['WORD_CONTRADICTED OPEN null']);
    await world.addLines([refundLine(refund, AMOUNT)]);
    await world.run();
    expect(await states()).toEqual(['WORD_CONTRADICTED RESOLVED EVIDENCE']);
  });

  test('is not confirmed by a line that was matched before people said so', async () => {
    // The line was judged as that of a refund that succeeded, in a run of another day.
    const refund = await byWord('SUCCEEDED');
    await world.addLines([{ ...refundLine(refund), period: '2026-01-05' }]);
    await world.run();
    await rows(`update refunds set status = 'FAILED', ended_at = now() where id = ?::bigint returning id`, [refund.id]);
    await openCase(refund.id, 'FAILED');
    await world.run();
    expect(await states()).toEqual(['REFUNDED_BY_WORD RESOLVED EVIDENCE', 'WORD_CONTRADICTED OPEN null']);
  });
});

test('an application opens cases of its own refunds alone, and reads none', async () => {
  const refund = await byWord('SUCCEEDED');
  const scope = { applicationId: world.applicationId, mode: 'LIVE' } as const;
  await world.ledger.database.withScope(scope, (statements) =>
    openWordCase(statements, { refundId: refund.id, status: 'SUCCEEDED' }),
  );
  expect(await states()).toHaveLength(1);
  await expect(
    world.ledger.database.withScope(scope, (statements) => statements.execute(`select from reconciliation_cases`)),
  ).rejects.toMatchObject({ code: '42501' });
});
