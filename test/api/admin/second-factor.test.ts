import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  bearer,
  codeOf,
  openOperatorWorld,
  PASSWORD,
  tokenOf,
  type Answer,
  type OperatorWorld,
} from './operator-world.ts';

let world: OperatorWorld;
beforeAll(async () => {
  world = await openOperatorWorld();
});
afterAll(() => world.close());
beforeEach(() => world.api.sql('delete from login_throttles'));

interface Enrolled {
  readonly email: string;
  readonly secret: string;
  readonly token: string;
  readonly recoveryCodes: readonly string[];
}

let people = 0;
/** Creates an operator with a confirmed second factor whose current code is unused. */
async function enrol(): Promise<Enrolled> {
  people += 1;
  const email = `person-${people}@example.com`;
  await world.addOperator({ email });
  const token = await world.logIn(email);
  const setup = await world.send({ method: 'POST', path: '/auth/totp', headers: bearer(token) });
  const { secret } = z
    .object({ secret: z.string(), uri: z.string().startsWith('otpauth://totp/Lenden:') })
    .parse(setup.data);
  const confirmed = await confirm(token, codeOf(secret));
  const { recoveryCodes } = z.object({ recoveryCodes: z.array(z.string()) }).parse(confirmed.data);
  await world.api.sql('update operators set totp_last_step = null where email = ?', [email]);
  return { email, secret, token, recoveryCodes };
}

function confirm(token: string, code: string): Promise<Answer> {
  return world.send({ method: 'POST', path: '/auth/totp/confirm', headers: bearer(token), body: { code } });
}

function logIn(email: string, proof: Record<string, string> = {}): Promise<Answer> {
  return world.send({ method: 'POST', path: '/auth/login', body: { email, password: PASSWORD, ...proof } });
}

describe('a second factor', () => {
  test('is demanded from its first right code on, and ends the sessions that were opened without it', async () => {
    // An incomplete setup must not lock the operator out, and a complete one must leave no session without it.
    await world.addOperator({ email: 'half@example.com' });
    const [here, elsewhere] = [await world.logIn('half@example.com'), await world.logIn('half@example.com')];
    const setup = await world.send({ method: 'POST', path: '/auth/totp', headers: bearer(here) });
    const { secret } = z.object({ secret: z.string() }).parse(setup.data);
    expect((await logIn('half@example.com')).status).toBe(200);
    const wrong = codeOf(secret, { steps: 40n });
    expect(await confirm(here, wrong)).toMatchObject({ status: 400, data: { code: expect.any(String) } });
    expect((await confirm(here, codeOf(secret))).status).toBe(200);
    expect((await world.send({ path: '/auth/me', headers: bearer(elsewhere) })).code).toBe('SESSION_EXPIRED');
    expect((await world.send({ path: '/auth/me', headers: bearer(here) })).status).toBe(200);
    expect(await logIn('half@example.com')).toMatchObject({ status: 401, code: 'SECOND_FACTOR_REQUIRED' });
  });

  test('is not asked for while the password is wrong', async () => {
    // Only a caller who knows the password may learn that there is a second factor.
    const { email } = await enrol();
    const body = { email, password: 'wrong' };
    expect((await world.send({ method: 'POST', path: '/auth/login', body })).code).toBe('INVALID_CREDENTIALS');
  });

  test('takes each code once, also from two requests at the same moment', async () => {
    // A code that somebody else has seen must not work after it was used.
    const { email, secret } = await enrol();
    const code = codeOf(secret);
    const answers = await Promise.all([logIn(email, { code }), logIn(email, { code }), logIn(email, { code })]);
    expect(answers.map(({ code: refusal }) => refusal ?? 'in').sort()).toEqual([
      'INVALID_CREDENTIALS',
      'INVALID_CREDENTIALS',
      'in',
    ]);
    expect((await logIn(email, { code: codeOf(secret, { steps: -1n }) })).code).toBe('INVALID_CREDENTIALS');
  });

  test("takes the codes of the steps around now, and nobody else's", async () => {
    // Clocks differ by seconds, and another operator's code must not work.
    const [one, other] = [await enrol(), await enrol()];
    const far = [codeOf(one.secret, { steps: -3n }), codeOf(one.secret, { steps: 3n }), codeOf(other.secret)];
    for (const code of far) {
      expect((await logIn(one.email, { code })).code).toBe('INVALID_CREDENTIALS');
    }
    await world.api.sql('delete from login_throttles');
    expect((await logIn(one.email, { code: codeOf(one.secret, { steps: 1n }) })).status).toBe(200);
  });

  test('cannot be guessed by leaving it out in between', async () => {
    // A correct password without a code must not restore the attempts that wrong codes have used.
    const { email, secret } = await enrol();
    const wrong = codeOf(secret, { steps: 50n });
    const statuses = [];
    for (let guess = 0; guess < 5; guess += 1) {
      statuses.push((await logIn(email, { code: wrong })).status);
      expect((await logIn(email)).code).toBe('SECOND_FACTOR_REQUIRED');
    }
    statuses.push((await logIn(email, { code: wrong })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 401]);
    expect(await world.drawOutWaits()).toBeGreaterThan(0);
    expect((await logIn(email, { code: codeOf(secret) })).status).toBe(429);
  });

  test('is demanded at re-authentication, too', async () => {
    // The step-up needs everything that the login needs.
    const { token, secret } = await enrol();
    const reauth = (proof: Record<string, string>) =>
      world.send({
        method: 'POST',
        path: '/auth/reauth',
        headers: bearer(token),
        body: { password: PASSWORD, ...proof },
      });
    expect((await reauth({})).code).toBe('SECOND_FACTOR_REQUIRED');
    expect((await reauth({ code: codeOf(secret, { steps: 9n }) })).code).toBe('INVALID_CREDENTIALS');
    expect((await reauth({ code: codeOf(secret) })).status).toBe(200);
  });

  test('can be taken away by its owner, who then needs none', async () => {
    // An operator with a new phone first removes the old one.
    const { email, token } = await enrol();
    expect((await world.send({ method: 'DELETE', path: '/auth/totp', headers: bearer(token) })).status).toBe(200);
    expect((await logIn(email)).status).toBe(200);
    const again = await world.send({ method: 'DELETE', path: '/auth/totp', headers: bearer(token) });
    expect(again.code).toBe('INVALID_OPERATION_STATE');
  });

  test('is kept sealed, and set up once', async () => {
    // Otherwise a copy of the database could be used to make codes.
    const { secret, token } = await enrol();
    const rows = await world.api.sql<object>('select totp_secret from operators');
    expect(JSON.stringify(rows)).not.toContain(secret);
    const again = await world.send({ method: 'POST', path: '/auth/totp', headers: bearer(token) });
    expect(again.code).toBe('INVALID_OPERATION_STATE');
  });
});

describe('recovery codes', () => {
  test('open the door once each, and are stored only as hashes', async () => {
    // A lost phone must not lock its owner out, and a stolen code must work only once.
    const { email, recoveryCodes } = await enrol();
    expect(new Set(recoveryCodes).size).toBe(10);
    const [recoveryCode = '', second = ''] = recoveryCodes;
    expect((await logIn(email, { recoveryCode })).status).toBe(200);
    expect((await logIn(email, { recoveryCode })).code).toBe('INVALID_CREDENTIALS');
    expect((await logIn(email, { recoveryCode: second })).status).toBe(200);
    const rows = await world.api.sql<object>('select to_jsonb(c) from operator_recovery_codes c');
    expect(JSON.stringify(rows)).not.toContain(recoveryCode);
    // With a fast hash, a thief of the table could try billions of 14-character codes.
    const hashes = await world.api.sql<{ hash: string; salt: string }>(
      `select encode(code_hash, 'hex') as hash, encode(salt, 'hex') as salt from operator_recovery_codes`,
    );
    const quick = recoveryCodes.map((code) => createHash('sha256').update(code).digest('hex'));
    expect(hashes.filter(({ hash }) => quick.includes(hash))).toEqual([]);
    expect(hashes.every(({ salt }) => salt.length === 32)).toBe(true);
  });

  test('are of nobody else', async () => {
    const [one, other] = [await enrol(), await enrol()];
    const answer = await logIn(one.email, { recoveryCode: other.recoveryCodes[0] ?? '' });
    expect(answer.code).toBe('INVALID_CREDENTIALS');
  });
});

test('an installation can demand a second factor of everybody', async () => {
  // Without a second factor, a session can only be used to set one up.
  const { email, secret, token } = await enrol();
  await world.addOperator({ email: 'without@example.com' });
  const without = await world.logIn('without@example.com');
  const users = (with_: string) => world.send({ path: '/admin/users', headers: bearer(with_) });
  const put = (secondFactorRequired: boolean, with_: string) =>
    world.send({ method: 'PUT', path: '/admin/settings', headers: bearer(with_), body: { secondFactorRequired } });
  expect((await put(true, token)).data).toEqual({ secondFactorRequired: true });
  try {
    expect(await users(without)).toMatchObject({ status: 401, code: 'SECOND_FACTOR_REQUIRED' });
    expect((await world.send({ path: '/auth/me', headers: bearer(without) })).status).toBe(200);
    const fresh = tokenOf(await logIn(email, { code: codeOf(secret) }));
    expect((await users(fresh)).status).toBe(200);
    const removal = await world.send({ method: 'DELETE', path: '/auth/totp', headers: bearer(fresh) });
    expect(removal.code).toBe('INVALID_OPERATION_STATE');
  } finally {
    await put(false, token);
  }
  expect((await users(without)).status).toBe(200);
});
