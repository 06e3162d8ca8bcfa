import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase, type Database } from '../../database/connection.ts';
import { GatewayTokens } from '../../core/gateways/store/tokens.ts';
import { bkashRows } from './bkash-rows.ts';
import { countSealed } from '../../core/maintenance/store/sealed-secrets.ts';
import { parseAllowList } from '../../domain/outbound-url.ts';
import type { TokenShelf } from '../../gateways/bkash/tokens.ts';
import type { Gateway } from '../../gateways/port.ts';
import { createGatewayRegistry } from '../../gateways/registry.ts';
import { createHttpClient, type HttpClient } from '../../runtime/http-client.ts';
import { gatewayTokenPlace } from '../../runtime/sealed-places.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import { startBkashSimulator } from '../../simulators/bkash/server.ts';
import type { RunningHost } from '../../simulators/kit/host.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { withProcessClock } from '../support/process-clock.ts';
import { HANDLE, json, payment, START_MS, startScriptedBkash, type ScriptedBkash } from './bkash-world.ts';

/* One merchant's token shared by several processes, each with its own connections to the same database. */

const MINUTE_MS = 60_000;
const NOT_STARTED = payment({ paymentCreateTime: '' });
const secrets = createSecretBox(`k1:${Buffer.alloc(32, 7).toString('base64')}`);

let target: TestDatabase;
let databases: readonly Database[];
beforeAll(async () => {
  target = await createTestDatabase();
  databases = await Promise.all([1, 2].map(() => openDatabase({ url: target.url, poolSize: 2 })));
});
afterAll(async () => {
  await Promise.all(databases.map((database) => database.close()));
  await target.drop();
});
beforeEach(() => first().withSystem((em) => em.execute(`update gateway_tokens set account = 'of ' || id || account`)));

function first(): Database {
  const [database] = databases;
  if (database === undefined) {
    throw new Error('no database is open');
  }
  return database;
}

const shelves = (): GatewayTokens[] =>
  databases.map((database) => new GatewayTokens({ transaction: database.withSystem, secrets }));

describe('registries of several processes, at the simulator', () => {
  let simulator: RunningHost;
  let dataDir: string;
  let http: HttpClient;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'bkash-'));
    simulator = await startBkashSimulator({ dataDir });
    http = createHttpClient({ guard: 'none', allow: parseAllowList('') });
  });
  afterAll(async () => {
    await http.close();
    await simulator.close();
    await rm(dataDir, { recursive: true });
  });

  function gatewayOf(bkashTokens: GatewayTokens): Gateway {
    const secret = { password: 'lenden_test@bkash', appKey: 'lenden_test_app', appSecret: 'lenden_test_app_secret' };
    const store = { id: 'lenden_test', secret: JSON.stringify(secret) };
    const bkash = new Map([['TEST' as const, { baseUrl: simulator.url, store }]]);
    const config = { sslcommerz: new Map(), bkash, nagad: new Map(), stripe: new Map() };
    const registry = createGatewayRegistry({
      config,
      http,
      secrets,
      bkashTokens,
      bkashExecutions: bkashRows().executions,
      readManual: () => Promise.resolve(null),
    });
    const gateway = registry.open('bkash', 'TEST', { storeId: store.id, sealedSecret: null });
    if (gateway === undefined) {
      throw new Error('bKash is not in the registry');
    }
    return gateway;
  }

  test('that start at once and start again have one grant between them', async () => {
    // bKash gives two tokens an hour, so a rolling restart of four processes would block the merchant.
    const ask = (shelf: GatewayTokens) =>
      gatewayOf(shelf)
        .queryAttempt({ ...HANDLE, sessionKey: 'TR0011UNKNOWN1765275163828' })
        .then(({ kind }) => kind);
    const answers = await Promise.all([...shelves(), ...shelves()].map(ask));
    for (const shelf of [...shelves(), ...shelves()]) {
      answers.push(await ask(shelf));
    }
    expect(new Set(answers).size).toBe(1);
    const [merchant] = (await (await fetch(`${simulator.url}/__sim/bkash/tokens`)).json()) as { calls: number[] }[];
    expect(merchant?.calls).toHaveLength(1);
  });

  test('keep it sealed, under a key that can be rotated, where no application looks', async () => {
    // Anybody with the token can take payments in the merchant's name.
    const [row] = await first().withSystem((em) =>
      em.execute<{ id: string; account: string; sealed: string }[]>(
        'select id, account, sealed from gateway_tokens where sealed is not null order by id limit 1',
      ),
    );
    expect(row?.sealed).toMatch(/^v1\.k1\./);
    // Each test renames the accounts of earlier ones, but the token is sealed for its original account name.
    const account = row?.account.replace(new RegExp(`^(of ${row.id})+`), '') ?? '';
    expect(secrets.open(row?.sealed ?? '', gatewayTokenPlace(account))).toMatch(/"token":"[^"]{20,}"/);
    expect(() => secrets.open(row?.sealed ?? '', gatewayTokenPlace(row?.account ?? ''))).toThrow();
    expect(await countSealed(first())).toContainEqual(expect.objectContaining({ what: 'gateway tokens', keyId: 'k1' }));
    await expect(
      first().withScope({ applicationId: 1n, mode: 'TEST' }, (statements) =>
        statements.execute('select 1 from gateway_tokens'),
      ),
    ).rejects.toThrow(/permission denied/);
  });
});

describe('two processes, with a clock that moves', () => {
  let bkash: ScriptedBkash;
  beforeAll(async () => {
    bkash = await startScriptedBkash();
  });
  afterAll(() => bkash.close());
  beforeEach(() => bkash.answer({ status: NOT_STARTED }));

  const tokenCalls = () => bkash.calls().filter((name) => name === 'grant' || name === 'refresh');
  /** The database, with its clock moved forward as far as the test's clock. */
  const moving = (shelf: GatewayTokens): TokenShelf => {
    const moved = (readAt: Date): Date => new Date(readAt.getTime() + bkash.state.nowMs - START_MS);
    return {
      async read(account) {
        const { kept, readAt } = await shelf.read(account);
        return { kept, readAt: moved(readAt) };
      },
      async take(account) {
        const taken = await shelf.take(account);
        return (
          taken && {
            kept: taken.kept,
            readAt: moved(taken.readAt),
            write: (kept) => taken.write(kept),
            release: () => taken.release(),
          }
        );
      },
    };
  };
  const processes = (): Gateway[] => shelves().map((shelf) => bkash.process({ shelf: moving(shelf) }));
  const ask = (gateway: Gateway) => gateway.queryAttempt(HANDLE);

  test('renew an expired token once', async () => {
    // Both processes find the token expired at the same moment.
    const both = processes();
    await Promise.all(both.map(ask));
    expect(tokenCalls()).toEqual(['grant']);
    bkash.later(61 * MINUTE_MS);
    await Promise.all(both.map(ask));
    expect(tokenCalls()).toEqual(['grant', 'refresh']);
  });

  test('say that the merchant is blocked, and do not ask again until the hour is over', async () => {
    // Each further call would prolong the block.
    bkash.later(24 * 60 * MINUTE_MS);
    bkash.answer({ grant: json({ message: 'Too Many Requests' }, 429) });
    const [one, other] = processes();
    if (one === undefined || other === undefined) {
      throw new Error('two processes are needed');
    }
    await expect(ask(one)).rejects.toMatchObject({ kind: 'rate-limited' });
    bkash.later(59 * MINUTE_MS);
    await expect(ask(other)).rejects.toMatchObject({
      kind: 'rate-limited',
      message: expect.stringMatching(/next one is available at 20/),
    });
    expect(tokenCalls()).toEqual(['grant']);
    bkash.answer({ status: NOT_STARTED });
    bkash.later(2 * MINUTE_MS);
    expect((await ask(other)).kind).toBe('not-started');
    expect((await ask(one)).kind).toBe('not-started');
    expect(tokenCalls()).toEqual(['grant']);
  });
});

describe.each([-2, 2])('a process whose clock is %d hours off', (hours) => {
  let bkash: ScriptedBkash;
  beforeAll(async () => {
    bkash = await startScriptedBkash();
  });
  afterAll(() => bkash.close());

  const tokenCalls = () => bkash.calls().filter((name) => name === 'grant' || name === 'refresh');
  const processes = (): Gateway[] =>
    shelves().map((shelf) => bkash.process({ shelf, elapsedMs: () => performance.now() }));
  const off = (gateway: Gateway | undefined) =>
    withProcessClock(hours * 60 * MINUTE_MS, async () => gateway?.queryAttempt(HANDLE));

  test('takes the token that another one has, and keeps one for others no longer than it lives', async () => {
    // bKash gives two tokens an hour, so a token that is discarded too early brings the merchant closer to a block.
    bkash.answer({ status: NOT_STARTED });
    const [right, wrong] = processes();
    await right?.queryAttempt(HANDLE);
    await off(wrong);
    const [again, wrongAgain] = processes();
    await off(wrongAgain);
    await again?.queryAttempt(HANDLE);
    expect(tokenCalls()).toEqual(['grant']);
  });

  test('leaves a merchant blocked for the hour that it is, and counts the hour’s calls with the others', async () => {
    // If the hour were too long, payers could not pay. If it were too short, the block would be prolonged.
    bkash.answer({ grant: json({ message: 'Too Many Requests' }, 429) });
    const [right, wrong] = processes();
    await expect(off(wrong)).rejects.toMatchObject({ kind: 'rate-limited' });
    const failure = await right?.queryAttempt(HANDLE).catch((error: unknown) => error);
    const until = /is available at (\S+)$/.exec(failure instanceof Error ? failure.message : '')?.[1] ?? '';
    const minutes = (Date.parse(until) - Date.now()) / MINUTE_MS;
    expect(minutes).toBeGreaterThan(55);
    expect(minutes).toBeLessThanOrEqual(60);
    expect(tokenCalls()).toHaveLength(1);
  });
});

test('a token that its taker died with can be taken again, and no longer be written by him', async () => {
  // Only half a minute is lost, and later writes of the dead process have no effect.
  const [one, other] = shelves();
  const lost = await one?.take('lost');
  await lost?.write('by the first');
  expect(await other?.take('lost')).toBeNull();
  await first().withSystem((em) =>
    em.execute(`update gateway_tokens set taken_until = now() - interval '1 second' where account = 'lost'`),
  );
  const found = await other?.take('lost');
  expect(found?.kept).toBe('by the first');
  await expect(lost?.write('too late')).rejects.toThrow(/another process/);
  await lost?.release();
  expect(await one?.take('lost')).toBeNull();
  await found?.release();
  expect(await one?.read('lost')).toMatchObject({ kept: 'by the first' });
});
