import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { createMailer, type Mail, type Mailer } from '../../../runtime/mailer.ts';
import { readSender, readSmtpUrl } from '../../../runtime/mail/settings.ts';
import { startMailbox } from '../../../simulators/mailbox/server.ts';
import type { RunningMailbox } from '../../../simulators/mailbox/server.ts';
import { invoiceEmail } from '../../../web/mail/invoice-mail.ts';

const MAIL: Mail = {
  to: 'jane@shop.example',
  subject: 'Invoice INV-1',
  text: 'Text',
  html: '<p>HTML</p>',
  messageId: 'notice.1',
  language: 'en',
};
const HEADERS = [
  'auto-submitted',
  'content-language',
  'content-type',
  'date',
  'from',
  'message-id',
  'mime-version',
  'subject',
  'to',
];

let dataDir: string;
let mailbox: RunningMailbox;
let mailer: Mailer;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'mailer-'));
  mailbox = await startMailbox({ dataDir });
  const server = readSmtpUrl(`smtp://user:password@127.0.0.1:${mailbox.smtpPort}`);
  mailer = createMailer({ server, from: readSender('পদ্মা Books <billing@padma.example>') });
});
afterAll(async () => {
  mailer.close();
  await mailbox.close();
  await rm(dataDir, { recursive: true });
});

interface Listed {
  readonly n: number;
  readonly from: string;
  readonly to: string[];
  readonly subject: string;
  readonly messageId: string;
  readonly language: string;
  readonly text: string;
  readonly html: string;
}

async function listed(messageId: string): Promise<Listed[]> {
  const query = new URLSearchParams({ messageId: `<${messageId}@padma.example>` });
  return (await (await fetch(`${mailbox.url}/mailbox/messages.json?${query}`)).json()) as Listed[];
}

async function rawOf(n: number): Promise<string> {
  return (await fetch(`${mailbox.url}/mailbox/${n}/raw`)).text();
}

/** Reads header names line by line, as the simplest receiver would. */
function headerNames(raw: string): string[] {
  const [head = ''] = raw.split('\r\n\r\n');
  const lines = head.split(/\r\n|\r|\n/).filter((line) => !/^[ \t]/.test(line));
  return lines.map((line) => line.split(':')[0]?.toLowerCase() ?? '').sort();
}

async function fault(body: Record<string, unknown>): Promise<void> {
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  expect((await fetch(`${mailbox.url}/__sim/mailbox/faults`, request)).status).toBe(201);
}

describe('a mail', () => {
  test.each(['en', 'bn'] as const)('arrives as it was rendered (%s)', async (language) => {
    // Otherwise amounts or the link would be damaged by an encoding.
    const rendered = invoiceEmail({
      kind: 'overdue',
      language,
      mode: 'TEST',
      branding: { companyName: 'পদ্মা & Sons', contactDetails: 'ঢাকা', accentColor: '#0b6b4f' },
      number: 'INV-000042',
      amountMinor: 12_345_600n,
      dueMinor: 24_691_200n,
      currency: 'BDT',
      dueDate: '2026-11-21',
      payableUrl: `https://pay.example/pay/${'x'.repeat(120)}?a=1&b=.`,
    });
    const messageId = `rendered-${language}`;
    expect(await mailer.send({ ...MAIL, ...rendered, language, messageId })).toEqual({ kind: 'sent' });
    const [mail, ...more] = await listed(messageId);
    expect(more).toEqual([]);
    expect(mail).toMatchObject({
      from: 'billing@padma.example',
      to: ['jane@shop.example'],
      subject: rendered.subject,
      language,
    });
    // The parser adds a line end after every part.
    expect(mail?.text.trimEnd()).toBe(rendered.text.trimEnd());
    expect(mail?.html.trim()).toBe(rendered.html.trim());
    const raw = await rawOf(mail?.n ?? 0);
    const parsed = await PostalMime.parse(raw);
    expect(parsed.from).toEqual({ name: 'পদ্মা Books', address: 'billing@padma.example' });
    expect(parsed.to).toEqual([{ name: '', address: 'jane@shop.example' }]);
    expect(raw).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(headerNames(raw)).toEqual(HEADERS);
    expect(Math.abs(Date.parse(parsed.date ?? '') - Date.now())).toBeLessThan(600_000);
    expect(raw.split('\r\n').every((line) => line.length <= 998 && !/[\r\n]/.test(line))).toBe(true);
  });

  test('gets no header and no recipient from any of its fields', async () => {
    // Otherwise a stranger could make us send emails to other recipients, or with other headers.
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 120 }),
      fc.string({ unit: 'grapheme', maxLength: 120 }),
      fc.constantFrom(
        'A\r\nBcc: eve@evil.example',
        'A\nBcc: eve@evil.example',
        'A\r\n\r\nbody',
        '=?utf-8?q?=0D=0ABcc:_eve@evil.example?=',
        '=?utf-8?b?DQpCY2M6IGV2ZUBldmlsLmV4YW1wbGU=?=',
        'x'.repeat(300),
        '\r\n.\r\nMAIL FROM:<eve@evil.example>',
      ),
    );
    const body = fc.oneof(
      line,
      fc.array(line, { maxLength: 20 }).map((lines) => lines.join('\r\n.\r\n')),
    );
    let [sent, refused] = [0, 0];
    const seen = async (): Promise<number> => {
      const all = await fetch(`${mailbox.url}/mailbox/messages.json?limit=1`);
      return ((await all.json()) as Listed[])[0]?.n ?? 0;
    };
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          to: fc.oneof({ weight: 8, arbitrary: fc.constant(MAIL.to) }, { weight: 1, arbitrary: line }),
          subject: line,
          text: body,
          html: body,
          messageId: fc.oneof({ weight: 8, arbitrary: fc.constant('property') }, { weight: 1, arbitrary: line }),
          language: fc.oneof({ weight: 8, arbitrary: fc.constant('bn') }, { weight: 1, arbitrary: line }),
        }),
        async (mail) => {
          const before = await seen();
          const outcome = await mailer.send(mail);
          const n = await seen();
          if (outcome.kind === 'refused') {
            refused += 1;
            expect(n).toBe(before);
            return;
          }
          sent += 1;
          expect([outcome, n]).toEqual([{ kind: 'sent' }, before + 1]);
          const raw = await rawOf(n);
          expect(headerNames(raw)).toEqual(HEADERS);
          const parsed = await PostalMime.parse(raw);
          expect(squeezed(parsed.subject ?? '')).toBe(squeezed(mail.subject));
          expect(parsed.to).toEqual([{ name: '', address: mail.to }]);
          expect(parsed.attachments).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
    expect([sent > 50, refused > 50]).toEqual([true, true]);
  });

  test('has the same Message-ID each time, so that a duplicate is known as one', async () => {
    // A payer gets two emails if the answer to the first attempt was lost. The same Message-ID marks them as duplicates.
    await fault({ kind: 'close', executed: true });
    const mail = { ...MAIL, messageId: 'duplicate' };
    expect(await mailer.send(mail)).toEqual({ kind: 'unavailable', code: 'no-connection' });
    expect(await mailer.send(mail)).toEqual({ kind: 'sent' });
    expect((await listed('duplicate')).map((duplicate) => duplicate.messageId)).toEqual(
      Array(2).fill('<duplicate@padma.example>'),
    );
  });

  test.each([
    [{ kind: 'permanent' }, { kind: 'refused', code: 'message-refused' }],
    [
      { kind: 'permanent', at: 'recipient' },
      { kind: 'refused', code: 'recipient-refused' },
    ],
    [{ kind: 'temporary' }, { kind: 'unavailable', code: 'busy' }],
    [
      { kind: 'temporary', at: 'recipient' },
      { kind: 'unavailable', code: 'busy' },
    ],
    [{ kind: 'close' }, { kind: 'unavailable', code: 'no-connection' }],
  ])('that meets %j ends as %j, and the next one goes', async (given, outcome) => {
    // Otherwise the mailer would give up too early, or retry forever.
    await fault(given);
    expect(await mailer.send({ ...MAIL, messageId: 'faulty' })).toEqual(outcome);
    expect(await mailer.send({ ...MAIL, messageId: 'faulty' })).toEqual({ kind: 'sent' });
  });

  test('over the size that the server announced is refused for good', async () => {
    // Otherwise the outbox would retry an email that can never be sent.
    const html = '<p>অ</p>'.repeat(20_000);
    expect(await mailer.send({ ...MAIL, html, text: html })).toEqual({ kind: 'refused', code: 'message-too-large' });
  });

  test('is not taken after close', async () => {
    // Otherwise a process that ends would accept an email without sending it.
    const server = readSmtpUrl(`smtp://127.0.0.1:${mailbox.smtpPort}`);
    const other = createMailer({ server, from: readSender('a@padma.example') });
    expect(await other.send({ ...MAIL, messageId: 'last' })).toEqual({ kind: 'sent' });
    other.close();
    expect(await other.send(MAIL)).toEqual({ kind: 'unavailable', code: 'closed' });
  });
});

/** Normalizes white space, because folding may change it and trims the ends. */
function squeezed(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
