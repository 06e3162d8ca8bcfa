import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { CredentialPair, Registration } from '../../core/applications/store/applications.ts';
import { openDatabase, type Database } from '../../database/connection.ts';
import { insertOperator } from '../../core/operators/store/operators.ts';
import { hashPassword } from '../../core/operators/passwords.ts';
import { readRoleByName, replaceGrants } from '../../core/operators/store/roles.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import type { Person } from '../trade/operator.ts';
import { paidPayment, send } from './paid-payment.ts';
import { openPayoutDay } from './payout-day.ts';
import type { Subject } from './subject.ts';

/** A session is limited to 600 requests a minute, so there are several. */
const SESSIONS = 30;
const PAYMENTS = 12;
const REFUNDS_EACH = 20;
const FRESH_EVERY_MS = 20_000;
const Session = z.object({ data: z.object({ token: z.string() }) });

export interface FuzzingOperators extends Pick<Subject, 'known'> {
  /** Sessions of one Super Admin. */
  readonly tokens: readonly string[];
  /** The session of an operator who may do everything, but in another application. */
  readonly neighbour: string;
}

/** Creates operators and what they work on: paid payments, invoices, refunds that wait for a second person, and a day of payouts with open cases. */
export async function openOperators(
  dev: DevFile,
  [shop, elsewhere]: readonly [Registration, Registration],
): Promise<FuzzingOperators> {
  const database = await openDatabase({ url: dev.databaseUrl, poolSize: 2 });
  try {
    const owner = await hire(database, { role: 'Super Admin', applicationId: null });
    const neighbour = await hire(database, { role: 'Admin', applicationId: elsewhere.applicationId });
    const maker = await hire(database, { role: 'Support', applicationId: null });
    const accountant = await hire(database, { role: 'Super Admin', applicationId: null });
    await database.withSystem((em) => em.execute('update applications set refund_approval_threshold_minor = 0'));
    await makeWork(dev, { credentials: shop.test, maker: await tokenOf(dev, maker) });
    const tokens: string[] = [];
    while (tokens.length < SESSIONS) {
      tokens.push(await tokenOf(dev, owner));
    }
    return { tokens, neighbour: await tokenOf(dev, neighbour), known: await openPayoutDay(dev, accountant) };
  } finally {
    await database.close();
  }
}

interface Hired {
  readonly role: string;
  readonly applicationId: bigint | null;
}

async function hire(database: Database, { role, applicationId }: Hired): Promise<Person> {
  const password = randomBytes(18).toString('base64url');
  const email = `${randomUUID()}@lenden.example`;
  const passwordHash = await hashPassword(password);
  await database.withOperator('every-app', async (em) => {
    const { id: roleId } = await readRoleByName(em, role);
    const operatorId = await insertOperator(em, { email, name: role, passwordHash, passwordTemporary: false });
    await replaceGrants(em, { operatorId, grants: [{ roleId, applicationId }] });
  });
  return { email, password };
}

async function tokenOf({ api }: DevFile, person: Person): Promise<string> {
  return Session.parse(await send(`${api}/auth/login`, { body: person })).data.token;
}

async function makeWork(
  { api }: DevFile,
  { credentials, maker }: { credentials: CredentialPair; maker: string },
): Promise<void> {
  for (let number = 1; number <= PAYMENTS; number += 1) {
    const { id } = await paidPayment(api, { credentials, amountMinor: 50_000, number });
    await send(`${api}/invoices`, {
      headers: { 'X-Api-Key': credentials.apiKey, 'X-Api-Secret': credentials.apiSecret },
      body: {
        customerReference: `payer-${number}`,
        lineItems: [{ description: 'Plan', qty: 1, unitAmountMinor: 50_000 }],
      },
    });
    for (let part = 0; part < REFUNDS_EACH; part += 1) {
      const headers = { Authorization: `Bearer ${maker}` };
      await send(`${api}/admin/payments/${id}/refunds`, { headers, body: { amountMinor: 100 } });
    }
  }
}

/** Keeps the sessions as fresh as those of an operator who enters the password again and again, because a run outlasts a step-up. */
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
