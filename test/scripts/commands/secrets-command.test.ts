import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Mode } from '../../../domain/mode.ts';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { resealAll } from '../../../core/maintenance/store/sealed-secrets.ts';
import {
  secondFactorPlace,
  signingSecretPlace,
  storeSecretPlace,
  type SealedPlace,
} from '../../../runtime/sealed-places.ts';
import { createSecretBox } from '../../../runtime/secrets.ts';
import { openOperatorWorld, type OperatorWorld } from '../../api/admin/operator-world.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const OLD = `old:${Buffer.alloc(32, 1).toString('base64')}`;
const NEW = `new:${Buffer.alloc(32, 2).toString('base64')}`;
const former = createSecretBox(OLD);
const SHOPS = 450;

let world: OperatorWorld;
beforeAll(async () => {
  world = await openOperatorWorld();
  const shop = await world.api.register({});
  const operatorId = await world.addOperator({ email: 'owner@example.com' });
  const { sql } = world.api;
  const place = (mode: Mode) => signingSecretPlace({ applicationId: shop.applicationId, mode });
  await sql(
    `update webhook_signing_secrets set sealed = case mode when 'LIVE' then ? else ? end,
       expires_at = case mode when 'LIVE' then null else now() + interval '1 hour' end`,
    [former.seal('signing', place('LIVE')), former.seal('former signing', place('TEST'))],
  );
  const [now, before] = [randomUUID(), randomUUID()];
  await sql(
    `insert into gateway_configurations (application_id, mode, gateway, store_id, key, store_secret, retired_at)
     values (?, 'TEST', 'sslcommerz', 'now', ?, ?, null), (?, 'TEST', 'sslcommerz', 'before', ?, ?, now())`,
    [
      shop.applicationId,
      now,
      former.seal('store', storeSecretPlace(now)),
      shop.applicationId,
      before,
      former.seal('retired store', storeSecretPlace(before)),
    ],
  );
  await sql('update operators set totp_secret = ? where id = ?', [
    former.seal('second factor', secondFactorPlace(operatorId)),
    operatorId,
  ]);
  // More than one batch.
  const shops = await sql<{ id: string }>(
    `insert into applications (name) select 'Shop ' || n from generate_series(1, ${SHOPS}) n returning id`,
  );
  const sealed = shops.map(({ id }) => ({
    id,
    sealed: former.seal('one of many', signingSecretPlace({ applicationId: BigInt(id), mode: 'LIVE' })),
  }));
  await sql(
    `insert into webhook_endpoints (application_id, mode) select id, 'LIVE' from applications where name like 'Shop %'`,
  );
  await sql(
    `insert into webhook_signing_secrets (application_id, mode, sealed, fingerprint)
     select id, 'LIVE', sealed, sha256(sealed::bytea) from jsonb_to_recordset(?::jsonb) as w (id bigint, sealed text)`,
    [JSON.stringify(sealed)],
  );
});
afterAll(() => world.close());

interface Run {
  readonly status: number | null;
  readonly output: string;
}

function secrets(args: readonly string[], masterKey: string): Promise<Run> {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/commands/secrets.ts'), ...args], {
    env: { ...process.env, DATABASE_URL: world.api.databaseUrl, LENDEN_MASTER_KEY: masterKey },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((settle, fail) => {
    child.once('error', fail);
    child.once('close', (status) => settle({ status, output }));
  });
}

interface Kept extends SealedPlace {
  readonly sealed: string;
}

async function everySecret(): Promise<Kept[]> {
  return world.api.sql<Kept>(
    `select 'webhook_signing_secrets.sealed' as column, application_id || ':' || mode as key, sealed from webhook_signing_secrets
     union all select 'gateway_configurations.store_secret', key::text, store_secret from gateway_configurations
     union all select 'operators.totp_secret', id::text, totp_secret from operators where totp_secret is not null`,
  );
}

async function untilSomebodyWaits(): Promise<void> {
  for (;;) {
    const waiting = await world.api.sql('select 1 from pg_locks where not granted');
    if (waiting.length > 0) {
      return;
    }
    await sleep(20);
  }
}

describe('npm run secrets', () => {
  test('tells under which keys the secrets are, and says it when one is missing', async () => {
    expect(await secrets([], OLD)).toMatchObject({ status: 0, output: expect.stringMatching(/452 signing secrets/) });
    const blind = await secrets(['status'], NEW);
    expect(blind).toMatchObject({ status: 1, output: expect.stringContaining('does not list "old"') });
    expect(blind.output).not.toContain(NEW.slice(4));
  });

  test('says it when another key has the id of the one that sealed', async () => {
    // Otherwise a mixed-up key would be noticed only by a payer, or when webhooks fail.
    const other = `old:${NEW.slice(NEW.indexOf(':') + 1)}`;
    const mixedUp = await secrets(['status'], other);
    expect(mixedUp).toMatchObject({ status: 1, output: expect.stringContaining('lists a different key as "old"') });
  });

  test('changes nothing where it cannot open what it finds', async () => {
    const before = await everySecret();
    const run = await secrets(['rotate'], NEW);
    expect(run).toMatchObject({ status: 1, output: expect.stringContaining('key id "old"') });
    expect(await everySecret()).toEqual(before);
  });

  test('brings every secret of every kind under the new key, retired stores too', async () => {
    const run = await secrets(['rotate'], `${NEW},${OLD}`);
    expect(run).toMatchObject({ status: 0, output: expect.stringContaining('"old" any more: you can remove it') });
    const alone = createSecretBox(NEW);
    const opened = (await everySecret()).map(({ sealed, ...place }) => alone.open(sealed, place));
    expect(opened).toHaveLength(SHOPS + 5);
    expect(new Set(opened)).toEqual(
      new Set(['signing', 'former signing', 'store', 'retired store', 'second factor', 'one of many']),
    );
    expect(await secrets(['status'], NEW)).toMatchObject({ status: 0 });
    expect(await secrets(['rotate', '--json'], NEW)).toMatchObject({ output: expect.stringContaining('"changed":0') });
    const [entry] = await world.api.sql<{ actor: string; details: unknown }>(
      `select actor, details from audit_logs where action = 'master-key.rotated' order by id limit 1`,
    );
    expect(entry).toEqual({ actor: 'npm run secrets', details: { after: { secrets: SHOPS + 5 } } });
  });

  test('leaves a secret that is changed under its hands as the change wrote it', async () => {
    // A rotation that wrote back the value that it had read would undo an operator's change.
    const box = createSecretBox(`${OLD},${NEW}`);
    const meanwhile = box.seal('rotated meanwhile', signingSecretPlace({ applicationId: 0n, mode: 'LIVE' }));
    let rotation: Promise<number> | undefined;
    await world.database.withSystem(async (em) => {
      await em.execute(
        `update webhook_signing_secrets set sealed = ? where application_id = (select max(id) from applications)`,
        [meanwhile],
      );
      rotation = resealAll(world.database, box);
      await untilSomebodyWaits();
    });
    await rotation;
    const [row] = await world.api.sql<{ sealed: string }>(
      'select sealed from webhook_signing_secrets where application_id = (select max(id) from applications)',
    );
    expect(row?.sealed).toBe(meanwhile);
  });

  test('makes a key that works, and knows what it does not understand', async () => {
    const made = await secrets(['new-key'], OLD);
    expect(made.status).toBe(0);
    const box = createSecretBox(made.output.trim());
    const place = signingSecretPlace({ applicationId: 1n, mode: 'LIVE' });
    expect(box.open(box.seal('x', place), place)).toBe('x');
    expect((await secrets(['rotat'], OLD)).status).toBe(2);
    expect((await secrets(['status', '--nope'], OLD)).status).toBe(2);
  });
});
