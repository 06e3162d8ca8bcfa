import { recordAudit, type Actor } from './store/audit.ts';
import { readNow } from '../../database/clock.ts';
import type { EntityManager } from '../../database/connection.ts';
import { Operator } from '../../database/entities/operator.ts';
import { passwordMatches } from './passwords.ts';
import { takeRecoveryCode, takeTotpCode } from './store/second-factor.ts';
import { endSessions, isKnownAddress, openSession, useSession } from './store/sessions.ts';
import {
  accountSubject,
  addressSubject,
  forget,
  release,
  pairSubject,
  removeStaleThrottles,
  takeAttempts,
  type Attempt,
} from './store/throttles.ts';
import { DomainError } from '../../domain/errors.ts';
import type { SessionDependencies } from './dependencies.ts';
import { newSessionToken, type PresentedToken } from './session-token.ts';

/** How long a password that another person chose can be used. */
const TEMPORARY_PASSWORD_DAYS = 3;

export interface LoginRequest {
  readonly email: string;
  readonly password: string;
  readonly code?: string | undefined;
  readonly recoveryCode?: string | undefined;
  readonly cookie?: boolean | undefined;
}

/** The program that asks to log in. */
export interface LoginClient {
  readonly address: string;
  readonly requestId: string;
  readonly userAgent: string | null;
  /** The session that its cookie names, if any. It ends with the login. */
  readonly presented: PresentedToken | null;
}

export interface LoggedIn {
  readonly token: string;
  readonly expiresAt: Date;
  readonly operator: {
    readonly id: bigint;
    readonly email: string;
    readonly name: string;
    readonly secondFactor: boolean;
    readonly passwordTemporary: boolean;
  };
}

/**
 * Opens a session. Counts every attempt before checking it. The password is checked outside any transaction, with equal work whether or not the
 * operator exists; then one transaction takes the code, opens the session and audits it.
 *
 * @throws DomainError INVALID_CREDENTIALS, SECOND_FACTOR_REQUIRED, RATE_LIMITED
 */
export async function logIn(deps: SessionDependencies, request: LoginRequest, client: LoginClient): Promise<LoggedIn> {
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
    decideLogin({ deps, em, request, client, attempts, operator: right ? operator : null, email }),
  );
  if ('refused' in outcome) {
    throw outcome.refused;
  }
  return outcome;
}

interface Login {
  readonly deps: SessionDependencies;
  readonly em: EntityManager;
  readonly request: LoginRequest;
  readonly client: LoginClient;
  readonly attempts: readonly Attempt[];
  /** Null if there is no such operator or the password was wrong. */
  readonly operator: Operator | null;
  readonly email: string;
}

/** Returns a refusal instead of throwing it, so that the rows it writes are committed. */
async function decideLogin(login: Login): Promise<LoggedIn | { refused: DomainError }> {
  const { em, client, attempts, email } = login;
  // Read again: the password may have changed, or the operator may have been disabled, during the check.
  const operator = await stillAllowed(login);
  await removeStaleThrottles(em);
  if (operator === null) {
    return refuse(login, 'password');
  }
  if (operator.totpConfirmedAt instanceof Date) {
    if (login.request.code === undefined && login.request.recoveryCode === undefined) {
      await release(em, attempts);
      return { refused: new DomainError('SECOND_FACTOR_REQUIRED', 'send the code of the second factor as well') };
    }
    if (!(await takeSecondFactor(login, operator.id))) {
      return refuse(login, 'second factor');
    }
  }
  const pair = pairSubject(email, client.address);
  await release(
    em,
    attempts.filter(({ subject }) => !subject.hash.equals(pair.hash)),
  );
  await forget(em, pair);
  return open(login, operator);
}

async function stillAllowed({ em, operator }: Login): Promise<Operator | null> {
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

async function takeSecondFactor({ em, deps, request }: Login, operatorId: bigint): Promise<boolean> {
  const { code, recoveryCode } = request;
  return code === undefined
    ? recoveryCode !== undefined && takeRecoveryCode(em, { operatorId, recoveryCode })
    : takeTotpCode(em, deps.secrets, { operatorId, code });
}

/** Returns the same error for every reason. The audit log names the operator if there is one. What was typed is not recorded. */
async function refuse(
  { em, client, attempts, email }: Login,
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

function actorOf({ address, requestId }: LoginClient, { id, name }: { id: bigint | null; name: string }): Actor {
  return { type: 'USER', id, name, address, requestId };
}

async function open({ em, deps, request, client }: Login, operator: Operator): Promise<LoggedIn> {
  await endPresented({ em, deps, client });
  const token = newSessionToken();
  const kind = request.cookie === true ? 'COOKIE' : 'BEARER';
  const { id, expiresAt } = await openSession(em, {
    operatorId: operator.id,
    token,
    kind,
    address: client.address,
    userAgent: client.userAgent,
    absoluteMs: deps.sessionLimits.absoluteMs,
  });
  await em.nativeUpdate(Operator, { id: operator.id }, { lastLoginAt: await readNow(em) });
  const factor = request.recoveryCode !== undefined && request.code === undefined ? 'recovery code' : 'totp';
  await recordAudit(em, {
    actor: actorOf(client, { id: operator.id, name: operator.email }),
    action: 'session.opened',
    target: { type: 'session', id },
    after: { kind, secondFactor: operator.totpConfirmedAt instanceof Date ? factor : null },
  });
  const { email, name, passwordTemporary } = operator;
  const secondFactor = operator.totpConfirmedAt instanceof Date;
  return { token, expiresAt, operator: { id: operator.id, email, name, secondFactor, passwordTemporary } };
}

/** Ends the session whose cookie came with the login, so that no session outlives a new login in the same browser. */
async function endPresented({
  em,
  deps,
  client,
}: {
  em: EntityManager;
  deps: SessionDependencies;
  client: LoginClient;
}) {
  const { presented } = client;
  if (presented === null) {
    return;
  }
  const use = await useSession(em, { ...presented, idleMs: deps.sessionLimits.idleMs });
  if (use.kind === 'open') {
    const { operatorId, id } = use.session;
    await endSessions(em, { operatorId, only: id, reason: 'replaced' });
  }
}
