import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { beginOperatorLinks } from '../../../core/operators/send-links.ts';
import { createLogger } from '../../../runtime/logger.ts';
import type { Mail } from '../../../runtime/mailer.ts';
import { openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let origin: string;
beforeAll(async () => {
  world = await openOperatorWorld();
  origin = await world.api.listen({ sendsEmail: true });
});
afterAll(() => world.close());
beforeEach(() => world.api.sql('delete from login_throttles'));

const ask = (email: string, at = origin): Promise<Answer> =>
  world.send({ method: 'POST', path: '/auth/forgotten-password', body: { email } }, at);

/** Sends the emails that are due like the worker, and returns to whom. */
async function mailed(): Promise<string[]> {
  const mails: Mail[] = [];
  const mailer = {
    send: async (mail: Mail) => {
      mails.push(mail);
      return { kind: 'sent' } as const;
    },
    close: () => undefined,
  };
  const log = createLogger({ service: 'test', level: 'silent' });
  const webUrl = 'http://localhost:3000';
  await Promise.all(await beginOperatorLinks({ database: world.database, mailer, webUrl, log }));
  return mails.map(({ to }) => to);
}

const audited = async (email: string): Promise<string[]> =>
  (
    await world.api.sql<{ action: string }>(
      `select action from audit_logs where actor = ? and action like 'password.link%' order by id`,
      [email],
    )
  ).map(({ action }) => action);

/** Makes every application's refunds need a second person, which guards the permissions that move money. */
async function guard(): Promise<() => Promise<unknown>> {
  const { applicationId } = await world.api.register({ name: 'Guarded' });
  await world.api.sql('update applications set refund_approval_threshold_minor = 5000 where id = ?', [applicationId]);
  return () =>
    world.api.sql('update applications set refund_approval_threshold_minor = null where id = ?', [applicationId]);
}

describe('a forgotten password', () => {
  test('gets a link by email, in whatever case the address is typed', async () => {
    await world.addOperator({ email: 'mira@example.com' });
    expect(await ask('Mira@Example.com')).toMatchObject({ status: 202, data: { passwordLink: 'MAILED' } });
    expect(await mailed()).toEqual(['mira@example.com']);
    expect(await audited('mira@example.com')).toEqual(['password.link-requested']);
  });

  test('tells nobody whether there is such an operator', async () => {
    await world.addOperator({ email: 'known@example.com' });
    await world.addOperator({ email: 'disabled@example.com' });
    await world.api.sql(`update operators set status = 'DISABLED' where email = 'disabled@example.com'`);
    const answers = [];
    for (const email of ['known@example.com', 'nobody@example.com', 'disabled@example.com']) {
      const { status, data, message } = await ask(email);
      answers.push({ status, data, message });
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toHaveProperty('size', 1);
    expect(await mailed()).toEqual(['known@example.com']);
  });

  test('does not replace a link that is younger than a quarter of an hour, so that a stranger cannot keep it from being used', async () => {
    await world.addOperator({ email: 'target@example.com' });
    await ask('target@example.com');
    expect(await mailed()).toHaveLength(1);
    const link = () =>
      world.api.sql<{ hash: string }>(
        `select encode(token_hash, 'hex') as hash from operator_links l join operators o on o.id = l.operator_id where o.email = 'target@example.com'`,
      );
    const before = await link();
    expect((await ask('target@example.com')).status).toBe(202);
    expect(await mailed()).toEqual([]);
    expect(await link()).toEqual(before);
    await world.api.sql(`update operator_links set created_at = created_at - interval '16 minutes'`);
    await ask('target@example.com');
    expect(await mailed()).toEqual(['target@example.com']);
  });

  test('of whoever could move money alone by it gets no link, unless a second factor stays', async () => {
    const unguard = await guard();
    await world.addOperator({ email: 'mover@example.com' });
    await world.addOperator({ email: 'factor@example.com' });
    await world.addOperator({ email: 'reader@example.com', role: 'Viewer' });
    await world.api.sql(
      `update operators set totp_secret = 'x', totp_confirmed_at = now() where email = 'factor@example.com'`,
    );
    for (const email of ['mover@example.com', 'factor@example.com', 'reader@example.com']) {
      expect(await ask(email)).toMatchObject({ status: 202, data: { passwordLink: 'MAILED' } });
    }
    expect((await mailed()).toSorted()).toEqual(['factor@example.com', 'reader@example.com']);
    expect(await audited('mover@example.com')).toEqual(['password.link-refused']);
    await unguard();
  });

  test('is asked for a few times, then with growing pauses, for unknown addresses too', async () => {
    const codes: (string | null)[] = [];
    for (let times = 0; times < 8; times += 1) {
      codes.push((await ask('flooded@example.com')).code);
    }
    expect(codes.slice(0, 5)).toEqual([null, null, null, null, null]);
    expect(codes).toContain('RATE_LIMITED');
  });

  test('says where the link comes from if the installation sends no email, and requests none', async () => {
    await world.addOperator({ email: 'silent@example.com' });
    const answer = await ask('silent@example.com', world.origin);
    expect(answer).toMatchObject({ status: 202, data: { passwordLink: 'ON_SERVER' } });
    expect(await mailed()).toEqual([]);
  });

  test('is refused to pages of other origins', async () => {
    const { status } = await world.send(
      {
        method: 'POST',
        path: '/auth/forgotten-password',
        body: { email: 'mira@example.com' },
        headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      },
      origin,
    );
    expect(status).toBe(403);
  });
});
