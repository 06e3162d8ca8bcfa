import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { UPDATE_KINDS } from '../../../domain/updates.ts';
import { call } from '../contract-client.ts';
import { until } from '../../support/until.ts';
import { bearer, openOperatorWorld, type OperatorWorld } from './operator-world.ts';

const Data = z.object({ kind: z.enum(UPDATE_KINDS), id: z.string(), mode: z.string().nullable() });

interface Stream {
  readonly status: number;
  readonly type: string | null;
  /** Each update as `kind id mode`. */
  readonly updates: readonly string[];
  readonly unknown: () => number;
  readonly ended: Promise<void>;
  close(): void;
}

let world: OperatorWorld;
let first: Registration;
let second: Registration;
const tokens = new Map<string, string>();

beforeAll(async () => {
  world = await openOperatorWorld();
  first = await world.api.register({ name: 'First' });
  second = await world.api.register({ name: 'Second' });
  await world.api.sql(`insert into roles (name, permissions) values ('Refunds', '{refund:read}')`);
  await addPerson('owner@example.com', 'Super Admin');
  await addPerson('of-second@example.com', 'Super Admin', second.applicationId);
  await addPerson('refunds@example.com', 'Refunds');
});
afterAll(() => world.close());

async function addPerson(email: string, role: string, applicationId: bigint | null = null): Promise<void> {
  await world.addOperator({ email, role, applicationId });
  tokens.set(email, await world.logIn(email));
}

/** Opens a stream and waits until it tells what is written from now on. */
async function follow(email: string, { seconds = 60, origin = world.origin } = {}): Promise<Stream> {
  const closing = new AbortController();
  const response = await fetch(`${origin}/api/v1/admin/updates?seconds=${seconds}`, {
    headers: bearer(tokens.get(email) ?? ''),
    signal: closing.signal,
  });
  const updates: string[] = [];
  let unknown = 0;
  const read = async (): Promise<void> => {
    let text = '';
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += piece;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string]));
        if (fields.get('event') === 'update') {
          const { kind, id, mode } = Data.parse(JSON.parse(fields.get('data') ?? ''));
          updates.push(`${kind} ${id} ${mode}`);
        }
        unknown += fields.get('event') === 'unknown' ? 1 : 0;
      }
    }
  };
  const ended = read().catch((error: unknown) => {
    if (!closing.signal.aborted) {
      throw error;
    }
  });
  // The first comes at once, the second when the rows that are there have been passed over.
  await until(() => unknown >= 2);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    updates,
    unknown: () => unknown,
    ended,
    close: () => closing.abort(),
  };
}

async function pay(shop: Registration): Promise<string> {
  const { data } = await call({
    origin: world.origin,
    method: 'POST',
    path: '/payments',
    credentials: shop.test,
    body: { amountMinor: 10_000, customerReference: 'c' },
  });
  return String(data['id']);
}

const told = (stream: Stream, update: string): Promise<true> => until(() => stream.updates.includes(update));

describe('updates', () => {
  test('are server-sent events that contain ids alone', async () => {
    const stream = await follow('owner@example.com');
    const id = await pay(first);
    await told(stream, `payments ${id} TEST`);
    expect(stream).toMatchObject({ status: 200, type: 'text/event-stream; charset=utf-8' });
    stream.close();
  });

  test('tell of what people do', async () => {
    const payment = await world.api.paidPayment(first);
    const stream = await follow('owner@example.com');
    await world.api.sql(
      `insert into audit_logs (actor_type, actor, action, target_type, target_id, application_id, mode)
       values ('SYSTEM', 'test', 'payment.reviewed', 'payment', ?, ?, 'TEST')`,
      [String(payment.id), first.applicationId],
    );
    await told(stream, `payments ${payment.id} TEST`);
    stream.close();
  });

  test('tell a person of one application nothing of another', async () => {
    const stream = await follow('of-second@example.com');
    const hidden = await pay(first);
    const seen = await pay(second);
    await told(stream, `payments ${seen} TEST`);
    expect(stream.updates).not.toContain(`payments ${hidden} TEST`);
    stream.close();
  });

  test('tell a person nothing of a list that they may not read', async () => {
    const payment = await world.api.paidPayment(first);
    const stream = await follow('refunds@example.com');
    const [row] = await world.api.sql<{ id: string }>(
      `insert into refunds (reference, application_id, mode, payment_id, gateway, store_id, gateway_txn_id, amount_minor, currency, created_by_type, status)
       select 'ref_' || lpad('7', 22, '0'), application_id, mode, id, gateway, 's', 't', 100, 'BDT', 'APP', 'AWAITING_APPROVAL'
       from payments where id = ?::bigint returning id`,
      [payment.id],
    );
    await told(stream, `refunds ${row?.id} TEST`);
    expect(stream.updates.filter((update) => !update.startsWith('refunds '))).toEqual([]);
    stream.close();
  });

  test('tell of a row that commits after one with a higher id', async () => {
    const stream = await follow('owner@example.com');
    const client = new pg.Client({ connectionString: world.api.databaseUrl });
    await client.connect();
    await client.query('begin');
    const { rows } = await client.query<{ id: string }>(
      `insert into audit_logs (actor_type, actor, action, target_type, target_id, application_id, mode)
       values ('SYSTEM', 'test', 'refund.approved', 'refund', '4711', $1, 'TEST') returning id`,
      [first.applicationId],
    );
    const [later] = await world.api.sql<{ id: string }>(
      `insert into audit_logs (actor_type, actor, action, target_type, target_id, application_id, mode)
       values ('SYSTEM', 'test', 'refund.approved', 'refund', '4712', ?, 'TEST') returning id`,
      [first.applicationId],
    );
    expect(BigInt(later?.id ?? 0)).toBeGreaterThan(BigInt(rows[0]?.id ?? 0));
    await told(stream, 'refunds 4712 TEST');
    await client.query('commit');
    await client.end();
    await told(stream, 'refunds 4711 TEST');
    // Nothing is told twice, although rows are read again.
    expect(stream.updates.filter((update) => update === 'refunds 4712 TEST')).toHaveLength(1);
    stream.close();
  });

  test('are not told row by row in a flood', async () => {
    const stream = await follow('owner@example.com');
    const before = stream.unknown();
    await world.api.sql(
      `insert into audit_logs (actor_type, actor, action, target_type, target_id, application_id, mode)
       select 'SYSTEM', 'test', 'refund.approved', 'refund', n::text, ?, 'TEST' from generate_series(1, 1500) n`,
      [first.applicationId],
    );
    await until(() => stream.unknown() > before);
    expect(stream.updates.length).toBeLessThan(1_000);
    const id = await pay(first);
    await told(stream, `payments ${id} TEST`);
    stream.close();
  });

  test('end after the seconds that were asked for, so that a session that has ended is noticed', async () => {
    const stream = await follow('owner@example.com', { seconds: 3 });
    await stream.ended;
    await world.api.sql(`update operator_sessions set ended_at = now(), ended_reason = 'ended' where operator_id in
      (select id from operators where email = 'refunds@example.com')`);
    const { status } = await world.send({
      path: '/admin/updates?seconds=1',
      headers: bearer(tokens.get('refunds@example.com') ?? ''),
    });
    expect(status).toBe(401);
  });
});
