import { z } from 'zod';
import { beginSecondFactor, confirmSecondFactor, removeSecondFactor } from '../../core/operators/second-factor.ts';
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
      const secret = await beginSecondFactor(deps, caller);
      const uri = totpUri({ issuer: ISSUER, account: caller.operator.email, secret });
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
      const recoveryCodes = await confirmSecondFactor(deps, caller, body.code);
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
      await removeSecondFactor(deps, caller);
      return { status: 200, data: null };
    },
  });
}
