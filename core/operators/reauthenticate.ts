import { recordAudit } from './store/audit.ts';
import type { EntityManager } from '../../database/connection.ts';
import { Operator } from '../../database/entities/operator.ts';
import { passwordMatches } from './passwords.ts';
import { takeRecoveryCode, takeTotpCode } from './store/second-factor.ts';
import { renewSession } from './store/sessions.ts';
import { forget, release, sessionHolderSubject, takeAttempts } from './store/throttles.ts';
import { DomainError } from '../../domain/errors.ts';
import type { SessionDependencies } from './dependencies.ts';
import type { SessionHolder } from './acting-operator.ts';
import { newSessionToken } from './session-token.ts';

export interface Proof {
  readonly password: string;
  readonly code?: string | undefined;
  readonly recoveryCode?: string | undefined;
}

/**
 * Verifies that the holder of a session is its operator, and replaces the session's token. Runs `alongside` in the same transaction.
 *
 * @throws DomainError INVALID_CREDENTIALS, SECOND_FACTOR_REQUIRED, RATE_LIMITED, SESSION_EXPIRED
 */
export async function reauthenticate(
  deps: SessionDependencies,
  {
    caller,
    proof,
    alongside,
  }: { caller: SessionHolder; proof: Proof; alongside?: (em: EntityManager) => Promise<void> },
): Promise<string> {
  const { operator, session, actor } = caller;
  const subject = sessionHolderSubject(operator.id);
  const { attempts, known } = await deps.database.withOperator([], async (em) => ({
    attempts: await takeAttempts(em, [subject]),
    known: await em.findOneOrFail(Operator, { id: operator.id }),
  }));
  const right = await passwordMatches(proof.password, known.passwordHash ?? null);
  const newToken = newSessionToken();
  const refused = await deps.database.withOperator([], async (em) => {
    const problem = right ? await secondFactorProblem({ deps, em, proof, operator: known }) : 'INVALID_CREDENTIALS';
    if (problem === 'SECOND_FACTOR_REQUIRED') {
      await release(em, attempts);
      return new DomainError(problem, 'send the code of the second factor as well');
    }
    const target = { type: 'session', id: session.id };
    if (problem !== null) {
      await recordAudit(em, { actor, action: 'session.reauthentication-failed', target });
      return new DomainError(problem, 'password or second factor is wrong');
    }
    if (!(await renewSession(em, { id: session.id, token: session.token, newToken }))) {
      throw new DomainError('SESSION_EXPIRED', 'the session has ended: log in again');
    }
    await forget(em, subject);
    await recordAudit(em, { actor, action: 'session.reauthenticated', target });
    await alongside?.(em);
    return null;
  });
  if (refused !== null) {
    throw refused;
  }
  return newToken;
}

interface Checking {
  readonly deps: SessionDependencies;
  readonly em: EntityManager;
  readonly proof: Proof;
  readonly operator: Operator;
}

async function secondFactorProblem({ deps, em, proof, operator }: Checking) {
  const { code, recoveryCode } = proof;
  if (!(operator.totpConfirmedAt instanceof Date)) {
    return null;
  }
  if (code !== undefined) {
    const taken = await takeTotpCode(em, deps.secrets, { operatorId: operator.id, code });
    return taken ? null : 'INVALID_CREDENTIALS';
  }
  if (recoveryCode !== undefined) {
    const taken = await takeRecoveryCode(em, { operatorId: operator.id, recoveryCode });
    return taken ? null : 'INVALID_CREDENTIALS';
  }
  return 'SECOND_FACTOR_REQUIRED';
}
