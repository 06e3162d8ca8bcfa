import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Database } from '../../database/connection.ts';
import { insertOperator } from '../../core/operators/store/operators.ts';
import { hashPassword } from '../../core/operators/passwords.ts';
import { readRoleByName, replaceGrants } from '../../core/operators/store/roles.ts';
import { exchange, parseJson } from './application.ts';
import type { Answer, DeskCall, Journal } from './journal.ts';
import type { Errand } from './plan.ts';

/**
 * The owner comes first, because there must always be a Super Admin. Support starts refunds, Finance decides on them and on payments in review, and
 * an Admin does both.
 */
const ROLES = {
  owner: 'Super Admin',
  support: 'Support',
  finance: 'Finance',
  second: 'Finance',
  admin: 'Admin',
} as const;
type OperatorName = keyof typeof ROLES;

const TIMEOUT_MS = 6_000;
/** One for the login and one for the step-up. */
const TRIES = 2;
const SessionAnswer = z.object({ data: z.object({ token: z.string() }) });
const Failure = z.object({ meta: z.object({ errorCode: z.string() }) });

interface OperatorAccount {
  readonly id: number;
  readonly email: string;
  readonly password: string;
}
export type Staff = Readonly<Record<Exclude<OperatorName, 'owner'>, OperatorAccount>>;

/** Creates the run's operators, each with a random password. */
export async function hireStaff(database: Database): Promise<Staff> {
  const hire = (name: OperatorName): Promise<OperatorAccount> => hireOne(database, name);
  await hire('owner');
  return {
    support: await hire('support'),
    finance: await hire('finance'),
    second: await hire('second'),
    admin: await hire('admin'),
  };
}

async function hireOne(database: Database, name: OperatorName): Promise<OperatorAccount> {
  const password = `canary-${randomBytes(18).toString('base64url')}`;
  const passwordHash = await hashPassword(password);
  const email = `${name}@faults.example`;
  const id = await database.withOperator('every-app', async (em) => {
    const operatorId = await insertOperator(em, { email, name, passwordHash, passwordTemporary: false });
    const role = await readRoleByName(em, ROLES[name]);
    await replaceGrants(em, { operatorId, grants: [{ roleId: role.id, applicationId: null }] });
    return operatorId;
  });
  return { id: Number(id), email, password };
}

export interface DeskRequest {
  readonly kind: DeskCall;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  /** The refund or unapplied payment that the request concerns. */
  readonly subjectId: number | null;
  readonly refund?: string;
  /** The operator disconnects after this time. */
  readonly timeoutMs?: number;
}

/** One operator's calls to either API, each of which is recorded. */
export interface Desk {
  readonly operatorId: number;
  /** Sends a request to one API. Logs in or enters the password again when the API demands it. */
  ask(errand: Errand, api: 0 | 1, request: DeskRequest): Promise<Answer>;
}
export type Desks = Readonly<Record<keyof Staff, Desk>>;

/** Session tokens, which outlive the rounds of a run. */
export type Tokens = Map<number, string>;

export interface DeskSettings {
  readonly staff: Staff;
  readonly tokens: Tokens;
  readonly apis: readonly string[];
  readonly journal: Journal;
}

export function openDesks(settings: DeskSettings): Desks {
  const { staff } = settings;
  return {
    support: openDesk(staff.support, settings),
    finance: openDesk(staff.finance, settings),
    second: openDesk(staff.second, settings),
    admin: openDesk(staff.admin, settings),
  };
}

function openDesk(operator: OperatorAccount, { tokens, apis, journal }: DeskSettings): Desk {
  const { id, email, password } = operator;
  const send = (
    api: 0 | 1,
    path: string,
    { method, body, timeoutMs = TIMEOUT_MS }: Pick<DeskRequest, 'method' | 'body' | 'timeoutMs'>,
  ) =>
    exchange(`${apis[api]}/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens.get(id) ?? 'none'}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeoutMs,
    });
  /** Sends what the operator types to authenticate. */
  const prove = async (api: 0 | 1, path: '/auth/login' | '/auth/reauth'): Promise<void> => {
    const body = path === '/auth/login' ? { email, password } : { password };
    const session = SessionAnswer.safeParse(parseJson((await send(api, path, { method: 'POST', body })).text));
    if (session.success) {
      tokens.set(id, session.data.data.token);
    }
  };
  let proving: Promise<void> | null = null;
  return {
    operatorId: id,
    async ask(errand, api, { kind, method, path, body, subjectId, refund, timeoutMs }) {
      for (let tries = 0; ; tries += 1) {
        const sentAtMs = performance.now();
        const atMs = Date.now();
        const shown = tokens.get(id);
        const got = await send(api, path, {
          method,
          ...(body === undefined ? {} : { body }),
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        });
        const { mark, app } = errand;
        const known = { mark, app, kind, api, sentAtMs, answeredAtMs: performance.now() };
        const answer: Answer = {
          ...known,
          ...got,
          ...(refund === undefined ? {} : { refund }),
          desk: { operatorId: id, subjectId, atMs },
        };
        journal.write(answer);
        const wanted = wants(answer);
        if (wanted === null || tries === TRIES) {
          return answer;
        }
        // The operator enters the password once, even for several simultaneous requests.
        if (tokens.get(id) === shown) {
          proving ??= prove(api, wanted).finally(() => (proving = null));
          await proving;
        }
      }
    },
  };
}

function wants(answer: Answer): '/auth/login' | '/auth/reauth' | null {
  return answer.status === 401 ? '/auth/login' : errorCodeOf(answer) === 'REAUTH_REQUIRED' ? '/auth/reauth' : null;
}

/** Returns false if the operator has to repeat the request. */
export function isHeard(answer: Pick<Answer, 'status' | 'text'>): boolean {
  const { status } = answer;
  return (
    status !== null && status < 500 && status !== 401 && status !== 429 && errorCodeOf(answer) !== 'REAUTH_REQUIRED'
  );
}

export function errorCodeOf({ text }: Pick<Answer, 'text'>): string | null {
  const failure = Failure.safeParse(parseJson(text));
  return failure.success ? failure.data.meta.errorCode : null;
}
