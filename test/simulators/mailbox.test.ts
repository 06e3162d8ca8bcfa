import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'node-html-parser';
import { startMailbox } from '../../simulators/mailbox/server.ts';
import type { RunningMailbox } from '../../simulators/mailbox/server.ts';
import { openMessageStore } from '../../simulators/mailbox/store.ts';
import { xssCorpus } from '../web/xss-corpus.ts';

let dataDir: string;
let mailbox: RunningMailbox;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'mailbox-'));
  mailbox = await startMailbox({ dataDir });
});
afterEach(async () => {
  await mailbox.close();
  await rm(dataDir, { recursive: true });
});

/** Speaks SMTP line by line. Returns the codes of all replies, up to the point where the server closed the connection. */
async function speak(lines: readonly string[]): Promise<string[]> {
  const socket = createConnection({ host: '127.0.0.1', port: mailbox.smtpPort });
  const codes: string[] = [];
  const waiting = [...lines];
  for await (const line of createInterface({ input: socket })) {
    if (line[3] === ' ') {
      codes.push(line.slice(0, 3));
      const next = waiting.shift();
      if (next === undefined) {
        socket.end();
      } else {
        socket.write(`${next}\r\n`);
      }
    }
  }
  return codes;
}

function message({ to = 'payer@shop.example', subject = 'Hello', body = 'Hi' } = {}): string[] {
  const mail = [`Subject: ${subject}`, 'Content-Type: text/html; charset=utf-8', 'Message-ID: <a@b>', '', body, '.'];
  return ['EHLO test', 'MAIL FROM:<billing@lenden.example>', `RCPT TO:<${to}>`, 'DATA', mail.join('\r\n'), 'QUIT'];
}

async function listed(query = ''): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${mailbox.url}/mailbox/messages.json${query}`);
  return (await response.json()) as Record<string, unknown>[];
}

function control(method: string, body?: unknown): Promise<Response> {
  return fetch(`${mailbox.url}/__sim/mailbox/faults`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
}

describe('the development mailbox', () => {
  test('keeps what it answered 250 to, over a restart, newest first', async () => {
    // A test that looks for an email must find it even after a restart of the mailbox.
    expect(await speak(message({ subject: 'One' }))).toEqual(['220', '250', '250', '250', '354', '250', '221']);
    await speak(message({ subject: 'Two', to: 'other@shop.example' }));
    await mailbox.close();
    await writeFile(join(dataDir, 'mailbox', '3.json.part'), '{"n": 3, "ha');
    mailbox = await startMailbox({ dataDir });
    await speak(message({ subject: 'Three' }));
    expect((await listed()).map(({ n, subject }) => [n, subject])).toEqual([
      [3, 'Three'],
      [2, 'Two'],
      [1, 'One'],
    ]);
    expect((await listed('?to=other@shop.example')).map(({ n }) => n)).toEqual([2]);
    expect((await listed('?messageId=<a@b>&limit=1')).map(({ n }) => n)).toEqual([3]);
    expect(await listed('?messageId=<c@d>')).toEqual([]);
  });

  test('holds the newest thousand and no more', async () => {
    // Otherwise a long test run could fill the disk.
    const directory = join(dataDir, 'many');
    const store = await openMessageStore(directory);
    for (let index = 0; index < 1_003; index += 1) {
      await store.add({ at: '', from: '', to: [], subject: String(index), messageId: '', rawBase64: '' });
    }
    expect([store.list().length, store.list()[0]?.n, store.list().at(-1)?.n]).toEqual([1_000, 1_003, 4]);
    expect((await readdir(directory)).length).toBe(1_000);
    expect((await openMessageStore(directory)).list().map(({ n }) => n)).toEqual(store.list().map(({ n }) => n));
  });

  test('refuses a message over its limit and goes on', async () => {
    // Otherwise one email could fill the disk.
    const codes = await speak(message({ body: 'x'.repeat(300_000) }));
    expect(codes.slice(0, 6)).toEqual(['220', '250', '250', '250', '354', '552']);
    expect(await listed()).toEqual([]);
    await speak(message());
    expect(await listed()).toHaveLength(1);
  });

  test.each([
    [{ kind: 'temporary' }, '451', 0],
    [{ kind: 'permanent' }, '550', 0],
    [{ kind: 'close' }, undefined, 0],
    [{ kind: 'temporary', executed: true }, '451', 1],
    [{ kind: 'close', executed: true }, undefined, 1],
  ] as const)('does once what the control API says: %j', async (fault, answer, kept) => {
    // The author of a retry test has to know exactly what the server did.
    expect((await control('POST', fault)).status).toBe(201);
    const codes = await speak(message());
    expect(codes[5]).toBe(answer);
    expect(await listed()).toHaveLength(kept);
    await speak(message());
    expect(await listed()).toHaveLength(kept + 1);
    expect(await (await control('GET')).json()).toEqual([]);
  });

  test('refuses connections and recipients too, as often as asked, until it is told to stop', async () => {
    // A test must be able to make each step of the conversation fail.
    await control('POST', { kind: 'permanent', at: 'recipient', times: 2 });
    await control('POST', { kind: 'temporary', at: 'connect' });
    expect(await speak(message())).toEqual(['451']);
    expect((await speak(message())).slice(0, 4)).toEqual(['220', '250', '250', '550']);
    await control('DELETE');
    expect((await speak(message())).slice(0, 6)).toEqual(['220', '250', '250', '250', '354', '250']);
  });

  test.each([
    {},
    { kind: 'slow' },
    { kind: 'close', at: 'greeting' },
    { kind: 'close', times: 0 },
    { kind: 'close', times: 1.5 },
    { kind: 'close', executed: 'yes' },
    { kind: 'close', at: 'connect', executed: true },
    { kind: 'close', until: 'noon' },
  ])('refuses the fault %j', async (fault) => {
    // Otherwise a mistyped fault would silently have no effect.
    expect((await control('POST', fault)).status).toBe(400);
  });

  test('shows a mail without running or loading anything of it', async () => {
    // The page opens in a developer's browser, on the origin of the simulated gateways.
    const body = xssCorpus.filter((text) => text.isWellFormed() && !text.includes('\0')).join('\r\n');
    await speak(message({ subject: '<script>alert(1)</script>', body }));
    const page = await fetch(`${mailbox.url}/mailbox/1`);
    const root = parse(await page.text());
    expect([root.querySelectorAll('script').length, root.querySelector('h1')?.textContent]).toEqual([
      0,
      '<script>alert(1)</script>',
    ]);
    expect(root.querySelector('iframe')?.getAttribute('sandbox')).toBe('allow-popups allow-popups-to-escape-sandbox');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none';/);
    const frame = await fetch(`${mailbox.url}/mailbox/1/html`);
    expect(frame.headers.get('content-security-policy')).toMatch(
      /^default-src 'none';.*; sandbox allow-popups allow-popups-to-escape-sandbox$/,
    );
    expect(frame.headers.get('content-security-policy')).not.toContain('script');
    const raw = await fetch(`${mailbox.url}/mailbox/1/raw`);
    expect([raw.headers.get('content-type'), raw.headers.get('x-content-type-options')]).toEqual([
      'text/plain; charset=utf-8',
      'nosniff',
    ]);
    const list = parse(await (await fetch(`${mailbox.url}/mailbox`)).text());
    expect([
      list.querySelectorAll('script').length,
      list.querySelectorAll('li a').map((a) => a.getAttribute('href')),
    ]).toEqual([0, ['/mailbox/1']]);
  });

  test.each(['/mailbox/2', '/mailbox/0', '/mailbox/1e3', '/mailbox/1/attachments', '/mailbox/..%2f1'])(
    'has no %s',
    async (path) => {
      // Otherwise a path could read another file.
      await speak(message());
      expect((await fetch(mailbox.url + path)).status).toBe(404);
    },
  );

  test('forgets everything on reset, and counts on', async () => {
    // Otherwise a test could find an email of the test before it.
    await speak(message());
    await control('POST', { kind: 'permanent' });
    await fetch(`${mailbox.url}/__sim/reset`, { method: 'POST' });
    expect(await listed()).toEqual([]);
    await speak(message());
    expect((await listed()).map(({ n }) => n)).toEqual([2]);
  });
});
