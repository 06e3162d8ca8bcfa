import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { bearer, openOperatorWorld, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;

beforeAll(async () => {
  world = await openOperatorWorld();
  const first = await world.api.register({ name: 'First' });
  const second = await world.api.register({ name: 'Second' });
  await world.addOperator({ email: 'owner@example.com', role: 'Super Admin' });
  await world.addOperator({ email: 'first@example.com', role: 'Viewer', applicationId: first.applicationId });
  await world.addOperator({ email: 'first-too@example.com', role: 'Support', applicationId: first.applicationId });
  await world.addOperator({ email: 'second@example.com', role: 'Viewer', applicationId: second.applicationId });
});
afterAll(() => world.close());

/** Returns whose names a person sees. */
async function seenBy(email: string): Promise<string[]> {
  const { status, data } = await world.send({
    path: '/admin/operator-names',
    headers: bearer(await world.logIn(email)),
  });
  expect(status).toBe(200);
  const ids = z.array(z.strictObject({ id: z.int(), name: z.string().min(1) })).parse(data);
  const rows = await world.api.sql<{ email: string }>(
    'select email from operators where id = any(?::bigint[]) order by id',
    [`{${ids.map(({ id }) => id).join(',')}}`],
  );
  return rows.map((row) => row.email);
}

test('whoever works in every application sees every name', async () => {
  expect(await seenBy('owner@example.com')).toEqual([
    'owner@example.com',
    'first@example.com',
    'first-too@example.com',
    'second@example.com',
  ]);
});

test('others see who works in their applications, and in all of them', async () => {
  // Otherwise one tenant's people could list another's.
  expect(await seenBy('first@example.com')).toEqual([
    'owner@example.com',
    'first@example.com',
    'first-too@example.com',
  ]);
  expect(await seenBy('second@example.com')).toEqual(['owner@example.com', 'second@example.com']);
});
