import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { CredentialPair, Registration } from '../../database/applications.ts';
import { openDatabase, type Database } from '../../database/connection.ts';
import { insertOperator } from '../../database/operators/operators.ts';
import { hashPassword } from '../../database/operators/passwords.ts';
import { readRoleByName, replaceGrants } from '../../database/operators/roles.ts';
import type { DevFile } from '../../scripts/dev-file.ts';
import { actAsPayer } from '../thousand/payers.ts';

/** A session is limited to 600 requests a minute. */
const SESSIONS = 30;
const PAYMENTS = 12;
const REFUNDS_EACH = 20;
const FRESH_EVERY_MS = 20_000;
const PAID_TIMEOUT_MS = 60_000;
const Session = z.object({ data: z.object({ token: z.string() }) });
const Payment = z.object({ data: z.object({ id: z.int(), reference: z.string(), status: z.string() }) });

export interface FuzzingOperators {
  /** Sessions of one Super Admin. */
  readonly tokens: readonly string[];
  /** The session of somebody who may do everything, but in another application. */
  readonly neighbour: string;
}

/** Operators, and what they look after: payments that were paid, and refunds that wait for a second person. */
export async function openOperators(
  dev: DevFile,
  [shop, elsewhere]: readonly [Registration, Registration],
): Promise<FuzzingOperators> {
  const database = await openDatabase({ url: dev.databaseUrl, poolSize: 2 });
  try {
    const logInAs = await operatorWith(database, dev, { role: 'Super Admin', applicationId: null });
    const asNeighbour = await operatorWith(database, dev, { role: 'Admin', applicationId: elsewhere.applicationId });
    const asMaker = await operatorWith(database, dev, { role: 'Support', applicationId: null });
    await database.withSystem((em) => em.execute('update applications set refund_approval_threshold_minor = 0'));
    await makeWork(dev, { credentials: shop.test, maker: await asMaker() });
    const tokens: string[] = [];
    while (tokens.length < SESSIONS) {
      tokens.push(await logInAs());
    }
    return { tokens, neighbour: await asNeighbour() };
  } finally {
    await database.close();
  }
}

interface Hired {
  readonly role: string;
  readonly applicationId: bigint | null;
}

/** Answers how he logs in. */
async function operatorWith(
  database: Database,
  { api }: DevFile,
  { role, applicationId }: Hired,
): Promise<() => Promise<string>> {
  const password = randomBytes(18).toString('base64url');
  const email = `${randomUUID()}@lenden.example`;
  const passwordHash = await hashPassword(password);
  await database.withOperator('every-app', async (em) => {
    const { id: roleId } = await readRoleByName(em, role);
    const operatorId = await insertOperator(em, { email, name: role, passwordHash, passwordTemporary: false });
    await replaceGrants(em, { operatorId, grants: [{ roleId, applicationId }] });
  });
  return async () => Session.parse(await send(`${api}/auth/login`, { body: { email, password } })).data.token;
}

async function makeWork(
  { api }: DevFile,
  { credentials, maker }: { credentials: CredentialPair; maker: string },
): Promise<void> {
  const ours = { 'X-Api-Key': credentials.apiKey, 'X-Api-Secret': credentials.apiSecret };
  for (let number = 1; number <= PAYMENTS; number += 1) {
    const body = { amountMinor: 50_000, customerReference: `payer-${number}` };
    const { id } = Payment.parse(await send(`${api}/payments`, { headers: ours, body })).data;
    await paid(`${api}/payments/${id}`, { headers: ours, number });
    for (let part = 0; part < REFUNDS_EACH; part += 1) {
      const headers = { Authorization: `Bearer ${maker}` };
      await send(`${api}/admin/payments/${id}/refunds`, { headers, body: { amountMinor: 100 } });
    }
  }
}

async function paid(
  url: string,
  { headers, number }: { headers: Record<string, string>; number: number },
): Promise<void> {
  const read = async () =>
    Payment.and(z.object({ data: z.object({ checkoutUrl: z.url() }) })).parse(await send(url, { headers })).data;
  await actAsPayer((await read()).checkoutUrl, { choice: 'pay', number });
  for (const giveUpAt = Date.now() + PAID_TIMEOUT_MS; Date.now() < giveUpAt;) {
    if ((await read()).status === 'SUCCEEDED') {
      return;
    }
  }
  throw new Error('a payment that was paid did not succeed');
}

async function send(
  url: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: object },
): Promise<unknown> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) {
    throw new Error(`${new URL(url).pathname} answered ${response.status}: ${await response.text()}`);
  }
  return response.json();
}

/** A run outlasts a step-up: the sessions are kept as fresh as those of somebody who enters his password again and again. */
export async function keepFresh(dev: DevFile): Promise<{ leave(): Promise<void> }> {
  const database = await openDatabase({ url: dev.databaseUrl, poolSize: 1 });
  const renew = (): Promise<unknown> =>
    database
      .withOperator('every-app', (em) =>
        em.execute(
          'update operator_sessions set reauthenticated_at = now(), last_seen_at = now() where ended_at is null',
        ),
      )
      .catch(() => undefined);
  let renewing = renew();
  const timer = setInterval(() => (renewing = renew()), FRESH_EVERY_MS);
  return {
    async leave() {
      clearInterval(timer);
      await renewing;
      await database.close();
    },
  };
}
