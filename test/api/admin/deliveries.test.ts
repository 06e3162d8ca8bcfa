import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { recordEvent } from '../../../core/webhooks/store/events.ts';
import { call } from '../contract-client.ts';
import { SAMPLE } from '../invoices/billing.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let shop: Registration;
let other: Registration;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: 'Shop' });
  other = await world.api.register({ name: 'Other' });
  await world.addOperator({ email: 'owner@example.com' });
  await world.addOperator({ email: 'scoped@example.com', role: 'Admin', applicationId: shop.applicationId });
  for (const name of ['owner', 'scoped']) {
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
});
afterAll(() => world.close());

const send = (method: string, path: string, body?: unknown, as = 'scoped'): Promise<Answer> =>
  world.send({ method, path, headers: bearer(tokens[as] ?? ''), ...(body === undefined ? {} : { body }) });

/** Creates an event that cannot be delivered, because the application has no endpoint or a disabled one. It is parked at once. */
async function parked(
  app: Registration,
  endpoint: 'none' | 'disabled' = 'none',
): Promise<{ id: number; eventId: string }> {
  const { id: paymentId } = await world.api.paidPayment(app);
  await setEndpoint(app, endpoint);
  const scope = { applicationId: app.applicationId, mode: 'TEST' } as const;
  const { eventId } = await world.database.withScope(scope, (statements) =>
    recordEvent(statements, {
      ...scope,
      paymentId: BigInt(paymentId),
      type: 'payment.succeeded',
      sequence: 1,
      data: { id: Number(paymentId), hello: 'world' },
    }),
  );
  const [row] = await world.api.sql<{ id: number }>('select id::integer from webhook_events where event_id = ?', [
    eventId,
  ]);
  return { id: row?.id ?? 0, eventId };
}

async function setEndpoint(
  { applicationId }: Registration,
  state: 'none' | 'disabled' | 'enabled' = 'enabled',
): Promise<void> {
  const url = state === 'none' ? null : 'https://shop.example/hook';
  await world.api.sql(
    `insert into webhook_endpoints (application_id, mode, url, disabled_at)
     values (?, 'TEST', ?, case when ? = 'disabled' then now() end)
     on conflict (application_id, mode) do update set url = excluded.url, disabled_at = excluded.disabled_at`,
    [applicationId, url, state],
  );
}

describe('deliveries', () => {
  test('are listed with all that is known, in the view only', async () => {
    // An operator who looks for a missing event has to see its payload and why it was parked.
    const own = await parked(shop);
    const foreign = await parked(other);
    const { data } = await send('GET', '/admin/webhooks?deliveryStatus=PARKED&type=payment.succeeded');
    const listed = data as { id: number; eventId: string; lastError: string; payload: string }[];
    expect(listed.map(({ id }) => id)).toContain(own.id);
    expect(listed.map(({ id }) => id)).not.toContain(foreign.id);
    expect(listed.find(({ id }) => id === own.id)).toMatchObject({ lastError: 'NO_ENDPOINT', attempts: 0 });
    expect(await send('GET', `/admin/webhooks/${foreign.id}/attempts`)).toMatchObject({ status: 404 });
    expect(await send('GET', `/admin/webhooks/${foreign.id}`)).toMatchObject({ status: 404 });
    expect(await send('GET', `/admin/webhooks/${own.id}`)).toMatchObject({
      data: { id: own.id, lastError: 'NO_ENDPOINT' },
    });
    await world.api.sql(
      `insert into webhook_attempts (webhook_event_id, application_id, mode, number, response_status, duration_ms)
       values (?, ?, 'TEST', 1, 503, 12)`,
      [own.id, shop.applicationId],
    );
    expect((await send('GET', `/admin/webhooks/${own.id}/attempts`)).data).toMatchObject([
      { number: 1, responseStatus: 503, durationMs: 12 },
    ]);
  });

  test.each([
    [null, { state: 'closed', until: null }],
    ['1 hour', { state: 'open', until: expect.stringMatching(/^\d{4}-/) }],
    ['-1 hour', { state: 'half-open', until: null }],
  ])('tell the circuit of their endpoint: open for %s', async (openFor, circuit) => {
    // An operator has to see why nothing is attempted.
    const { id } = await parked(shop);
    await world.api.sql(
      `update webhook_endpoints set circuit_open_until = now() + ?::interval where application_id = ? and mode = 'TEST'`,
      [openFor, shop.applicationId],
    );
    const { data } = await send('GET', '/admin/webhooks?mode=TEST');
    expect((data as { id: number }[]).find((event) => event.id === id)).toMatchObject({ circuit });
  });

  test('are sent again by their own id', async () => {
    // The receiver deduplicates by this id.
    const { id, eventId } = await parked(shop);
    await setEndpoint(shop);
    expect((await send('POST', `/admin/webhooks/${id}/resend`)).data).toMatchObject({ eventId });
    expect(world.api.dispatch.resent).toContain(eventId);
    const foreign = await parked(other);
    expect(await send('POST', `/admin/webhooks/${foreign.id}/resend`)).toMatchObject({ status: 404 });
    expect(world.api.dispatch.resent).not.toContain(foreign.eventId);
  });

  test('are not sent again while nobody would receive them, and the answer says why', async () => {
    // A 200 would let the operator believe that the event is on its way.
    const app = await world.api.register({ name: 'Without endpoint' });
    const resend = (id: number) => send('POST', `/admin/webhooks/${id}/resend`, undefined, 'owner');
    const without = await parked(app);
    expect(await resend(without.id)).toMatchObject({ status: 409, message: expect.stringContaining('no webhook URL') });
    const disabled = await parked(app, 'disabled');
    expect(await resend(disabled.id)).toMatchObject({ status: 409, message: expect.stringContaining('disabled') });
    const { data } = await send('GET', `/admin/webhooks?applicationId=${app.applicationId}`, undefined, 'owner');
    expect(data).toMatchObject([{ lastError: 'ENDPOINT_DISABLED' }, { lastError: 'NO_ENDPOINT' }]);
    expect(world.api.dispatch.resent).not.toContain(disabled.eventId);
    await setEndpoint(app);
    expect(await resend(disabled.id)).toMatchObject({ status: 200 });
  });

  test('of invoices are listed and sent again, too, and only by whoever may see them', async () => {
    // An application that missed an invoice's event needs the same help as one that missed a payment's.
    const eventOf = async (app: Registration): Promise<number> => {
      const scope = { applicationId: app.applicationId, mode: 'TEST' } as const;
      const made = await call({
        origin: world.origin,
        method: 'POST',
        path: '/invoices',
        credentials: app.test,
        body: SAMPLE,
      });
      const invoiceId = BigInt(String((made.data as { id: number }).id));
      const [{ id } = { id: 0 }] = await world.api.sql<{ id: number }>(
        `select id::integer from webhook_events where invoice_id = ? and application_id = ? order by id limit 1`,
        [invoiceId, scope.applicationId],
      );
      return id;
    };
    const own = await eventOf(shop);
    const foreign = await eventOf(other);
    const { data } = await send('GET', '/admin/webhooks?type=invoice.issued');
    const listed = (data as { id: number }[]).map(({ id }) => id);
    expect(listed).toContain(own);
    expect(listed).not.toContain(foreign);
    expect(await send('GET', `/admin/webhooks/${own}/attempts`)).toMatchObject({ status: 200, data: [] });
    await setEndpoint(shop);
    expect((await send('POST', `/admin/webhooks/${own}/resend`)).data).toMatchObject({ type: 'invoice.issued' });
    expect(await send('POST', `/admin/webhooks/${foreign}/resend`)).toMatchObject({ status: 404 });
  });

  test('that were given up since a time come due, and none before it', async () => {
    // Hostile case 38: recover(since) sends every missed event once.
    const before = await parked(shop);
    await world.api.sql(`update webhook_events set created_at = now() - interval '3 days' where id = ?`, [before.id]);
    const since = await parked(shop);
    const foreign = await parked(other);
    const yesterday = new Date(Date.now() - 86_400_000).toISOString();
    const path = `/admin/apps/${shop.applicationId}/webhooks/recover`;
    const { wakes } = world.api.dispatch;
    const { data } = await send('POST', path, { since: yesterday });
    expect((data as { recovered: number }).recovered).toBeGreaterThanOrEqual(1);
    // Otherwise the operator waits for up to half a minute before anything is sent.
    expect(world.api.dispatch.wakes).toBe(wakes + 1);
    expect(await send('POST', path, { since: yesterday, mode: 'LIVE' })).toMatchObject({ data: { recovered: 0 } });
    const due = await world.api.sql<{ id: number }>(
      'select id::integer from webhook_events where next_sweep_at <= now()',
    );
    expect(due.map(({ id }) => id)).toContain(since.id);
    expect(due.map(({ id }) => id)).not.toContain(before.id);
    expect(due.map(({ id }) => id)).not.toContain(foreign.id);
    const elsewhere = path.replace(String(shop.applicationId), String(other.applicationId));
    expect(await send('POST', elsewhere, { since: yesterday })).toMatchObject({ status: 404 });
  });
});

describe('gateway callbacks', () => {
  test('are listed by every filter; what belongs to nobody is for whoever sees everything', async () => {
    // A forged notice is evidence too.
    const { id } = await world.api.paidPayment(shop);
    const [attempt] = await world.api.sql<{ reference: string }>(
      'select reference from payment_attempts where payment_id = ?::bigint',
      [id],
    );
    const reference = String(attempt?.reference);
    const insert = (paymentId: string | null, digest: string) =>
      world.api.sql(
        `insert into gateway_callbacks (application_id, mode, payment_id, attempt_id, gateway, reference, kind, signature_valid, outcome, raw_payload, digest)
         values (?, 'TEST', ?::bigint, (select id from payment_attempts where payment_id = ?::bigint), 'sslcommerz', ?, 'ipn', false, 'FORGED', 'a=b',
           sha256(?::bytea))`,
        [paymentId === null ? null : shop.applicationId, paymentId, paymentId, reference, digest],
      );
    await insert(id, 'one');
    await insert(null, 'two');
    const path = `/admin/gateway-callbacks?mode=TEST&outcome=FORGED&signatureValid=false&gateway=sslcommerz&reference=${reference}`;
    expect((await send('GET', path)).data).toMatchObject([{ matchedPaymentId: Number(id), rawPayload: 'a=b' }]);
    expect((await send('GET', path, undefined, 'owner')).data).toHaveLength(2);
    expect((await send('GET', `${path}&matchedPaymentId=${id}`, undefined, 'owner')).data).toHaveLength(1);
  });
});

describe('the summary', () => {
  test('adds up what moved, in the view and the time', async () => {
    // The summary contains gross − fee − refunded, and what is held in suspense.
    const app = await world.api.register({ name: 'Summed' });
    const { id } = await world.api.paidPayment(app);
    await world.api.paidPayment(app);
    await world.api.sql(
      `insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, gateway, store_id, gateway_txn_id,
         created_by_type, ended_at, succeeded_at)
       values (?, 'TEST', ?, 'ref_' || repeat('a', 22), 'SUCCEEDED', 2500, 'BDT', 'sslcommerz', 's', 't', 'APP', now(), now())`,
      [app.applicationId, id],
    );
    const path = `/admin/reports/summary?mode=TEST&applicationId=${app.applicationId}`;
    expect((await send('GET', path, undefined, 'owner')).data).toMatchObject({
      mode: 'TEST',
      currencies: [
        {
          currency: 'BDT',
          payments: { SUCCEEDED: 2 },
          grossMinor: 20_000,
          feeMinor: 500,
          refundedMinor: 2_500,
          netMinor: 17_000,
          lateHeldMinor: 0,
        },
      ],
    });
    expect((await send('GET', `${path}&to=2020-01-01`, undefined, 'owner')).data).toMatchObject({ currencies: [] });
    expect(
      (await send('GET', `/admin/reports/summary?applicationId=${app.applicationId}`, undefined, 'owner')).data,
    ).toMatchObject({
      mode: 'LIVE',
      currencies: [],
    });
    expect((await send('GET', path)).data).toMatchObject({ currencies: [] });
  });
});
