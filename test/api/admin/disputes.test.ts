import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

const Listed = z.array(
  z.looseObject({ id: z.int(), status: z.string(), movedMinor: z.int(), case: z.string().nullable() }),
);

const Explanation = z.object({
  summary: z.string(),
  waitingFor: z.string(),
  next: z.string(),
  timeline: z.array(z.object({ event: z.string() })),
});

let world: OperatorWorld;
let shop: Registration;
const tokens: Record<string, string> = {};
let paymentId: number;
beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: 'Shop' });
  const other = await world.api.register({ name: 'Other' });
  await world.addOperator({ email: 'root@example.com' });
  const people = {
    support: { role: 'Support' },
    own: { role: 'Support', applicationId: shop.applicationId },
    foreign: { role: 'Support', applicationId: other.applicationId },
  };
  for (const [name, sketch] of Object.entries(people)) {
    await world.addOperator({ email: `${name}@example.com`, ...sketch });
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
  paymentId = Number((await world.api.paidPayment(shop)).id);
  for (const [id, status] of [
    ['dp_open', 'OPEN'],
    ['dp_lost', 'LOST'],
  ]) {
    await world.api.sql(
      `insert into disputes (application_id, mode, payment_id, attempt_id, gateway, store_id, gateway_txn_id, gateway_dispute_id, status, gateway_status,
         reason, amount_minor, currency, respond_by, ended_at)
       select application_id, mode, payment_id, id, gateway, store_id, coalesce(gateway_txn_id, 't'), ?, ?, 'word', 'fraudulent', 10000, currency, now(),
         case when ? = 'LOST' then now() end from payment_attempts join lateral (select 'BDT' as currency) c on true where payment_id = ?::bigint`,
      [id, status, status, paymentId],
    );
  }
  await world.api.sql(
    `insert into reconciliation_cases (reference, mode, gateway, application_id, kind, dispute_id, currency, reason, amount_minor)
     select 'case_' || lpad(id::text, 22, '0'), mode, gateway, application_id, 'dispute', id, currency, 'DISPUTE_OPEN', amount_minor from disputes
     where status = 'OPEN'`,
  );
});
afterAll(() => world.close());

const get = (who: string, path: string): Promise<Answer> => world.send({ path, headers: bearer(tokens[who] ?? '') });
const listed = async (who: string, query: string) =>
  Listed.parse((await get(who, `/admin/disputes?${query}`)).data).map(({ status }) => status);

test('disputes are listed by their status, mode, gateway and payment, with their open case', async () => {
  const all = Listed.parse((await get('support', '/admin/disputes')).data);
  expect(all.map(({ status, case: open }) => [status, open === null])).toEqual([
    ['LOST', true],
    ['OPEN', false],
  ]);
  expect(await listed('support', 'status=OPEN')).toEqual(['OPEN']);
  expect(await listed('support', `paymentId=${paymentId}&gateway=sslcommerz&mode=TEST&status=LOST`)).toEqual(['LOST']);
  expect(await listed('support', 'gateway=stripe')).toEqual([]);
  expect(await listed('support', 'mode=LIVE')).toEqual([]);
});

test('operators of another application see none of them', async () => {
  expect(await listed('own', '')).toHaveLength(2);
  expect(await listed('foreign', '')).toEqual([]);
});

test('the detail of a payment and of a case shows its disputes', async () => {
  // Whoever looks at a payment must not refund what the bank takes back anyway.
  const detail = z
    .object({ disputes: z.array(z.looseObject({ status: z.string(), amountMinor: z.int().nullable() })) })
    .parse((await get('support', `/admin/payments/${paymentId}`)).data);
  expect(detail.disputes).toMatchObject([
    { status: 'OPEN', amountMinor: 10_000 },
    { status: 'LOST', amountMinor: 10_000 },
  ]);
  await world.addOperator({ email: 'finance@example.com', role: 'Finance' });
  tokens['finance'] = await world.logIn('finance@example.com');
  const [one] = Listed.parse((await get('support', '/admin/disputes?status=OPEN')).data);
  expect((await get('finance', `/admin/reconciliation/cases/${one?.case}`)).data).toMatchObject({
    kind: 'dispute',
    reason: 'DISPUTE_OPEN',
    dispute: { gatewayDisputeId: 'dp_open', status: 'OPEN' },
  });
});

test('application and operator read of the disputes in the explanation of the payment', async () => {
  // The payment is SUCCEEDED and its money is gone: nothing else would say why.
  const { apiKey, apiSecret } = shop.test;
  const headers = { 'x-api-key': apiKey, 'x-api-secret': apiSecret };
  const asked = await world.send({ path: `/payments/${paymentId}/explain`, headers });
  const shown = z
    .object({ explanation: Explanation })
    .parse((await get('support', `/admin/payments/${paymentId}`)).data);
  for (const { summary, waitingFor, next, timeline } of [Explanation.parse(asked.data), shown.explanation]) {
    expect(summary).toMatch(/A dispute over 100\.00 BDT was lost: the gateway took the money back\.$/);
    expect(waitingFor).toBe('gateway-answer');
    expect(next).toMatch(/The payer disputes 100\.00 BDT of the charge at their bank\. The bank decides/);
    expect(timeline.map(({ event }) => event).filter((event) => event.startsWith('dispute'))).toEqual([
      expect.stringMatching(/^dispute \d+ opened$/),
      expect.stringMatching(/^dispute \d+ opened$/),
      expect.stringMatching(/^dispute \d+ ended: LOST$/),
    ]);
  }
});
