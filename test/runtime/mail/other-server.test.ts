import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createMailer } from '../../../runtime/mailer.ts';
import { readSender, readSmtpUrl } from '../../../runtime/mail/settings.ts';
import { invoiceEmail } from '../../../web/mail/invoice-mail.ts';

interface Judged {
  readonly sender: string;
  readonly recipients: string[];
  readonly names: string[];
  readonly headers: Record<string, string>;
  readonly defects: string[];
  readonly text: string;
  readonly html: string;
}

const NO_SERVER = 'import importlib.util as u, sys; sys.exit(not (u.find_spec("smtpd") or u.find_spec("aiosmtpd")))';
/** Python removed its own server in 3.12. With aiosmtpd it has one again. */
const available = spawnSync('python3', ['-c', NO_SERVER]).status === 0;

let child: ChildProcessWithoutNullStreams | undefined;
let lines: AsyncIterator<string>;
let port = 0;

beforeAll(async () => {
  if (available) {
    child = spawn('python3', [join(import.meta.dirname, 'other-server.py')]);
    lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    ({ port } = (await nextLine()) as { port: number });
  }
});
afterAll(async () => {
  if (child !== undefined) {
    const exited = once(child, 'exit');
    child.stdin.end();
    child.kill();
    await exited;
  }
});

async function nextLine(): Promise<unknown> {
  const { value, done } = await lines.next();
  return done === true ? undefined : JSON.parse(String(value));
}

(available ? test : test.skip).each(['en', 'bn'] as const)(
  'a server and a parser of other makers read the mail as it was rendered (%s)',
  async (language) => {
    // Otherwise customers with other mail software than ours could not read the email.
    const rendered = invoiceEmail({
      kind: 'reminder',
      language,
      mode: 'TEST',
      branding: { companyName: 'পদ্মা =?utf-8?q?x?= "Sons"', contactDetails: '.\n..\nঢাকা', accentColor: '#0b6b4f' },
      number: 'INV-000042',
      amountMinor: 12_345_600n,
      dueMinor: 24_691_200n,
      currency: 'BDT',
      dueDate: '2026-11-21',
      payableUrl: `https://pay.example/pay/${'x'.repeat(120)}?a=1&b=.`,
    });
    const mailer = createMailer({
      server: readSmtpUrl(`smtp://127.0.0.1:${port}`),
      from: readSender('পদ্মা, Books <billing@padma.example>'),
    });
    const mail = { ...rendered, to: 'jane@shop.example', messageId: `other-${language}`, language };
    expect(await mailer.send(mail)).toEqual({ kind: 'sent' });
    mailer.close();
    const { headers, ...judged } = (await nextLine()) as Judged;
    expect(judged).toMatchObject({
      sender: 'billing@padma.example',
      recipients: ['jane@shop.example'],
      defects: [],
    });
    expect(judged.names).toEqual([...new Set(judged.names)]);
    expect(headers).toMatchObject({
      from: '"পদ্মা, Books" <billing@padma.example>',
      to: 'jane@shop.example',
      subject: rendered.subject,
      'message-id': `<other-${language}@padma.example>`,
      'auto-submitted': 'auto-generated',
      'content-language': language,
    });
    expect([judged.text.trimEnd(), judged.html.trimEnd()]).toEqual([rendered.text.trimEnd(), rendered.html.trimEnd()]);
  },
);
