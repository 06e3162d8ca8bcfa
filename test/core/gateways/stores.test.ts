import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createSweepActivities } from '../../../activities/sweep.ts';
import { chooseStore, retireStore, type StoreSlot } from '../../../core/gateways/store/stores.ts';
import { reserveRefund } from '../../../core/refunds/store/new-refunds.ts';
import { refundReference } from '../../../domain/references.ts';
import { WITHOUT_REFUND_BOUNDS } from '../../../domain/refund.ts';
import { storeSecretPlace } from '../../../runtime/sealed-places.ts';
import { createSecretBox } from '../../../runtime/secrets.ts';
import { queryGateways } from '../../../scripts/commands/query-gateways.ts';
import { Findings } from '../../../core/ledger/verify/findings.ts';
import { createPaymentWorld, secrets, STORES, type PaymentWorld, type Row } from '../payments/payment-world.ts';
import { until } from '../../support/until.ts';

/** In TEST, the environment has one of the simulator's stores. The other one is the application's own. */
const OWN = STORES.LIVE;

let world: PaymentWorld;
let slot: StoreSlot;
beforeAll(async () => {
  world = await createPaymentWorld();
  slot = { applicationId: world.app.applicationId, mode: 'TEST', gateway: 'sslcommerz' };
});
afterAll(() => world.close());
afterEach(() => retire());

const choose = (storeId: string, password: string) =>
  world.database.withOperator('every-app', (em) => chooseStore(em, secrets, { ...slot, storeId, password }));
const retire = () => world.database.withOperator('every-app', (em) => retireStore(em, slot));
const openedAtOwnStore = async () => {
  await choose(OWN.id, OWN.password);
  return world.opened();
};

/** Pays as the payer and waits for the gateway's notice. */
async function paid(attempt: Row): Promise<Row> {
  await world.finish(attempt);
  let kept: Row | undefined;
  await until(async () => {
    [kept] = await world.rows('select * from gateway_callbacks where attempt_id = ?::bigint', [attempt['id']]);
    return kept !== undefined;
  });
  return kept ?? {};
}

describe('a payment at the application’s own store', () => {
  test('is opened, heard of, verified, settled and refunded there, also after the store was replaced', async () => {
    // The environment's store does not know the payment. A query there would say that the payer has not paid.
    const { input, attempt } = await openedAtOwnStore();
    expect(attempt).toMatchObject({ store_id: OWN.id, status: 'OPEN' });
    await choose('the-next-store', 'of another password');
    expect(await paid(attempt)).toMatchObject({ signature_valid: true, note: null });
    expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({ kind: 'charged' });
    await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
    await retire();

    const scope = { applicationId: world.app.applicationId, mode: 'TEST' } as const;
    const refund = await world.database.withScope(scope, (statements) =>
      reserveRefund(statements, {
        scope,
        paymentId: BigInt(input.paymentId),
        reference: refundReference(),
        amountMinor: 4_000n,
        reason: null,
        creator: { type: 'APP' },
        boundsOf: () => WITHOUT_REFUND_BOUNDS,
      }),
    );
    const asked = { ...input, refundId: refund.id.toString(), reference: refund.reference };
    await until(async () => (await world.activities.driveRefund(asked)).kind === 'refunded');
    const [session] = (await world.control('GET', `sessions/${String(attempt['reference'])}`)) as { refunds: Row[] }[];
    expect(session?.refunds).toHaveLength(1);
  });

  test('is not believed when its notice bears the signature of another store', async () => {
    // The environment's password is valid, but not for this payment.
    const { input, attempt } = await openedAtOwnStore();
    const forged = world.signed({ tran_id: String(attempt['reference']), val_id: 'V1', status: 'VALID' }, 'TEST');
    expect((await world.post('ipn', forged)).status).toBe(200);
    expect(await world.callbacksOf(input)).toMatchObject([{ signature_valid: false }]);
  });

  test('has its unapplied money found there', async () => {
    const { input, attempt } = await openedAtOwnStore();
    await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
    await retire();
    await world.finish(attempt);
    const late = { ...input, attemptReference: String(attempt['reference']) };
    expect(await world.activities.recordUnappliedPayment(late)).toMatchObject({ kind: 'held', amountMinor: '10000' });
  });

  test('is asked about by npm run verify -- --ask', async () => {
    const { input, attempt } = await openedAtOwnStore();
    await paid(attempt);
    await world.activities.verifyPayment({ ...input, final: false });
    await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
    await retire();
    const findings = new Findings();
    await queryGateways({ database: world.database, gateways: world.deps.gateways, findings });
    expect(findings.listed.filter(({ id }) => id === attempt['id'])).toEqual([]);
  });

  test('opens no page while nobody can open the password, and knows when to give up', async () => {
    // Without the expiry, the workflow would wait for ever and could not react to a payer who cancels.
    await choose(OWN.id, OWN.password);
    const input = await world.payment();
    await world.rows('update gateway_configurations set store_secret = ? where store_id = ? returning 1', [
      createSecretBox(`lost:${Buffer.alloc(32, 9).toString('base64')}`).seal(OWN.password, storeSecretPlace('lost')),
      OWN.id,
    ]);
    world.log.length = 0;
    const { expires_at: expiresAt } = await world.paymentRow(input);
    expect(await world.activities.openCheckout(input)).toEqual({
      kind: 'unavailable',
      expiresAtMs: new Date(String(expiresAt)).getTime(),
    });
    expect(world.log.filter(({ alert }) => alert === 'store-secret-unreadable')).toHaveLength(1);
    world.log.length = 0;
    expect(await world.attemptRow(input)).toMatchObject({ status: 'CREATED', session_key: null });
    await choose(OWN.id, OWN.password);
    expect(await world.activities.openCheckout(input)).toMatchObject({ kind: 'open' });
  });

  test('waits for a person when nobody can open the password any more', async () => {
    // A lost master key must not end a payment as unpaid.
    const { input, attempt } = await openedAtOwnStore();
    const lost = createSecretBox(`lost:${Buffer.alloc(32, 9).toString('base64')}`).seal(
      OWN.password,
      storeSecretPlace('lost'),
    );
    await world.rows('update gateway_configurations set store_secret = ? where store_id = ? returning 1', [
      lost,
      OWN.id,
    ]);
    expect(await paid(attempt)).toMatchObject({ signature_valid: false });
    expect(world.log.filter(({ alert }) => alert === 'store-secret-unreadable')).toHaveLength(1);
    await expect(world.activities.verifyPayment({ ...input, final: true })).rejects.toMatchObject({
      type: 'GATEWAY_UNAUTHORIZED',
    });
    expect(await world.paymentRow(input)).toMatchObject({ status: 'PENDING' });
    await choose(OWN.id, OWN.password);
    expect(await world.activities.verifyPayment({ ...input, final: true })).toEqual({ kind: 'charged' });
  });
});

describe('a callback of a store whose secret cannot be opened', () => {
  test('holds up no other: the sweeper closes what it can read, and keeps that one for later', async () => {
    // One application's lost key must not block the callbacks of the others.
    const poison = await openedAtOwnStore();
    await paid(poison.attempt);
    const lost = createSecretBox(`lost:${Buffer.alloc(32, 9).toString('base64')}`).seal(
      OWN.password,
      storeSecretPlace('lost'),
    );
    await world.rows('update gateway_configurations set store_secret = ? where store_id = ? returning 1', [
      lost,
      OWN.id,
    ]);
    await retire();
    const good = await world.opened();
    await paid(good.attempt);
    await world.activities.verifyPayment({ ...good.input, final: false });
    await world.activities.finalizePayment({ ...good.input, status: 'SUCCEEDED' });
    await world.rows(
      `update gateway_callbacks set consumed_at = null, outcome = 'RECEIVED',
         next_sweep_at = now() - case when payment_id = ?::bigint then interval '2 minutes' else interval '1 minute' end
       where payment_id = any(string_to_array(?, ',')::bigint[]) returning 1`,
      [poison.input.paymentId, [poison.input.paymentId, good.input.paymentId].join(',')],
    );
    const signalled: string[] = [];
    const dispatch = {
      ...world.deps.dispatch,
      signalCallback: (reference: string) => Promise.resolve(signalled.push(reference) > 0),
    };
    await createSweepActivities({ ...world.deps, dispatch }).sweep();
    expect(world.log.filter(({ alert }) => alert === 'sweep-step-failed')).toEqual([]);
    expect(signalled).toEqual([poison.input.reference]);
    const open = await world.rows(
      "select payment_id from gateway_callbacks where consumed_at is null and payment_id = any(string_to_array(?, ',')::bigint[])",
      [[poison.input.paymentId, good.input.paymentId].join(',')],
    );
    expect(open.map((row) => String(row['payment_id']))).toEqual([poison.input.paymentId]);
  });
});

describe('a payment whose store is nowhere known', () => {
  test('is refused when nothing was opened, and waits when something may have been', async () => {
    const first = await world.payment();
    await world.rows(
      `insert into payment_attempts (application_id, mode, payment_id, number, reference, gateway, store_id)
       values (?, 'TEST', ?::bigint, 1, 'ATTEMPTOFNOSTORE0001', 'sslcommerz', 'gone') returning 1`,
      [world.app.applicationId, first.paymentId],
    );
    expect(await world.activities.openCheckout(first)).toEqual({ kind: 'refused', code: 'GATEWAY_NOT_CONFIGURED' });
    await world.rows(`update payment_attempts set status = 'UNKNOWN' where payment_id = ?::bigint returning 1`, [
      first.paymentId,
    ]);
    expect(await world.activities.openCheckout(first)).toMatchObject({ kind: 'unavailable' });
    await expect(world.activities.verifyPayment({ ...first, final: true })).rejects.toMatchObject({
      type: 'GATEWAY_UNAUTHORIZED',
    });
  });
});
