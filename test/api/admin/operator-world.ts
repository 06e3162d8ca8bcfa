import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { openDatabase, type Database } from '../../../database/connection.ts';
import { insertOperator } from '../../../core/operators/store/operators.ts';
import { hashPassword } from '../../../core/operators/passwords.ts';
import { readRoleByName, replaceGrants } from '../../../core/operators/store/roles.ts';
import { totpCode, totpStep } from '../../../domain/totp.ts';
import { openApiWorld, type ApiWorld } from '../api-world.ts';
import { isJson, problemsOf } from '../contract-client.ts';
import { httpCall, type Call, type HttpAnswer } from '../http-call.ts';

export const PASSWORD = 'three-quiet-herons-wade';

const Envelope = z.object({
  data: z.unknown(),
  meta: z.object({ success: z.boolean(), message: z.string().nullable(), errorCode: z.string().nullable() }),
  pagination: z
    .object({
      page: z.int(),
      size: z.int(),
      totalElements: z.int(),
      totalPages: z.int(),
      nextCursor: z.string().nullable(),
    })
    .nullable(),
});
const Session = z.object({ token: z.string().nullable(), csrfToken: z.string().nullable(), expiresAt: z.string() });

export interface Answer extends HttpAnswer {
  readonly code: string | null;
  readonly message: string | null;
  readonly data: unknown;
  readonly pagination: z.infer<typeof Envelope>['pagination'];
}

export interface OperatorSketch {
  readonly email: string;
  readonly role?: string;
  /** Null grants the role in every application. */
  readonly applicationId?: bigint | null;
  readonly passwordTemporary?: boolean;
}

export interface OperatorWorld {
  readonly api: ApiWorld;
  readonly database: Database;
  readonly origin: string;
  /** Inserts an operator with `PASSWORD` directly into the database. */
  addOperator(sketch: OperatorSketch): Promise<bigint>;
  /** Sends a request to a path below the prefix. */
  send(call: Omit<Call, 'origin'>, origin?: string): Promise<Answer>;
  /** Opens a session and returns its bearer token. */
  logIn(email: string): Promise<string>;
  /** Ends the step-up of every session. */
  makeStale(): Promise<void>;
  /** Extends every wait that has begun to ten minutes, so that a slow machine does not outlast it. Returns how many have begun. */
  drawOutWaits(): Promise<number>;
  close(): Promise<void>;
}

export async function openOperatorWorld(): Promise<OperatorWorld> {
  const api = await openApiWorld();
  const database = await openDatabase({ url: api.databaseUrl, poolSize: 3 });
  const ownOrigin = await api.listen();
  const passwordHash = await hashPassword(PASSWORD);
  const send = async (call: Omit<Call, 'origin'>, origin = ownOrigin): Promise<Answer> => {
    const answer = await httpCall({ ...call, origin, path: `/api/v1${call.path}` });
    const problems = problemsOf({ ...call, origin }, answer);
    if (problems.length > 0) {
      throw new Error(
        `${call.method ?? 'GET'} ${call.path} is not as documented:\n  ${problems.join('\n  ')}\n${answer.text}`,
      );
    }
    if (!isJson(answer)) {
      return { ...answer, data: answer.text, pagination: null, code: null, message: null };
    }
    const { data, meta, pagination } = Envelope.parse(JSON.parse(answer.text));
    return { ...answer, data, pagination, code: meta.errorCode, message: meta.message };
  };
  return {
    api,
    database,
    origin: ownOrigin,
    send,
    addOperator: ({ email, role = 'Super Admin', applicationId = null, passwordTemporary = false }) =>
      database.withOperator('every-app', async (em) => {
        const operatorId = await insertOperator(em, { email, name: `The ${role}`, passwordHash, passwordTemporary });
        const { id } = await readRoleByName(em, role);
        await replaceGrants(em, { operatorId, grants: [{ roleId: id, applicationId }] });
        return operatorId;
      }),
    async logIn(email) {
      const answer = await send({ method: 'POST', path: '/auth/login', body: { email, password: PASSWORD } });
      return Session.parse(answer.data).token ?? '';
    },
    async makeStale() {
      await api.sql(`update operator_sessions set reauthenticated_at = now() - interval '6 minutes'`);
    },
    async drawOutWaits() {
      const waits = await api.sql<object>(
        `update login_throttles set blocked_until = now() + interval '10 minutes' where blocked_until is not null returning 1`,
      );
      return waits.length;
    },
    async close() {
      await database.close();
      await api.close();
    },
  };
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** Returns what a browser stores after a login with `cookie: true`. */
export function browserSession(answer: Answer): { cookie: string; csrf: string } {
  const cookie = answer.headers['set-cookie']?.split(';')[0] ?? '';
  return { cookie, csrf: Session.parse(answer.data).csrfToken ?? '' };
}

export function tokenOf(answer: Answer): string {
  return Session.parse(answer.data).token ?? '';
}

/** Returns the code that an authenticator shows, by default now. */
export function codeOf(base32: string, { steps = 0n }: { steps?: bigint } = {}): string {
  const bits = [...base32]
    .map((character) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(character).toString(2).padStart(5, '0'))
    .join('');
  const secret = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const hmac = (key: Uint8Array, message: Uint8Array): Uint8Array => createHmac('sha1', key).update(message).digest();
  return totpCode({ secret, step: totpStep(new Date()) + steps, hmac });
}
