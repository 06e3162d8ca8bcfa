import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { subjectOf, type EventType } from '../../../domain/webhook.ts';
import { until } from '../../support/until.ts';
import { signedHeaders } from '../../../core/contracts/signature.ts';

const RECEIVERS = [
  { language: 'Node', file: 'docs/receivers/node/receiver.mjs', run: (path: string) => [process.execPath, path] },
  {
    language: 'PHP',
    file: 'docs/receivers/php/receiver.php',
    run: (path: string, port: number) => ['php', '-S', `127.0.0.1:${port}`, path],
  },
  { language: 'Python', file: 'docs/receivers/python/receiver.py', run: (path: string) => ['python3', path] },
];

const secret = `whsec_${randomBytes(32).toString('base64')}`;
const directory = mkdtempSync(join(tmpdir(), 'lenden-receivers-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface SampleEvent {
  readonly id: string;
  readonly sequence: number;
  readonly type?: EventType;
  readonly payment?: number;
  readonly invoice?: number;
  readonly refund?: number;
  readonly mode?: 'TEST' | 'LIVE';
}

const bodyOf = ({ id, sequence, payment = 1, invoice, refund, mode = 'LIVE', ...given }: SampleEvent): Buffer => {
  const told =
    invoice === undefined ? (refund === undefined ? 'payment.succeeded' : 'refund.succeeded') : 'invoice.issued';
  const { type = told } = given;
  const data = { id: invoice ?? refund ?? payment, note: 'টাকা 💸' };
  return Buffer.from(JSON.stringify({ id, type, mode, subject: subjectOf(type, data), sequence, data }));
};

describe.each(RECEIVERS)('the $language receiver of the documentation', ({ file, run, language }) => {
  const path = resolve(import.meta.dirname, '../../..', file);
  let child: ChildProcess;
  let port = 0;
  let printed = '';

  beforeAll(async () => {
    port = await freePort();
    const [command = '', ...args] = run(path, port);
    const STATE_FILE = join(directory, `${language}.json`);
    child = spawn(command, args, {
      env: { ...process.env, WEBHOOK_SECRET: secret, PORT: String(port), STATE_FILE },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    }
    const failed = new Promise<never>((_resolve, reject) => {
      child.once('error', (error) => reject(new Error(`${command} cannot be run: install it`, { cause: error })));
    });
    await Promise.race([accepting(port), failed]);
  });
  afterAll(
    () =>
      new Promise<void>((done) => {
        child.once('exit', () => done());
        if (!child.kill('SIGKILL')) {
          done();
        }
      }),
  );

  const post = async (headers: Record<string, string>, body: Buffer): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: new Uint8Array(body) });
    return `${response.status} ${await response.text()}`;
  };
  const send = (event: SampleEvent, { sentAt = new Date(), secrets = [secret] } = {}): Promise<string> => {
    const body = bodyOf(event);
    return post(signedHeaders({ eventId: event.id, sentAt, body, secrets }), body);
  };

  test('is at most 40 lines long', () => {
    // Developers copy this program, so it must be short enough to read.
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  });

  test('ends right when events come twice and out of order', async () => {
    // Events are delivered at least once and in any order. The id and sequence must be enough.
    expect(await send({ id: 'evt_a2', sequence: 2 })).toBe('200 accepted');
    expect(await send({ id: 'evt_a1', sequence: 1 })).toBe('200 stale');
    expect(await send({ id: 'evt_a2', sequence: 2 })).toBe('200 duplicate');
    expect(await send({ id: 'evt_a3', sequence: 3 })).toBe('200 accepted');
    expect(await send({ id: 'evt_b1', sequence: 1, payment: 2 })).toBe('200 accepted');
  });

  test('takes a payment and an invoice of one number for two things', async () => {
    // A shop must not miss `payment.succeeded` because an invoice has the same number.
    expect(await send({ id: 'evt_i1', sequence: 1, invoice: 24 })).toBe('200 accepted');
    expect(await send({ id: 'evt_i2', sequence: 2, invoice: 24 })).toBe('200 accepted');
    expect(await send({ id: 'evt_p1', sequence: 1, payment: 24 })).toBe('200 accepted');
  });

  test('takes the older event of another object, and only that of the same object for a stale one', async () => {
    // The events of a refund and its payment are sent in parallel. An event of one object must not make an event of the other stale.
    const paid = { payment: 31 } as const;
    const refunded = { refund: 10 } as const;
    expect(await send({ id: 'evt_r3', sequence: 3, ...paid, type: 'payment.refunded' })).toBe('200 accepted');
    expect(await send({ id: 'evt_r2', sequence: 2, ...refunded })).toBe('200 accepted');
    expect(await send({ id: 'evt_r1', sequence: 1, ...paid })).toBe('200 stale');
    expect(await send({ id: 'evt_r5', sequence: 5, ...refunded, type: 'refund.failed' })).toBe('200 accepted');
    expect(await send({ id: 'evt_r4', sequence: 4, ...refunded })).toBe('200 stale');
    // A refund and a payment may have the same number.
    expect(await send({ id: 'evt_r6', sequence: 1, payment: 10 })).toBe('200 accepted');
  });

  test('refuses an event of the other mode although it is signed, so that nothing is lost in silence', async () => {
    // A shop must not ship goods for a TEST payment. A receiver that was set up for the wrong mode gets the event again once it is corrected.
    expect(await send({ id: 'evt_m1', sequence: 1, payment: 6, mode: 'TEST' })).toBe('400 wrong mode');
    expect(await send({ id: 'evt_m2', sequence: 1, payment: 6 })).toBe('200 accepted');
  });

  test('prints what it got', async () => {
    // A developer who copies the program wants to see that it works.
    await send({ id: 'evt_w1', sequence: 1, payment: 7 });
    await send({ id: 'evt_w1', sequence: 1, payment: 7 });
    await send({ id: 'evt_w2', sequence: 1, payment: 7, mode: 'TEST' });
    await post({}, bodyOf({ id: 'evt_w3', sequence: 1 }));
    for (const line of [
      'accepted LIVE payment.succeeded payment:7 1 evt_w1',
      'duplicate LIVE payment.succeeded payment:7 1 evt_w1',
      'wrong mode TEST payment.succeeded payment:7 1 evt_w2',
      'bad signature',
    ]) {
      await until(() => printed.includes(line));
    }
    expect(printed).not.toContain('evt_w3');
  });

  test('accepts either secret of a rotation', async () => {
    // During the overlap the header contains a signature under a secret that this receiver does not have.
    const other = `whsec_${randomBytes(32).toString('base64')}`;
    expect(await send({ id: 'evt_c1', sequence: 1, payment: 3 }, { secrets: [other, secret] })).toBe('200 accepted');
    expect(await send({ id: 'evt_c2', sequence: 2, payment: 3 }, { secrets: [other] })).toBe('401 bad signature');
  });

  test.each([
    ['an old timestamp', -301],
    ['a timestamp of the future', 330],
  ])('refuses %s although it is signed', async (_case, seconds) => {
    // A recorded request must not be accepted again later.
    const sentAt = new Date(Date.now() + seconds * 1_000);
    expect(await send({ id: 'evt_d1', sequence: 1, payment: 4 }, { sentAt })).toBe('401 bad signature');
  });

  test('refuses a changed body, id, timestamp or signature', async () => {
    // Only Lenden may tell a shop that it was paid.
    const body = bodyOf({ id: 'evt_e1', sequence: 1, payment: 5 });
    const good = signedHeaders({ eventId: 'evt_e1', sentAt: new Date(), body, secrets: [secret] });
    const forged: [Record<string, string>, Buffer][] = [
      [good, Buffer.from(body.toString().replace('"sequence":1', '"sequence":2'))],
      [{ ...good, 'webhook-id': 'evt_e2' }, body],
      [{ ...good, 'webhook-timestamp': String(Number(good['webhook-timestamp']) + 1) }, body],
      [{ ...good, 'webhook-timestamp': 'now' }, body],
      [{ ...good, 'webhook-signature': 'v1,' }, body],
      [{ ...good, 'webhook-signature': '' }, body],
      [{ ...good, 'webhook-signature': `v2,${good['webhook-signature']?.slice(3)}` }, body],
      [{}, body],
    ];
    for (const [headers, bytes] of forged) {
      expect(await post(headers, bytes)).toBe('401 bad signature');
    }
    expect(await post(good, body)).toBe('200 accepted');
  });
});

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

async function accepting(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const open = await new Promise<boolean>((answer) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        answer(true);
      });
      socket.once('error', () => answer(false));
    });
    if (open) {
      return;
    }
    await new Promise((later) => {
      setTimeout(later, 100);
    });
  }
  throw new Error('the receiver did not start within ten seconds');
}
