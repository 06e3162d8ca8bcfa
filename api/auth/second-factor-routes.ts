import { z } from 'zod';
import { recordAudit } from '../../core/operators/store/audit.ts';
import { beginTotp, confirmTotp, removeTotp } from '../../core/operators/store/second-factor.ts';
import { endSessions } from '../../core/operators/store/sessions.ts';
import { readSettings } from '../../core/operators/store/settings.ts';
import { DomainError } from '../../domain/errors.ts';
import { toBase32, totpUri } from '../../domain/totp.ts';
import type { AdminDependencies } from '../admin/dependencies.ts';
import { adminRoute, type AdminRoute } from '../admin/route.ts';
import { RecoveryCodes, TotpCode, TotpSetup } from './schemas.ts';

const TAG = 'Sessions';
const ISSUER = 'Lenden';

/** Returns the routes that set up, confirm and remove a second factor (RFC 6238). */
export function secondFactorRoutes(deps: AdminDependencies): AdminRoute[] {
  return [begin(deps), confirm(deps), remove(deps)];
}

function begin(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/auth/totp',
    operationId: 'beginTotp',
    tag: TAG,
    summary: 'Start setting up a second factor',
    permission: 'own-session',
    sensitive: true,
    response: { status: 201, schema: TotpSetup },
    errors: ['INVALID_OPERATION_STATE'],
    handler: async ({ caller }) => {
      const { operator, actor } = caller;
      const secret = await deps.database.withOperator([], async (em) => {
        const begun = await beginTotp(em, deps.secrets, operator.id);
        await recordAudit(em, { actor, action: 'second-factor.begun', target: { type: 'operator', id: operator.id } });
        return begun;
      });
      const uri = totpUri({ issuer: ISSUER, account: operator.email, secret });
      return { status: 201, data: { secret: toBase32(secret), uri }, message: 'Resource created' };
    },
  });
}

function confirm(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/auth/totp/confirm',
    operationId: 'confirmTotp',
    tag: TAG,
    summary: 'Confirm the second factor with its first code and end all other sessions',
    permission: 'own-session',
    sensitive: true,
    body: TotpCode,
    response: { status: 200, schema: RecoveryCodes },
    errors: [],
    handler: async ({ caller, body }) => {
      const { operator, session, actor } = caller;
      const recoveryCodes = await deps.database.withOperator([], async (em) => {
        const codes = await confirmTotp(em, deps.secrets, { operatorId: operator.id, code: body.code });
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
      return { status: 200, data: { recoveryCodes } };
    },
  });
}

function remove(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'DELETE',
    path: '/auth/totp',
    operationId: 'removeTotp',
    tag: TAG,
    summary: 'Remove your second factor',
    description: 'Returns 409 if this installation requires a second factor.',
    permission: 'own-session',
    sensitive: true,
    response: { status: 200, schema: z.null() },
    errors: ['INVALID_OPERATION_STATE'],
    handler: async ({ caller }) => {
      const { operator, session, actor } = caller;
      await deps.database.withOperator([], async (em) => {
        if ((await readSettings(em)).secondFactorRequired) {
          throw new DomainError('INVALID_OPERATION_STATE', 'this installation requires a second factor');
        }
        if (!(await removeTotp(em, operator.id))) {
          throw new DomainError('INVALID_OPERATION_STATE', 'no second factor is set up');
        }
        await endSessions(em, { operatorId: operator.id, except: session.id, reason: 'second-factor-changed' });
        await recordAudit(em, {
          actor,
          action: 'second-factor.removed',
          target: { type: 'operator', id: operator.id },
        });
      });
      return { status: 200, data: null };
    },
  });
}
