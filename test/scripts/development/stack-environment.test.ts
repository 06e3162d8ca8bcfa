import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readConfig } from '../../../runtime/config.ts';
import { lendenEnvironment, simulatorEnvironment } from '../../../scripts/development/stack-environment.ts';

const MASTER_KEY = `key1:${randomBytes(32).toString('base64')}`;
const PORTS = { api: 1, web: 2, simulators: 3, smtp: 4, postgres: 5, temporal: 6, temporalUi: 7 };
const SERVERS = {
  databaseUrl: 'postgresql://lenden@localhost/lenden',
  temporalAddress: '127.0.0.1:7233',
  temporalNamespace: 'default',
  temporalUi: 'http://localhost:8233',
};

const mailWith = (given: Record<string, string>) =>
  readConfig({ ...lendenEnvironment({ ports: PORTS, servers: SERVERS, masterKey: MASTER_KEY, nagad: {} }, given) })
    .mail;

describe('the mail of a development stack', () => {
  test('goes to the mailbox that is started beside it', () => {
    // Otherwise a real customer could get an email from a developer's machine.
    expect(mailWith({})).toMatchObject({ server: { host: '127.0.0.1', port: 4, tls: 'none', login: null } });
    expect(simulatorEnvironment({ ports: PORTS, data: 'd' }, {})['SIMULATORS_SMTP_PORT']).toBe('4');
  });

  test("goes to the caller's own server, or nowhere, where the caller says so", () => {
    // Otherwise a developer's own setting would be replaced without a message.
    const own = { LENDEN_SMTP_URL: 'smtp://mail.example', LENDEN_MAIL_FROM: 'a@shop.example' };
    expect(mailWith(own)).toMatchObject({ server: { host: 'mail.example' }, from: { address: 'a@shop.example' } });
    expect(mailWith({ LENDEN_SMTP_URL: '' })).toBeNull();
  });
});
