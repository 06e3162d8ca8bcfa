import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createMailer, type Mail, type Mailer, type MailerTimeouts } from '../../../runtime/mailer.ts';
import { readSender, readSmtpUrl } from '../../../runtime/mail/settings.ts';
import { makeCertificate, startScriptedServer, type Script, type ScriptedServer } from './scripted-server.ts';

const MAIL: Mail = {
  to: 'jane@shop.example',
  subject: 'Subject',
  text: 'Text',
  html: '<p>HTML</p>',
  messageId: 'one',
  language: 'en',
};
/** Short timeouts for servers that never finish. Other servers get enough time. */
const SHORT: MailerTimeouts = { connect: 1_000, greeting: 500, silence: 700, total: 1_500 };
const PATIENT: MailerTimeouts = { connect: 60_000, greeting: 60_000, silence: 60_000, total: 60_000 };
const CERTIFICATE = makeCertificate();

const servers: ScriptedServer[] = [];
const mailers: Mailer[] = [];

afterEach(async () => {
  mailers.splice(0).forEach((mailer) => mailer.close());
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(script: Script, tls: Parameters<typeof startScriptedServer>[1] = {}): Promise<ScriptedServer> {
  const server = await startScriptedServer(script, tls);
  servers.push(server);
  return server;
}

function mailerFor(url: string, timeouts = PATIENT): Mailer {
  const mailer = createMailer({ server: readSmtpUrl(url), from: readSender('a@padma.example') }, timeouts);
  mailers.push(mailer);
  return mailer;
}

describe('a mail server that', () => {
  const refusals: readonly (readonly [string, Script, string, string])[] = [
    ['greets with 554', { connect: '554 secret words' }, 'unavailable', 'bad-answer'],
    ['greets with 421', { connect: '421 secret words' }, 'unavailable', 'busy'],
    ['speaks no SMTP', { connect: 'SSH-2.0-secret' }, 'unavailable', 'bad-answer'],
    ['knows neither EHLO nor HELO', { EHLO: '500 secret', HELO: '500 secret' }, 'unavailable', 'bad-answer'],
    ['refuses the sender', { MAIL: '550 secret words' }, 'unavailable', 'sender-refused'],
    ['refuses the size', { MAIL: '552 secret words' }, 'refused', 'message-too-large'],
    ['wants a login', { MAIL: '530 secret words' }, 'unavailable', 'login-refused'],
    ['is lost in the conversation', { MAIL: '503 secret words' }, 'unavailable', 'bad-answer'],
    ['has no such recipient', { RCPT: '550 5.1.1 <jane@shop.example> secret' }, 'refused', 'recipient-refused'],
    ['puts the recipient off', { RCPT: '450 4.2.0 secret' }, 'unavailable', 'busy'],
    ['goes down at RCPT', { RCPT: '421 secret' }, 'unavailable', 'busy'],
    ['refuses DATA', { DATA: '554 secret' }, 'refused', 'message-refused'],
    ['refuses the message', { message: '550 secret' }, 'refused', 'message-refused'],
    ['is full', { message: '452 secret' }, 'unavailable', 'busy'],
    ['finds the message too large', { message: '552 secret' }, 'refused', 'message-too-large'],
    ['hangs up before the greeting', { connect: (socket) => socket.end() }, 'unavailable', 'no-connection'],
    ['hangs up within the data', { DATA: (socket) => socket.end('354 go\r\n') }, 'unavailable', 'no-connection'],
    ['resets within the data', { DATA: (socket) => socket.resetAndDestroy() }, 'unavailable', 'no-connection'],
    ['never greets', { connect: () => undefined }, 'unavailable', 'timeout'],
    ['falls silent', { RCPT: () => undefined }, 'unavailable', 'timeout'],
    ['never confirms', { message: () => undefined }, 'unavailable', 'timeout'],
    ['never ends its greeting', { connect: trickle('220-more\r\n') }, 'unavailable', 'timeout'],
    ['never ends its answer', { RCPT: trickle('250-more\r\n') }, 'unavailable', 'timeout'],
    ['never ends its line', { connect: (socket) => socket.write('2'.repeat(200_000)) }, 'unavailable', 'bad-answer'],
  ];

  test.each(refusals)('%s ends a mail as it should', async (_name, script, kind, code) => {
    // Otherwise the outbox would hang or drop emails that could still be sent, or text of the mail server would be passed on.
    const server = await serve(script);
    const mailer = mailerFor(`smtp://127.0.0.1:${server.port}`, code === 'timeout' ? SHORT : PATIENT);
    expect(await mailer.send(MAIL)).toEqual({ kind, code });
    expect(server.connections.total).toBe(1);
  });

  test('is not there is tried again later', async () => {
    // Otherwise a payer would lose a reminder because the mail server restarts or its name does not resolve for a while.
    const server = await serve({});
    await server.close();
    const [gone, unknown] = [`smtp://127.0.0.1:${server.port}`, 'smtp://mail.nowhere.invalid'].map((url) =>
      mailerFor(url),
    );
    expect(await gone?.send(MAIL)).toEqual({ kind: 'unavailable', code: 'no-connection' });
    expect(await unknown?.send(MAIL)).toMatchObject({ kind: 'unavailable' });
  });

  test('holds every connection lets the mails that wait time out too', async () => {
    // Otherwise the worker's activities would wait too long. The time limit starts with the call, not when a connection is free.
    const server = await serve({ RCPT: trickle('250-more\r\n') });
    const mailer = mailerFor(`smtp://127.0.0.1:${server.port}`, SHORT);
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => mailer.send(MAIL)));
    expect(outcomes.map((outcome) => JSON.stringify(outcome))).toEqual(
      Array(8).fill('{"kind":"unavailable","code":"timeout"}'),
    );
    expect(server.connections.mostOpen).toBeLessThanOrEqual(3);
  });

  test('is well gets many mails over few connections', async () => {
    // Otherwise the mail server would get one connection per email.
    const server = await serve({});
    const mailer = mailerFor(`smtp://127.0.0.1:${server.port}`);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => mailer.send(MAIL)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(20).fill('sent'));
    expect(server.commands.filter((command) => command.startsWith('message'))).toHaveLength(20);
    expect([server.connections.total, server.connections.mostOpen]).toEqual([3, 3]);
  });

  test('drops one mail costs no other its delivery, and the mail is not sent again by itself', async () => {
    // Otherwise customers would get duplicate emails.
    let first = true;
    const server = await serve({
      message: (socket) => {
        if (first) {
          first = false;
          socket.destroy();
        } else {
          socket.write('250 kept\r\n');
        }
      },
    });
    const mailer = mailerFor(`smtp://127.0.0.1:${server.port}`);
    expect(await mailer.send(MAIL)).toEqual({ kind: 'unavailable', code: 'no-connection' });
    expect(await mailer.send({ ...MAIL, messageId: 'two' })).toEqual({ kind: 'sent' });
    expect(server.commands.filter((command) => command.startsWith('message'))).toHaveLength(2);
  });
});

describe('a mail that cannot be one', () => {
  test.each<Partial<Mail>>([
    { subject: 'A\rB' },
    { subject: 'A\nB' },
    { subject: 'A\0B' },
    { subject: 'A\u2028B' },
    { subject: 'A\ud800B' },
    { subject: ' ' },
    { subject: 'x'.repeat(301) },
    { text: '' },
    { text: '\udc00' },
    { html: '' },
    { html: 'x'.repeat(200_001) },
    { messageId: '' },
    { messageId: '.a' },
    { messageId: 'a..b' },
    { messageId: 'a.' },
    { messageId: 'a@b' },
    { messageId: 'a>\r\nBcc: eve@evil.example' },
    { messageId: 'x'.repeat(101) },
    { language: '' },
    { language: 'bn\r\nBcc: eve@evil.example' },
  ])('is refused before anything is sent: %j', async (wrong) => {
    // Otherwise callers could inject headers. A caller's mistake must be reported, not corrected.
    const server = await serve({});
    const outcome = await mailerFor(`smtp://127.0.0.1:${server.port}`).send({ ...MAIL, ...wrong });
    expect([outcome, server.connections.total]).toEqual([{ kind: 'refused', code: 'bad-message' }, 0]);
  });

  test('is refused for its address too', async () => {
    // Otherwise a recipient's address could inject SMTP commands.
    const server = await serve({});
    const to = 'jane@shop.example>\r\nRCPT TO:<eve@evil.example';
    const outcome = await mailerFor(`smtp://127.0.0.1:${server.port}`).send({ ...MAIL, to });
    expect([outcome, server.connections.total]).toEqual([{ kind: 'refused', code: 'bad-address' }, 0]);
  });
});

describe('a password', () => {
  const withLogin = (port: number): string => `smtp://user:canary@127.0.0.1:${port}`;

  test('is sent where the server offers a login', async () => {
    // Otherwise the server would refuse emails from a client without a login.
    const server = await serve({ EHLO: '250-hello\r\n250 AUTH PLAIN', AUTH: '235 welcome' });
    expect(await mailerFor(withLogin(server.port)).send(MAIL)).toEqual({ kind: 'sent' });
    const token = Buffer.from('\0user\0canary').toString('base64');
    expect(server.commands[1]).toBe(`AUTH PLAIN ${token}`);
  });

  test.each(['535 no', '454 later', '530 no', '501 no'])('that is answered with %s sends no mail', async (answer) => {
    // Otherwise reminders would be lost while an operator corrects the login settings.
    const server = await serve({ EHLO: '250-hello\r\n250 AUTH PLAIN', AUTH: answer });
    expect(await mailerFor(withLogin(server.port)).send(MAIL)).toEqual({ kind: 'unavailable', code: 'login-refused' });
    expect(server.commands.some((command) => command.startsWith('MAIL'))).toBe(false);
  });

  test('is not left out where no login is offered', async () => {
    // Otherwise the email would be sent without the login that the settings require.
    const server = await serve({});
    expect(await mailerFor(withLogin(server.port)).send(MAIL)).toMatchObject({ kind: 'unavailable' });
    expect(server.commands.some((command) => command.startsWith('MAIL'))).toBe(false);
  });
});

describe('TLS', () => {
  const required = (port: number): string => `smtp://user:canary@127.0.0.1:${port}?tls=required`;
  const offered = { EHLO: '250-hello\r\n250-STARTTLS\r\n250 AUTH PLAIN', AUTH: '235 welcome', STARTTLS: '220 go' };

  test.each<[string, Script]>([
    ['not offered', { EHLO: '250-hello\r\n250 AUTH PLAIN', AUTH: '235 welcome' }],
    ['refused', { ...offered, STARTTLS: '454 not now' }],
    ['broken off', { ...offered, STARTTLS: (socket) => socket.end('220 go\r\n') }],
    ['answered with plain words', { ...offered, STARTTLS: (socket) => socket.write('220 go\r\n250 welcome\r\n') }],
  ])('that is %s sends neither the password nor the mail', async (_name, script) => {
    // Otherwise an attacker on the network could read the password and the email.
    const server = await serve(script);
    const outcome = await mailerFor(required(server.port), SHORT).send(MAIL);
    expect(outcome.kind).toBe('unavailable');
    expect(server.commands.filter((command) => /^(AUTH|MAIL)/.test(command))).toEqual([]);
  });

  test.each([
    ['STARTTLS', false],
    ['TLS from the first byte', true],
  ])('with a certificate that nobody vouches for is not TLS (%s)', async (_name, implicit) => {
    // Otherwise an attacker's server could pretend to be ours.
    const server = await serve(offered, { certificate: CERTIFICATE, implicit });
    const url = implicit ? `smtps://user:canary@127.0.0.1:${server.port}` : required(server.port);
    expect(await mailerFor(url).send(MAIL)).toEqual({ kind: 'unavailable', code: 'no-tls' });
    expect(server.commands.filter((command) => /^(AUTH|MAIL)/.test(command))).toEqual([]);
  });

  test('from the first byte is not spoken to a server without it', async () => {
    // Otherwise the mailer would fall back to an unencrypted connection.
    const server = await serve({});
    const outcome = await mailerFor(`smtps://127.0.0.1:${server.port}`).send(MAIL);
    expect(outcome).toEqual({ kind: 'unavailable', code: 'no-tls' });
  });

  test('that is optional is left out only where it is not offered', async () => {
    // Otherwise the mailer would never use TLS with `tls=optional`.
    const [plain, encrypted] = [await serve({}), await serve(offered, { certificate: CERTIFICATE })];
    const optional = (port: number): Mailer => mailerFor(`smtp://127.0.0.1:${port}?tls=optional`);
    expect(await optional(plain.port).send(MAIL)).toEqual({ kind: 'sent' });
    expect(await optional(encrypted.port).send(MAIL)).toEqual({ kind: 'unavailable', code: 'no-tls' });
  });

  test.each([false, true])(
    'with a certificate that the system trusts carries the mail (from the first byte: %j)',
    async (implicit) => {
      // A mailer that never sends would pass the tests above.
      const server = await serve(offered, { certificate: CERTIFICATE, implicit });
      const directory = await mkdtemp(join(tmpdir(), 'lenden-mail-ca-'));
      const authority = join(directory, 'ca.pem');
      await writeFile(authority, CERTIFICATE.cert);
      const url = implicit ? `smtps://user:canary@127.0.0.1:${server.port}` : required(server.port);
      const program = `
      const { createMailer } = await import(${JSON.stringify(new URL('../../../runtime/mailer.ts', import.meta.url).href)});
      const { readSender, readSmtpUrl } = await import(${JSON.stringify(new URL('../../../runtime/mail/settings.ts', import.meta.url).href)});
      const mailer = createMailer({ server: readSmtpUrl(${JSON.stringify(url)}), from: readSender('a@padma.example') });
      console.log(JSON.stringify(await mailer.send(${JSON.stringify(MAIL)})));
      mailer.close();`;
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', program],
        { env: { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: authority }, timeout: 60_000 },
      );
      await rm(directory, { recursive: true });
      expect([JSON.parse(stdout), stderr]).toEqual([{ kind: 'sent' }, '']);
      expect(server.commands.filter((command) => command.startsWith('message'))).toHaveLength(1);
    },
  );
});

/** Returns a script that sends the line again and again, so the connection is never silent for long. */
function trickle(line: string): Extract<Script[string], (...given: never) => unknown> {
  return (socket) => {
    const timer = setInterval(() => socket.write(line), 20);
    socket.on('close', () => clearInterval(timer));
  };
}
