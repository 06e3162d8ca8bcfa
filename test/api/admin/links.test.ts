import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { beginOperatorLinks } from '../../../core/operators/send-links.ts';
import { createLogger } from '../../../runtime/logger.ts';
import type { Mail, Mailer } from '../../../runtime/mailer.ts';
import type { EmailOutcome } from '../../../runtime/mail/outcome.ts';
import { bearer, openOperatorWorld, PASSWORD, type Answer, type OperatorWorld } from './operator-world.ts';

const NEW_PASSWORD = 'four loud geese on a roof';
const ROOT = resolve(import.meta.dirname, '../../..');

let world: OperatorWorld;
let root: string;
let pages: string;
beforeAll(async () => {
  world = await openOperatorWorld();
  await world.addOperator({ email: 'root@example.com' });
  root = await world.logIn('root@example.com');
  pages = await world.api.listen({ pages: true });
});
afterAll(() => world.close());

const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
  world.send({ method, path, headers: bearer(root), ...(body === undefined ? {} : { body }) });
const logIn = (email: string, password: string): Promise<Answer> =>
  world.send({ method: 'POST', path: '/auth/login', body: { email, password } });

let made = 0;
async function invited(): Promise<{ id: number; email: string }> {
  made += 1;
  const body = { email: `invited-${made}@example.com`, name: 'Asha' };
  return ((await send('POST', '/admin/users', body)).data as { operator: { id: number; email: string } }).operator;
}

/** Sends the emails that are due like the worker, with a mail server that answers as given. */
async function mailed(outcome: EmailOutcome = { kind: 'sent' }): Promise<Mail[]> {
  const mails: Mail[] = [];
  const mailer: Mailer = {
    send: async (mail) => {
      mails.push(mail);
      return outcome;
    },
    close: () => undefined,
  };
  const log = createLogger({ service: 'test', level: 'silent' });
  await Promise.all(await beginOperatorLinks({ database: world.database, mailer, webUrl: pages, log }));
  return mails;
}

const linkIn = ({ text }: Pick<Mail, 'text'>): string =>
  /http\S+\/operator-link\/[A-Za-z0-9_-]{43}/.exec(text)?.[0].replace('localhost', '127.0.0.1') ?? '';

function post(link: string, password: string, again = password): Promise<Response> {
  return fetch(link, { method: 'POST', body: new URLSearchParams({ password, again }), redirect: 'manual' });
}

describe('a link', () => {
  test('goes to the mailbox of the operator, sets a password once, and is stored as a hash', async () => {
    // Otherwise somebody other than the owner of the mailbox could learn the link.
    const { email } = await invited();
    const [mail, ...more] = await mailed();
    expect([mail?.to, more]).toEqual([email, []]);
    const link = linkIn(mail ?? { text: '' });
    const token = link.slice(-43);
    const rows = await world.api.sql<{ row: unknown }>(
      `select to_jsonb(l) as row from operator_links l union all select to_jsonb(a) from audit_logs a`,
    );
    expect(JSON.stringify(rows)).not.toContain(token);
    const page = await fetch(link);
    expect([page.status, page.headers.get('cache-control'), page.headers.get('referrer-policy')]).toEqual([
      200,
      'no-store',
      'no-referrer',
    ]);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await page.text()).toContain(email);
    for (const [password, again, problem] of [
      ['short', 'short', 'length'],
      ['password1234', 'password1234', 'common'],
      [NEW_PASSWORD, PASSWORD, 'different'],
    ] as const) {
      const refused = await post(link, password, again);
      expect([refused.status, refused.headers.get('location')]).toEqual([
        303,
        `/operator-link/${token}?problem=${problem}`,
      ]);
      expect(await (await fetch(`${link}?problem=${problem}`)).text()).toContain('role="alert"');
    }
    const answers = await Promise.all([post(link, NEW_PASSWORD), post(link, PASSWORD)]);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([303, 404]);
    expect((await fetch(link)).status).toBe(404);
    const chosen = answers[0]?.status === 303 ? NEW_PASSWORD : PASSWORD;
    expect((await logIn(email, chosen)).data).toMatchObject({ operator: { passwordTemporary: false } });
    expect(await mailed()).toEqual([]);
    expect((await fetch(`${pages}/operator-link/done`)).status).toBe(200);
    expect(world.api.logLines.join('')).not.toContain(token);
  });

  test('gives a lost password back, ends what was open, and only the newest one works', async () => {
    // The former password stays valid until the link is used, so requesting a link locks nobody out.
    const id = await world.addOperator({ email: 'lost@example.com', role: 'Viewer' });
    const session = await world.logIn('lost@example.com');
    expect((await send('POST', `/admin/users/${id}/password-link`)).data).toMatchObject({ passwordLink: 'ON_SERVER' });
    const [first] = await mailed();
    await send('POST', `/admin/users/${id}/password-link`);
    expect((await fetch(linkIn(first ?? { text: '' }))).status).toBe(404);
    const [second] = await mailed();
    expect((await world.send({ path: '/auth/me', headers: bearer(session) })).status).toBe(200);
    expect((await post(linkIn(second ?? { text: '' }), NEW_PASSWORD)).status).toBe(303);
    expect((await world.send({ path: '/auth/me', headers: bearer(session) })).code).toBe('SESSION_EXPIRED');
    expect((await logIn('lost@example.com', PASSWORD)).code).toBe('INVALID_CREDENTIALS');
    expect((await logIn('lost@example.com', NEW_PASSWORD)).status).toBe(200);
  });

  test('is mailed again when the mail server was away, and not when it refused', async () => {
    // The row stays due until the email is sent.
    const { id } = await invited();
    const due = () =>
      world.api.sql<{ due: boolean }>(
        'select email_due_at is not null as due from operator_links where operator_id = ?',
        [id],
      );
    expect(await mailed({ kind: 'unavailable', code: 'timeout' })).toHaveLength(1);
    expect(await due()).toEqual([{ due: true }]);
    expect(await mailed()).toEqual([]);
    await world.api.sql(`update operator_links set email_due_at = now() where operator_id = ?`, [id]);
    const [again] = await mailed({ kind: 'refused', code: 'recipient-refused' });
    expect(await due()).toEqual([{ due: false }]);
    await world.api.sql(`update operator_links set expires_at = now() where operator_id = ?`, [id]);
    expect((await fetch(linkIn(again ?? { text: '' }))).status).toBe(404);
  });

  test('is no disabled operator’s, and names nobody to whom it is not', async () => {
    // Otherwise the answer would reveal which links exist.
    const { id } = await invited();
    const [mail] = await mailed();
    await send('POST', `/admin/users/${id}/disable`);
    const link = linkIn(mail ?? { text: '' });
    expect((await post(link, NEW_PASSWORD)).status).toBe(404);
    expect((await fetch(`${pages}/operator-link/${'x'.repeat(43)}`)).status).toBe(404);
    expect(await send('POST', `/admin/users/${id}/password-link`)).toMatchObject({ status: 409 });
  });

  test('is shown on the command line of the server, where it is written down', async () => {
    // For installations without email. The command needs no second person and writes an audit entry.
    const { email } = await invited();
    const child = spawn(process.execPath, [`${ROOT}/scripts/commands/operator.ts`, 'link', '--email', email], {
      env: { ...process.env, DATABASE_URL: world.api.databaseUrl, LENDEN_WEB_URL: pages },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await new Promise((done) => child.once('close', done));
    expect((await post(linkIn({ text }), NEW_PASSWORD)).status).toBe(303);
    expect((await logIn(email, NEW_PASSWORD)).status).toBe(200);
    const entries = await world.api.sql<{ action: string }>(
      `select action from audit_logs where actor = 'npm run operator' order by id`,
    );
    expect(entries).toEqual([{ action: 'operator.link-shown' }]);
    expect(await mailed()).toEqual([]);
  });
});
