import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { MANUAL_CAPABILITIES } from '../../../gateways/manual/gateway.ts';
import { SSLCOMMERZ_CAPABILITIES } from '../../../gateways/sslcommerz/gateway.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

const SECRET = 'canary-of-a-store-password';
const REFUSED = { status: 409, code: 'INVALID_OPERATION_STATE' };

let world: OperatorWorld;
let origin: string;
let shop: Registration;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  world = await openOperatorWorld();
  origin = await world.api.listen({ gateways: [SSLCOMMERZ_CAPABILITIES, MANUAL_CAPABILITIES] });
  await world.addOperator({ email: 'owner@example.com' });
  for (const name of ['first', 'second']) {
    await world.addOperator({ email: `${name}@example.com`, role: 'Admin' });
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.api.sql('update applications set refund_approval_threshold_minor = null');
  await world.api.sql('delete from gateway_configurations where application_id is null');
  shop = await world.api.register({ name: 'Shop' });
});

const send = (method: string, path: string, body?: unknown, as = 'first'): Promise<Answer> =>
  world.send({ method, path, headers: bearer(tokens[as] ?? ''), ...(body === undefined ? {} : { body }) }, origin);
const setThreshold = () =>
  world.api.sql('update applications set refund_approval_threshold_minor = 5000 where id = ?', [shop.applicationId]);
const confirm = (id: number): Promise<Answer> =>
  send('POST', `/admin/pending-changes/${id}/confirm`, undefined, 'second');

/** Returns a manual account as it is sent, and as it is shown. */
const account = (number: string) => {
  const label = { en: 'Bank transfer', bn: 'ব্যাংক' };
  const text = { en: `Account ${number}`, bn: `হিসাব ${number}` };
  return { password: JSON.stringify({ label, instructions: text }), instructions: { label, text } };
};
const override = (storeId: string, storePassword: string, gateway = 'manual') =>
  send('PUT', `/admin/apps/${shop.applicationId}/gateway-override`, { mode: 'LIVE', gateway, storeId, storePassword });
const ofAll = (storeId: string, storePassword: string) =>
  send('PUT', '/admin/gateways/manual/LIVE', { storeId, storePassword });
const clear = () => send('DELETE', `/admin/apps/${shop.applicationId}/gateway-override/LIVE`);

const Change = z.looseObject({ id: z.int(), before: z.unknown(), after: z.unknown() });
const Waiting = z.object({ pendingChanges: z.array(Change) });
const changeOf = ({ data }: Answer): z.infer<typeof Change> => {
  const slots = z.array(Waiting).safeParse(data);
  const changes = slots.success
    ? slots.data.flatMap(({ pendingChanges }) => pendingChanges)
    : Waiting.parse(data).pendingChanges;
  return changes.at(-1) ?? { id: 0, before: null, after: null };
};
const storeNow = async (): Promise<unknown> => {
  const { data } = await send('GET', `/admin/apps/${shop.applicationId}/gateways`);
  const slots = z.array(z.looseObject({ gateway: z.string(), mode: z.string(), storeId: z.unknown() })).parse(data);
  return slots.find(({ gateway, mode }) => gateway === 'manual' && mode === 'LIVE')?.storeId;
};
const audited = async (): Promise<{ action: string; details: unknown }[]> =>
  world.api.sql(
    `select action, details from audit_logs where target_type = 'application' and target_id = ? order by id`,
    [String(shop.applicationId)],
  );
const at = (storeId: string | null) => ({ gateway: 'manual', mode: 'LIVE', storeId });

describe('an application’s own store', () => {
  test('is cleared for the store that the second person was shown, and for no other', async () => {
    // One person can replace that store while no application with a threshold uses it. They would then get the payers' money.
    const [own, honest, thief] = [account('111'), account('222'), account('666')];
    await override('own', own.password);
    await ofAll('ofall', honest.password);
    await setThreshold();
    const proposed = changeOf(await clear());
    expect(proposed).toMatchObject({
      before: { ...at('own'), instructions: own.instructions },
      after: {
        ...at(null),
        replacedBy: { source: 'INSTALLATION', storeId: 'ofall', instructions: honest.instructions },
      },
    });
    expect((await ofAll('ofall', thief.password)).data).toMatchObject({ storeId: 'ofall', pendingChanges: [] });
    expect(await confirm(proposed.id)).toMatchObject(REFUSED);
    expect(await storeNow()).toBe('own');
    const again = changeOf(await clear());
    expect(again.after).toMatchObject({ replacedBy: { instructions: thief.instructions } });
    expect((await confirm(again.id)).status).toBe(200);
    expect(await storeNow()).toBe('ofall');
    expect(await audited()).toContainEqual({
      action: 'gateway-store.retired',
      details: {
        before: { ...at('own'), instructions: own.instructions },
        after: {
          proposedBy: expect.any(String),
          replacedBy: { source: 'INSTALLATION', storeId: 'ofall', instructions: thief.instructions },
        },
      },
    });
  });

  test('is not cleared when a store has come into the place where none was', async () => {
    await override('own', account('111').password);
    await setThreshold();
    const proposed = changeOf(await clear());
    expect(proposed.after).toEqual({ ...at(null), replacedBy: null });
    await ofAll('ofall', account('666').password);
    expect(await confirm(proposed.id)).toMatchObject(REFUSED);
  });
});

describe('what the second person is shown of a store', () => {
  test('is the account that payers read, where the store is one', async () => {
    // The same store id can have another account.
    const [former, next] = [account('111'), account('666')];
    await override('bank', former.password);
    await setThreshold();
    const proposed = changeOf(await override('bank', next.password));
    const shown = {
      before: { ...at('bank'), instructions: former.instructions },
      after: { ...at('bank'), instructions: next.instructions },
    };
    expect(proposed).toMatchObject(shown);
    expect((await confirm(proposed.id)).status).toBe(200);
    const entries = await audited();
    const chosen = entries.filter(({ action }) => action === 'gateway-store.chosen');
    expect(chosen).toMatchObject([{ details: { after: shown.before } }, { details: shown }]);
    expect(entries).toContainEqual({
      action: 'pending-change.proposed',
      details: { before: shown.before, after: { ...shown.after, changeId: String(proposed.id) } },
    });
  });

  test('is that the password is another one, and nothing of it, where the gateway has a page of its own', async () => {
    await override('shop', SECRET, 'sslcommerz');
    await setThreshold();
    const proposed = changeOf(await override('shop', `${SECRET} too`, 'sslcommerz'));
    expect(proposed).toMatchObject({
      before: { gateway: 'sslcommerz', mode: 'LIVE', storeId: 'shop' },
      after: { gateway: 'sslcommerz', mode: 'LIVE', storeId: 'shop', credentialsReplaced: true },
    });
    const everything = await world.api.sql(
      'select to_jsonb(c) as row from pending_changes c union all select to_jsonb(a) from audit_logs a',
    );
    expect(JSON.stringify([everything, proposed])).not.toContain(SECRET);
  });
});
