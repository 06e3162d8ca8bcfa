import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Stripe } from 'stripe';
import { z } from 'zod';
import { takeDueDisputes } from '../../../core/disputes/store/disputes.ts';
import { dueDisputeSearches } from '../../../core/disputes/searches.ts';
import { searchDisputesSince } from '../../../core/disputes/store/searches.ts';
import { dueDisputes, queryDispute } from '../../../core/disputes/sweep.ts';
import { runSweep } from '../../../core/sweep/engine.ts';
import { GatewayFailure, type GatewayRegistry } from '../../../gateways/port.ts';
import type { RunningHost } from '../../../simulators/kit/host.ts';
import { startStripeSimulator } from '../../../simulators/stripe/server.ts';
import { createPaymentWorld, type PaymentWorld, type Row } from '../payments/payment-world.ts';
import type { StoredPayment } from '../../support/stored.ts';

/* Disputes of charges at Stripe: its simulator makes them, tells of them, and answers what is asked about them. */

let world: PaymentWorld;
let stripe: RunningHost;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'disputes-'));
  stripe = await startStripeSimulator({ dataDir });
  world = await createPaymentWorld({ stripeUrl: stripe.url });
});
afterAll(async () => {
  await world.close();
  await stripe.close();
  await rm(dataDir, { recursive: true });
});
beforeEach(() => {
  world.log.length = 0;
});

async function control(method: string, path: string, body?: object): Promise<unknown> {
  const sent =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${stripe.url}/__sim/stripe/${path}`, { method, ...sent });
  if (!answer.ok) {
    throw new Error(`the simulator answered ${answer.status}: ${await answer.text()}`);
  }
  return answer.json();
}

const Made = z.looseObject({ id: z.string() });
const Signed = z.object({ body: z.string(), headers: z.record(z.string(), z.string()) });

interface Disputed {
  readonly input: StoredPayment;
  readonly attempt: Row;
  readonly disputeId: string;
}

/** A paid payment whose payer then disputes the charge. */
async function disputed(): Promise<Disputed> {
  const { input, attempt } = await world.opened({ gateway: 'stripe' });
  await control('POST', `sessions/${String(attempt['reference'])}/pay`, {});
  expect(await world.activities.verifyPayment({ ...input, final: false })).toEqual({ kind: 'charged' });
  await world.activities.finalizePayment({ ...input, status: 'SUCCEEDED' });
  const { id } = Made.parse(await control('POST', 'disputes', { charge: attempt['reference'] }));
  return { input, attempt, disputeId: id };
}

const close = (disputeId: string, won: boolean) => control('POST', `disputes/${disputeId}/close`, { won });

/** The newest event of a type, signed as Stripe signs it. */
async function eventOf(type: string): Promise<z.infer<typeof Signed>> {
  const events = z.array(Made).parse(await control('GET', `events?type=${type}`));
  return Signed.parse(await control('GET', `events/${events.at(-1)?.id}`));
}
const post = async ({ body, headers }: z.infer<typeof Signed>): Promise<number> => {
  const sent = { 'content-type': 'application/json', ...headers };
  return (await fetch(`${world.apiUrl}/gateway/stripe/test/ipn`, { method: 'POST', headers: sent, body })).status;
};
const tell = async (type: string) => post(await eventOf(type));
const sweep = () => runSweep(world.deps, dueDisputes(world.deps));

const rowOf = async (disputeId: string): Promise<Row> =>
  (await world.rows(`select * from disputes where gateway_dispute_id = ?`, [disputeId]))[0] ?? {};
const eventsOf = async ({ paymentId }: StoredPayment) =>
  (
    await world.rows(
      `select type || coalesce(' ' || (payload::jsonb->'data'->>'status'), '') as told from webhook_events where payment_id = ?::bigint order by sequence`,
      [paymentId],
    )
  ).map(({ told }) => told);
const casesOf = (disputeId: string) =>
  world.rows(
    `select c.reason, c.state, c.amount_minor::text as amount from reconciliation_cases c join disputes d on d.id = c.dispute_id where d.gateway_dispute_id = ?`,
    [disputeId],
  );
const alerts = () => world.log.flatMap((line) => z.object({ alert: z.string() }).safeParse(line).data?.alert ?? []);

describe('a dispute', () => {
  test('that Stripe tells of is queried, stored, told to people and to the shop, once', async () => {
    // The shop has some days to answer, and the gateway takes the money at once.
    const { input, disputeId } = await disputed();
    expect(await tell('charge.dispute.created')).toBe(200);
    expect(await rowOf(disputeId)).toMatchObject({ status: 'NOTICED', amount_minor: null });
    expect(await eventsOf(input)).toEqual(['payment.succeeded SUCCEEDED']);
    expect(await sweep()).toBe(1);
    expect(await rowOf(disputeId)).toMatchObject({
      status: 'OPEN',
      gateway_status: 'needs_response',
      reason: 'fraudulent',
      amount_minor: '10000',
    });
    expect(await casesOf(disputeId)).toEqual([{ reason: 'DISPUTE_OPEN', state: 'OPEN', amount: '10000' }]);
    expect(alerts()).toEqual(['dispute-opened']);
    expect(await tell('charge.dispute.created')).toBe(200);
    expect(await sweep()).toBe(1);
    expect(await eventsOf(input)).toEqual(['payment.succeeded SUCCEEDED', 'dispute.opened OPEN']);
    expect(await casesOf(disputeId)).toHaveLength(1);
    expect(alerts()).toEqual(['dispute-opened']);
  });

  test('posts nothing: the line of the payout does', async () => {
    // Otherwise the money would be taken from the books twice.
    const { input } = await disputed();
    const count = async () => (await world.rows(`select count(*)::integer as n from ledger_transactions`))[0]?.['n'];
    const before = await count();
    await tell('charge.dispute.created');
    await sweep();
    expect(await count()).toBe(before);
    expect((await world.paymentRow(input))['status']).toBe('SUCCEEDED');
  });

  test.each([
    ['won', true, 'WON'],
    ['lost', false, 'LOST'],
  ])('that is %s is told again, and its case says so', async (_name, won, status) => {
    const { input, disputeId } = await disputed();
    await tell('charge.dispute.created');
    await sweep();
    await close(disputeId, won);
    expect(await tell('charge.dispute.closed')).toBe(200);
    await sweep();
    expect(await rowOf(disputeId)).toMatchObject({ status, next_sweep_at: null });
    expect(await eventsOf(input)).toEqual([
      'payment.succeeded SUCCEEDED',
      'dispute.opened OPEN',
      `dispute.closed ${status}`,
    ]);
    expect(await casesOf(disputeId)).toEqual([{ reason: `DISPUTE_${status}`, state: 'OPEN', amount: '10000' }]);
  });

  test('of which no end was told is found by the daily query', async () => {
    const { disputeId } = await disputed();
    await tell('charge.dispute.created');
    await sweep();
    await close(disputeId, false);
    expect(await sweep()).toBe(0);
    await world.rows(`update disputes set next_sweep_at = now() where gateway_dispute_id = ? returning 1`, [disputeId]);
    await sweep();
    expect(await rowOf(disputeId)).toMatchObject({ status: 'LOST' });
  });

  test('is what the gateway says, whatever the event says', async () => {
    // An event may be old, or from somebody who knows the secret.
    const { disputeId } = await disputed();
    const { body } = await eventOf('charge.dispute.created');
    expect(await post(signed(body.replace('"needs_response"', '"lost"')))).toBe(200);
    await sweep();
    expect(await rowOf(disputeId)).toMatchObject({ status: 'OPEN' });
  });

  test('is not noticed by an event that the store of its charge has not signed', async () => {
    const { disputeId } = await disputed();
    const { body } = await eventOf('charge.dispute.created');
    expect(await post({ body, headers: {} })).toBe(200);
    expect(await post(signed(body, 'whsec_of_somebody_else'))).toBe(200);
    expect(await rowOf(disputeId)).toEqual({});
    expect(alerts()).toContain('unmatched-callback');
  });

  test('of a charge that is not ours stays an unmatched callback', async () => {
    const { attempt } = await disputed();
    const { body } = await eventOf('charge.dispute.created');
    const intent = String(
      (await world.rows(`select gateway_txn_id from payment_attempts where id = ?::bigint`, [attempt['id']]))[0]?.[
        'gateway_txn_id'
      ],
    );
    await post(signed(body.replaceAll(intent, 'pi_of_another_system')));
    expect(alerts()).toEqual(['unmatched-callback']);
    const [stored] = await world.rows(`select outcome from gateway_callbacks order by id desc limit 1`);
    expect(stored).toEqual({ outcome: 'UNMATCHED' });
  });

  test('whose event says another charge than the gateway is left to people', async () => {
    const first = await disputed();
    const { body } = await eventOf('charge.dispute.created');
    const second = await disputed();
    await post(signed(body.replaceAll(first.disputeId, second.disputeId)));
    await sweep();
    expect(await rowOf(second.disputeId)).toMatchObject({ status: 'NOTICED', next_sweep_at: null });
    expect(alerts()).toEqual(['dispute-unknown']);
    expect(await casesOf(second.disputeId)).toEqual([]);
  });

  test('that the gateway does not know yet is asked for again', async () => {
    const { disputeId } = await disputed();
    const { body } = await eventOf('charge.dispute.created');
    await post(signed(body.replaceAll(disputeId, 'dp_unknown')));
    await sweep();
    expect(await rowOf('dp_unknown')).toMatchObject({ status: 'NOTICED', sweeps: 1 });
    expect((await rowOf('dp_unknown'))['next_sweep_at']).not.toBeNull();
    await world.rows(
      `update disputes set sweeps = 30, next_sweep_at = now() where gateway_dispute_id = 'dp_unknown' returning 1`,
    );
    await sweep();
    expect(alerts()).toEqual(['dispute-unknown']);
  });

  test('of which a second notice comes while the gateway is asked is asked for once more', async () => {
    // The answer may be older than the notice.
    const { disputeId } = await disputed();
    await tell('charge.dispute.created');
    const [due] = await world.database.withSystem((em) => takeDueDisputes(em, 1));
    await tell('charge.dispute.created');
    if (due !== undefined) {
      await queryDispute(world.deps, due);
    }
    await close(disputeId, true);
    expect(await sweep()).toBe(1);
    expect(await rowOf(disputeId)).toMatchObject({ status: 'WON' });
  });

  test('of a payment of another contract is no event of that contract', async () => {
    const { input, disputeId } = await disputed();
    await world.rows(`update payments set contract = 'ownpay' where id = ?::bigint returning 1`, [input.paymentId]);
    await tell('charge.dispute.created');
    await sweep();
    expect(await rowOf(disputeId)).toMatchObject({ status: 'OPEN' });
    expect(await eventsOf(input)).toEqual(['payment.succeeded SUCCEEDED']);
  });
});

describe('a dispute whose event came to a state that a restore has undone', () => {
  const search = async (since: Date, deps = world.deps): Promise<unknown> => {
    await world.rows('update dispute_searches set next_sweep_at = null returning 1');
    await world.database.withSystem((em) => searchDisputesSince(em, since));
    await runSweep(deps, dueDisputeSearches(deps));
    return (
      await world.rows('select next_sweep_at is null as ended from dispute_searches order by id desc limit 1')
    )[0]?.['ended'];
  };
  const anHourAgo = () => new Date(Date.now() - 3_600_000);

  test('is found in the list of the gateway, and told as any other', async () => {
    // Stripe does not repeat an event that was taken.
    const { input, disputeId } = await disputed();
    expect(await search(anHourAgo())).toBe(true);
    expect(await rowOf(disputeId)).toMatchObject({ status: 'NOTICED' });
    await sweep();
    expect(await rowOf(disputeId)).toMatchObject({ status: 'OPEN' });
    expect(await eventsOf(input)).toEqual(['payment.succeeded SUCCEEDED', 'dispute.opened OPEN']);
  });

  test('and that is older than the restored state is not looked for', async () => {
    // It is in the rows; years of disputes must not be read again.
    const { disputeId } = await disputed();
    await search(new Date(Date.now() + 3_600_000));
    expect(await rowOf(disputeId)).toEqual({});
  });

  test('and that is known already is left as it is', async () => {
    // One that has ended must not be asked for again.
    const { disputeId } = await disputed();
    await search(anHourAgo());
    await sweep();
    await close(disputeId, false);
    await world.rows('update disputes set next_sweep_at = now() returning 1');
    await sweep();
    const before = await rowOf(disputeId);
    expect(before).toMatchObject({ status: 'LOST', next_sweep_at: null });
    expect(await search(anHourAgo())).toBe(true);
    expect(await rowOf(disputeId)).toEqual(before);
  });

  test('of a charge that is not confirmed anew yet is looked for again, and named to people in the end', async () => {
    // The restored payment is queried at the same time, and may be confirmed later than the list is read.
    const { attempt, disputeId } = await disputed();
    const [confirmed] = await world.rows('select gateway_txn_id as txn from payment_attempts where id = ?::bigint', [
      attempt['id'],
    ]);
    const write = 'update payment_attempts set gateway_txn_id = ? where id = ?::bigint returning 1';
    await world.rows(write, ['pi_forgotten', attempt['id']]);
    expect(await search(anHourAgo())).toBe(false);
    expect(alerts()).toEqual([]);
    await world.rows(
      'update dispute_searches set next_sweep_at = now(), sweeps = 19 where next_sweep_at is not null returning 1',
    );
    await runSweep(world.deps, dueDisputeSearches(world.deps));
    expect(world.log).toContainEqual(
      expect.objectContaining({ alert: 'dispute-unknown', disputes: [disputeId], unreadStores: 0 }),
    );
    expect(await world.rows('select 1 from dispute_searches where next_sweep_at is not null')).toEqual([]);
    expect(await rowOf(disputeId)).toEqual({});
    await world.rows(write, [confirmed?.['txn'], attempt['id']]);
  });

  test('is looked for again while its gateway is away', async () => {
    // The search of a restore must not end with an outage of an hour.
    const { disputeId } = await disputed();
    const { gateways } = world.deps;
    const away: GatewayRegistry = {
      ...gateways,
      open(name, mode, store) {
        const opened = gateways.open(name, mode, store);
        const listDisputes = () => Promise.reject(new GatewayFailure('unavailable', 'away'));
        return opened === undefined ? undefined : { ...opened, listDisputes };
      },
    };
    expect(await search(anHourAgo(), { ...world.deps, gateways: away })).toBe(false);
    expect(await rowOf(disputeId)).toEqual({});
    expect(await search(anHourAgo())).toBe(true);
    expect(await rowOf(disputeId)).toMatchObject({ status: 'NOTICED' });
  });
});

describe('an event about a payout', () => {
  const outcome = async () =>
    (await world.rows(`select outcome, reference from gateway_callbacks order by id desc limit 1`))[0];

  test.each(['payout.paid', 'payout.reconciliation_completed', 'payout.updated'])(
    '%s is kept, and alarms nobody',
    async (type) => {
      // Each run reads the payouts of the gateway by itself.
      const object = { id: `po_${type}`.replace('.', '_'), object: 'payout', status: 'paid', metadata: {} };
      const event = { id: `evt_${type}`, object: 'event', type, data: { object } };
      expect(await post(signed(JSON.stringify(event)))).toBe(200);
      expect(await outcome()).toEqual({ outcome: 'NOTICED', reference: object.id });
      expect(alerts()).toEqual([]);
    },
  );

  test('that nobody has signed is kept as unmatched, and alarms nobody', async () => {
    const event = {
      id: 'evt_x',
      object: 'event',
      type: 'payout.paid',
      data: { object: { id: 'po_x', object: 'payout' } },
    };
    expect(await post({ body: JSON.stringify(event), headers: {} })).toBe(200);
    expect(await outcome()).toEqual({ outcome: 'UNMATCHED', reference: 'po_x' });
    expect(alerts()).toEqual([]);
  });
});

function signed(payload: string, secret = 'whsec_lenden_test'): z.infer<typeof Signed> {
  const timestamp = Math.floor(Date.now() / 1_000);
  const header = Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
  return { body: payload, headers: { 'stripe-signature': header } };
}
