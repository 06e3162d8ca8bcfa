import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readConfig } from '../../../runtime/config.ts';
import { readSender, readSmtpUrl } from '../../../runtime/mail/settings.ts';

const LEAST = {
  LENDEN_MASTER_KEY: `key1:${randomBytes(32).toString('base64')}`,
  LENDEN_API_URL: 'https://pay.example',
  LENDEN_WEB_URL: 'https://checkout.example/',
};

describe('the mail settings', () => {
  test('are off unless both are given', () => {
    // Otherwise an operator with half of the settings would believe that reminders are sent.
    expect(readConfig(LEAST).mail).toBeNull();
    expect(readConfig({ ...LEAST, LENDEN_SMTP_URL: '', LENDEN_MAIL_FROM: '' }).mail).toBeNull();
    const half = [{ LENDEN_SMTP_URL: 'smtp://mail.example' }, { LENDEN_MAIL_FROM: 'a@shop.example' }];
    for (const one of half) {
      expect(() => readConfig({ ...LEAST, ...one })).toThrow('LENDEN_SMTP_URL, LENDEN_MAIL_FROM: set both or neither');
    }
  });

  test('are checked at start by name, and never repeated', () => {
    // Otherwise the password in the URL would appear in the log of a failed start.
    const wrong = { LENDEN_SMTP_URL: 'smtp://canary:canary@mail.example/canary', LENDEN_MAIL_FROM: 'canary@canary' };
    const read = (): unknown => readConfig({ ...LEAST, ...wrong });
    expect(read).toThrow(/LENDEN_SMTP_URL: [\s\S]*LENDEN_MAIL_FROM: /);
    expect(read).not.toThrow(/canary/);
  });

  test('come parsed', () => {
    // Otherwise the mailer would get unparsed text.
    const given = {
      LENDEN_SMTP_URL: 'smtps://us%40er:p%3Aw@mail.example',
      LENDEN_MAIL_FROM: 'পদ্মা Books <a@Shop.example>',
    };
    expect(readConfig({ ...LEAST, ...given }).mail).toEqual({
      server: { host: 'mail.example', port: 465, tls: 'implicit', login: { user: 'us@er', password: 'p:w' } },
      from: { name: 'পদ্মা Books', address: 'a@shop.example' },
    });
  });
});

describe('the address of a mail server', () => {
  test.each([
    ['smtp://mail.example', 587, 'required'],
    ['smtp://mail.example:25?tls=required', 25, 'required'],
    ['smtp://mail.example:25/?tls=optional', 25, 'optional'],
    ['smtp://u:p@mail.example', 587, 'required'],
    ['smtps://mail.example', 465, 'implicit'],
    ['smtps://mail.example?tls=required', 465, 'implicit'],
    ['smtp://localhost:1025', 1025, 'none'],
    ['smtp://u:p@127.0.0.1:1025', 1025, 'none'],
    ['smtp://[::1]:1025', 1025, 'none'],
    ['smtp://127.0.0.1:1025?tls=required', 1025, 'required'],
  ] as const)('%s means port %d and TLS %s', (url, port, tls) => {
    // Otherwise emails would cross the network unencrypted by default.
    expect(readSmtpUrl(url)).toMatchObject({ port, tls });
  });

  test.each([
    '',
    'mail.example',
    'http://mail.example',
    'smtp://',
    'smtp://mail%0d%0a.example',
    'smtp://mail_.example',
    'smtp://mail.example/path',
    'smtp://mail.example#x',
    'smtp://mail.example:0',
    'smtp://mail.example:70000',
    'smtp://mail.example?tls=off',
    'smtp://mail.example?tls=required&tls=optional',
    'smtp://mail.example?host=evil.example',
    'smtps://mail.example?tls=optional',
    'smtp://u:p@mail.example?tls=optional',
    'smtp://u@mail.example',
    'smtp://:p@mail.example',
    'smtp://u%0d%0aQUIT:p@mail.example',
    'smtp://u:%ff@mail.example',
  ])('%j is refused without being quoted', (url) => {
    // Otherwise a setting could mean something else than an operator expects.
    const read = (): unknown => readSmtpUrl(url);
    expect(read).toThrow(/^must/);
    expect(read).not.toThrow(/example/);
  });
});

describe('the sender', () => {
  test.each([
    ['a@shop.example', { name: '', address: 'a@shop.example' }],
    ['<a@shop.example>', { name: '', address: 'a@shop.example' }],
    ['  Shop & Sons  <a@shop.example> ', { name: 'Shop & Sons', address: 'a@shop.example' }],
  ])('is read from %j', (text, expected) => {
    // Otherwise operators could not use the usual notations for a sender.
    expect(readSender(text)).toEqual(expected);
  });

  test.each([
    '',
    'Shop',
    'a@shop',
    'Shop <a@shop.example',
    'A <a@b.example> <c@d.example>',
    '"Shop" <a@b.example>',
    'A\nB <a@b.example>',
    '=?utf-8?q?A?= <a@b.example>',
    `${'x'.repeat(101)} <a@b.example>`,
  ])('is not %j', (text) => {
    // Otherwise a setting could inject headers through From.
    expect(() => readSender(text)).toThrow(/^must be an address/);
  });
});
