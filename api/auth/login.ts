import { recordAudit, type Actor } from '../../core/operators/store/audit.ts';
import { readNow } from '../../database/clock.ts';
import type { EntityManager } from '../../database/connection.ts';
import { Operator } from '../../database/entities/operator.ts';
import { passwordMatches } from '../../core/operators/passwords.ts';
import { takeRecoveryCode, takeTotpCode } from '../../core/operators/store/second-factor.ts';
import { endSessions, isKnownAddress, openSession, useSession } from '../../core/operators/store/sessions.ts';
import {
  accountSubject,
  addressSubject,
  forget,
  release,
  pairSubject,
  removeStaleThrottles,
  takeAttempts,
  type Attempt,
} from '../../core/operators/store/throttles.ts';
import { DomainError } from '../../domain/errors.ts';
import type { AdminDependencies } from '../admin/dependencies.ts';
import { newSessionToken, presentedToken } from './tokens.ts';

/** How long a password that another person chose can be used. */
const TEMPORARY_PASSWORD_DAYS = 3;

export interface LoginRequest {
  readonly email: string;
  readonly password: string;
  readonly code?: string | undefined;
  readonly recoveryCode?: string | undefined;
  readonly cookie?: boolean | undefined;
}

export interface Client {
  readonly address: string;
  readonly requestId: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface LoggedIn {
  readonly token: string;
  readonly expiresAt: Date;
  readonly operatorId: bigint;
}

/**
 * Opens a session. Counts every attempt before checking it. The password is checked outside any transaction, with equal work whether or not the
 * operator exists; then one transaction takes the code, opens the session and audits it.
 *
 * @throws DomainError INVALID_CREDENTIALS, SECOND_FACTOR_REQUIRED, RATE_LIMITED
 */
export async function login(deps: AdminDependencies, request: LoginRequest, client: Client): Promise<LoggedIn> {
  const email = request.email.toLowerCase();
  const { database } = deps;
  const { operator, attempts } = await database.withOperator([], async (em) => {
    const known = await isKnownAddress(em, { email, address: client.address });
    const pair = pairSubject(email, client.address);
    const subjects = [pair, addressSubject(client.address), ...(known ? [] : [accountSubject(email)])];
    return { attempts: await takeAttempts(em, subjects), operator: await em.findOne(Operator, { email }) };
  });
  const right = await passwordMatches(request.password, operator?.passwordHash ?? null);
  const outcome = await database.withOperator([], (em) =>
    settle({ deps, em, request, client, attempts, operator: right ? operator : null, email }),
  );
  if ('refused' in outcome) {
    throw outcome.refused;
  }
  return outcome;
}

interface Settling {
  readonly deps: AdminDependencies;
  readonly em: EntityManager;
  readonly request: LoginRequest;
  readonly client: Client;
  readonly attempts: readonly Attempt[];
  /** Null if there is no such operator or the password was wrong. */
  readonly operator: Operator | null;
  readonly email: string;
}

/** Returns a refusal instead of throwing it, so that the rows it writes are committed. */
async function settle(settling: Settling): Promise<LoggedIn | { refused: DomainError }> {
  const { em, client, attempts, email } = settling;
  // Read again: the password may have changed, or the operator may have been disabled, during the check.
  const operator = await stillAllowed(settling);
  await removeStaleThrottles(em);
  if (operator === null) {
    return refuse(settling, 'password');
  }
  if (operator.totpConfirmedAt instanceof Date) {
    if (settling.request.code === undefined && settling.request.recoveryCode === undefined) {
      await release(em, attempts);
      return { refused: new DomainError('SECOND_FACTOR_REQUIRED', 'send the code of the second factor as well') };
    }
    if (!(await takeSecondFactor(settling, operator.id))) {
      return refuse(settling, 'second factor');
    }
  }
  const pair = pairSubject(email, client.address);
  await release(
    em,
    attempts.filter(({ subject }) => !subject.hash.equals(pair.hash)),
  );
  await forget(em, pair);
  return open(settling, operator);
}

async function stillAllowed({ em, operator }: Settling): Promise<Operator | null> {
  if (operator === null) {
    return null;
  }
  const now = await em.findOne(Operator, { id: operator.id }, { refresh: true });
  const [changedAt, checkedAt] = [now?.passwordChangedAt.getTime(), operator.passwordChangedAt.getTime()];
  const oldestTemporary = (await readNow(em)).getTime() - TEMPORARY_PASSWORD_DAYS * 86_400_000;
  const usable =
    now?.status === 'ACTIVE' &&
    changedAt === checkedAt &&
    !(now.passwordTemporary && now.passwordChangedAt.getTime() < oldestTemporary);
  return usable ? now : null;
}

async function takeSecondFactor({ em, deps, request }: Settling, operatorId: bigint): Promise<boolean> {
  const { code, recoveryCode } = request;
  return code === undefined
    ? recoveryCode !== undefined && takeRecoveryCode(em, { operatorId, recoveryCode })
    : takeTotpCode(em, deps.secrets, { operatorId, code });
}

/** Returns the same error for every reason. The audit log names the operator if there is one. What was typed is not recorded. */
async function refuse(
  { em, client, attempts, email }: Settling,
  wrong: 'password' | 'second factor',
): Promise<{ refused: DomainError }> {
  const target = await em.findOne(Operator, { email }, { fields: ['id', 'email'] });
  const actor = actorOf(client, { id: null, name: 'unknown' });
  const entry = { actor, target: { type: 'operator', id: target?.id ?? 'unknown' } };
  await recordAudit(em, {
    ...entry,
    action: 'session.login-failed',
    after: { wrong: target === null ? 'operator' : wrong },
  });
  const delaySeconds = Math.max(...attempts.map((attempt) => attempt.delaySeconds));
  if (delaySeconds > 0) {
    await recordAudit(em, { ...entry, action: 'session.login-throttled', after: { delaySeconds } });
  }
  return { refused: new DomainError('INVALID_CREDENTIALS', 'the email, password or second factor is wrong') };
}

function actorOf({ address, requestId }: Client, { id, name }: { id: bigint | null; name: string }): Actor {
  return { type: 'USER', id, name, address, requestId };
}

async function open({ em, deps, request, client }: Settling, operator: Operator): Promise<LoggedIn> {
  await endPresented({ em, deps, client });
  const token = newSessionToken();
  const kind = request.cookie === true ? 'COOKIE' : 'BEARER';
  const { id, expiresAt } = await openSession(em, {
    operatorId: operator.id,
    token,
    kind,
    address: client.address,
    userAgent: client.headers['user-agent'] ?? null,
    absoluteMs: deps.sessionLimits.absoluteMs,
  });
  await em.nativeUpdate(Operator, { id: operator.id }, { lastLoginAt: await readNow(em) });
  const secondFactor = request.recoveryCode !== undefined && request.code === undefined ? 'recovery code' : 'totp';
  await recordAudit(em, {
    actor: actorOf(client, { id: operator.id, name: operator.email }),
    action: 'session.opened',
    target: { type: 'session', id },
    after: { kind, secondFactor: operator.totpConfirmedAt instanceof Date ? secondFactor : null },
  });
  return { token, expiresAt, operatorId: operator.id };
}

/** Ends the session whose cookie came with the login, so that no session outlives a new login in the same browser. */
async function endPresented({ em, deps, client }: { em: EntityManager; deps: AdminDependencies; client: Client }) {
  const presented = presentedToken({ cookie: client.headers['cookie'] });
  if (presented === null) {
    return;
  }
  const use = await useSession(em, { ...presented, idleMs: deps.sessionLimits.idleMs });
  if (use.kind === 'open') {
    const { operatorId, id } = use.session;
    await endSessions(em, { operatorId, only: id, reason: 'replaced' });
  }
}
