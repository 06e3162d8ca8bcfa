import { timingSafeEqual } from 'node:crypto';
import { DomainError, notFound } from '../../domain/errors.ts';
import { passwordProblem } from '../../runtime/password-rules.ts';
import { sha256 } from '../../runtime/secrets.ts';
import type { SessionHolder } from './acting-operator.ts';
import type { SessionDependencies } from './dependencies.ts';
import { hashPassword } from './passwords.ts';
import { reauthenticate, type Proof } from './reauthenticate.ts';
import type { PresentedToken } from './session-token.ts';
import { recordAudit } from './store/audit.ts';
import { setPassword } from './store/operators.ts';
import { endSessions, listOpenSessions, useSession, type KnownSession, type OpenSession } from './store/sessions.ts';

/** @throws DomainError UNAUTHORIZED, SESSION_EXPIRED, TOKEN_EXPIRED */
export async function openSessionOf(
  { database, sessionLimits }: Pick<SessionDependencies, 'database' | 'sessionLimits'>,
  presented: PresentedToken | null,
): Promise<KnownSession & { readonly token: string }> {
  if (presented === null) {
    throw new DomainError('UNAUTHORIZED', 'log in first');
  }
  const { idleMs } = sessionLimits;
  const use = await database.withOperator([], (em) => useSession(em, { ...presented, idleMs }));
  switch (use.kind) {
    case 'open':
      return { ...use.session, token: presented.token };
    case 'expired':
      throw new DomainError('TOKEN_EXPIRED', 'the session has reached its maximum age: log in again');
    case 'ended':
      throw new DomainError('SESSION_EXPIRED', 'the session has ended: log in again');
    case 'unknown':
      throw new DomainError('UNAUTHORIZED', 'log in first');
  }
}

/** Returns the operator's open sessions, newest first. */
export function listOwnSessions(
  { database, sessionLimits: { idleMs } }: SessionDependencies,
  { operator }: Pick<SessionHolder, 'operator'>,
): Promise<OpenSession[]> {
  return database.withOperator([], (em) => listOpenSessions(em, { operatorId: operator.id, idleMs }));
}

/** Ends the session of this request. */
export async function logOut({ database }: SessionDependencies, holder: SessionHolder): Promise<void> {
  const { operator, session, actor } = holder;
  await database.withOperator([], async (em) => {
    await endSessions(em, { operatorId: operator.id, only: session.id, reason: 'logout' });
    await recordAudit(em, { actor, action: 'session.closed', target: { type: 'session', id: session.id } });
  });
}

/**
 * Ends one of the operator's sessions.
 * @throws DomainError RESOURCE_NOT_FOUND
 */
export async function endOwnSession(
  { database }: SessionDependencies,
  { operator, actor }: SessionHolder,
  sessionId: bigint,
): Promise<void> {
  await database.withOperator([], async (em) => {
    if ((await endSessions(em, { operatorId: operator.id, only: sessionId, reason: 'killed' })) === 0) {
      throw notFound('session');
    }
    await recordAudit(em, { actor, action: 'session.ended', target: { type: 'session', id: sessionId } });
  });
}

/**
 * Sets a new password and ends the operator's other sessions. Returns the new token of this one.
 * @throws DomainError VALIDATION_ERROR, and as `reauthenticate`
 */
export async function changePassword(
  deps: SessionDependencies,
  holder: SessionHolder,
  { newPassword, ...proof }: Proof & { readonly newPassword: string },
): Promise<string> {
  const { operator, session, actor } = holder;
  const problem = timingSafeEqual(sha256(newPassword), sha256(proof.password))
    ? 'is the current password'
    : await passwordProblem(newPassword, operator);
  if (problem !== null) {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { newPassword: problem } });
  }
  const passwordHash = await hashPassword(newPassword);
  return reauthenticate(deps, {
    caller: holder,
    proof,
    alongside: async (em) => {
      await setPassword(em, { operatorId: operator.id, passwordHash, temporary: false });
      const ended = await endSessions(em, {
        operatorId: operator.id,
        except: session.id,
        reason: 'password-changed',
      });
      const target = { type: 'operator', id: operator.id };
      await recordAudit(em, { actor, action: 'password.changed', target, after: { sessionsEnded: ended } });
    },
  });
}
