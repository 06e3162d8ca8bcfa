import { DomainError } from '../../domain/errors.ts';
import type { SessionDependencies } from './dependencies.ts';
import type { SessionHolder } from './acting-operator.ts';
import { recordAudit } from './store/audit.ts';
import { beginTotp, confirmTotp, removeTotp } from './store/second-factor.ts';
import { endSessions } from './store/sessions.ts';
import { readSettings } from './store/settings.ts';

/**
 * Starts the setup of the operator's second factor (RFC 6238). Returns its secret, which cannot be read again.
 * @throws DomainError INVALID_OPERATION_STATE
 */
export function beginSecondFactor(
  { database, secrets }: SessionDependencies,
  { operator, actor }: SessionHolder,
): Promise<Uint8Array> {
  return database.withOperator([], async (em) => {
    const secret = await beginTotp(em, secrets, operator.id);
    await recordAudit(em, { actor, action: 'second-factor.begun', target: { type: 'operator', id: operator.id } });
    return secret;
  });
}

/**
 * Confirms the second factor with its first code and ends the operator's other sessions. Returns the recovery codes.
 * @throws DomainError VALIDATION_ERROR
 */
export async function confirmSecondFactor(
  { database, secrets }: SessionDependencies,
  { operator, session, actor }: SessionHolder,
  code: string,
): Promise<string[]> {
  const recoveryCodes = await database.withOperator([], async (em) => {
    const codes = await confirmTotp(em, secrets, { operatorId: operator.id, code });
    if (codes !== null) {
      const ended = { operatorId: operator.id, except: session.id, reason: 'second-factor-changed' } as const;
      const target = { type: 'operator', id: operator.id };
      const after = { sessionsEnded: await endSessions(em, ended) };
      await recordAudit(em, { actor, action: 'second-factor.confirmed', target, after });
    }
    return codes;
  });
  if (recoveryCodes === null) {
    const fields = { code: 'is not the current code of the second factor being set up' };
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields });
  }
  return recoveryCodes;
}

/**
 * Removes the operator's second factor and ends their other sessions.
 * @throws DomainError INVALID_OPERATION_STATE if the installation requires one, or none is set up
 */
export async function removeSecondFactor(
  { database }: SessionDependencies,
  { operator, session, actor }: SessionHolder,
): Promise<void> {
  await database.withOperator([], async (em) => {
    if ((await readSettings(em)).secondFactorRequired) {
      throw new DomainError('INVALID_OPERATION_STATE', 'this installation requires a second factor');
    }
    if (!(await removeTotp(em, operator.id))) {
      throw new DomainError('INVALID_OPERATION_STATE', 'no second factor is set up');
    }
    await endSessions(em, { operatorId: operator.id, except: session.id, reason: 'second-factor-changed' });
    await recordAudit(em, { actor, action: 'second-factor.removed', target: { type: 'operator', id: operator.id } });
  });
}
