import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Registration } from '../../../core/applications/store/applications.ts';
import {
  bearer,
  browserSession,
  openOperatorWorld,
  PASSWORD,
  type Answer,
  type OperatorWorld,
} from './operator-world.ts';

/* A refused request of a logged-in operator is recorded in the audit log, wherever in the request it is refused. */

let world: OperatorWorld;
let shop: Registration;
let owner: bigint;
let token: string;
beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: 'Shop' });
  owner = await world.addOperator({ email: 'owner@example.com' });
  await world.addOperator({ email: 'admin@example.com', role: 'Admin' });
  token = await world.logIn('admin@example.com');
  await world.api.sql('update applications set refund_approval_threshold_minor = 5000');
});
afterAll(() => world.close());

const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
  world.send({ method, path, headers: bearer(token), ...(body === undefined ? {} : { body }) });

const FORBIDDEN = { status: 403, code: 'FORBIDDEN' };

async function newestRefusal(): Promise<unknown> {
  const [row] = await world.api.sql(
    `select actor, target_type, target_id, request_id, details from audit_logs where action = 'permission.refused' order by id desc limit 1`,
  );
  return row;
}
const entryOf = (route: string, { message, headers }: Answer, path: string): object => ({
  actor: 'admin@example.com',
  target_type: 'route',
  target_id: route,
  request_id: headers['x-request-id'],
  details: { reason: message, after: { path: `/api/v1${path}` } },
});

test('approving a refund of one’s own is written down', async () => {
  // The rollback of the transaction must not remove the entry.
  const { id: payment } = await world.api.paidPayment(shop);
  const { data } = await send('POST', `/admin/payments/${payment}/refunds`, { amountMinor: 9_000 });
  const path = `/admin/refunds/${(data as { id: number }).id}/approve`;
  const answer = await send('POST', path);
  expect(answer).toMatchObject(FORBIDDEN);
  expect(await newestRefusal()).toMatchObject(entryOf('POST /admin/refunds/{id}/approve', answer, path));
});

test('confirming a change of one’s own is written down', async () => {
  // An auditor has to see who tried to act as both people.
  const { data } = await send('PATCH', `/admin/apps/${shop.applicationId}/settings`, {
    refundApprovalThresholdMinor: null,
  });
  const { pendingChanges } = data as { pendingChanges: { id: number }[] };
  const path = `/admin/pending-changes/${pendingChanges[0]?.id ?? 0}/confirm`;
  const answer = await send('POST', path);
  expect(answer).toMatchObject(FORBIDDEN);
  expect(await newestRefusal()).toMatchObject(entryOf('POST /admin/pending-changes/{id}/confirm', answer, path));
});

test('reaching for more than one holds is written down', async () => {
  // An auditor looks for such attempts.
  const path = `/admin/users/${owner}/disable`;
  const answer = await send('POST', path);
  expect(answer).toMatchObject(FORBIDDEN);
  expect(await newestRefusal()).toMatchObject(entryOf('POST /admin/users/{id}/disable', answer, path));
  const [{ count } = { count: '' }] = await world.api.sql<{ count: string }>(
    `select count(*) from audit_logs where action = 'permission.refused' and request_id = ?`,
    [answer.headers['x-request-id']],
  );
  expect(Number(count)).toBe(1);
});

test('a change by cookie without its token is written down', async () => {
  // A page on another site may have tried to act in the operator's name.
  const login = await world.send({
    method: 'POST',
    path: '/auth/login',
    body: { email: 'admin@example.com', password: PASSWORD, cookie: true },
  });
  const { cookie } = browserSession(login);
  const answer = await world.send({ method: 'POST', path: '/auth/logout', headers: { cookie } });
  expect(answer).toMatchObject(FORBIDDEN);
  expect(await newestRefusal()).toMatchObject(entryOf('POST /auth/logout', answer, '/auth/logout'));
});
