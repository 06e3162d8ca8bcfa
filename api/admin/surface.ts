import { createOperatorGate } from '../auth/authenticate.ts';
import { renderEnvelope, renderEnvelopeError } from '../http/envelope.ts';
import { admitAddress, type RateLimiter } from '../http/rate-limit.ts';
import { surface, type AnySurface } from '../http/surface.ts';
import type { OperatorCaller } from './caller.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoutes } from './routes.ts';

export const ADMIN_PREFIX = '/api/v1';
const OPERATORS_PATHS = /^\/api\/v1\/(admin|auth)(\/|$)/;
const BODY_BYTES_MAX = 64 * 1024;
/** Login attempts per minute and address, right or wrong, counted before any is checked: each check costs an argon2 hash. */
const LOGINS_PER_MINUTE = 60;

/** Returns the operators' API: the native envelope with operators as callers. Served on the API's port and on the web port. */
export function adminSurface(deps: AdminDependencies, limiter: RateLimiter): AnySurface {
  return surface<OperatorCaller>({
    name: 'operators',
    prefix: ADMIN_PREFIX,
    routes: adminRoutes(deps),
    bodyBytesMax: BODY_BYTES_MAX,
    challenge: 'Bearer',
    accepts: ({ path }) => OPERATORS_PATHS.test(path),
    admit(context) {
      if (context.path === `${ADMIN_PREFIX}/auth/login`) {
        admitAddress(context, limiter, { bucket: 'login', perMinute: LOGINS_PER_MINUTE });
      }
    },
    ...createOperatorGate(deps, limiter),
    render: renderEnvelope,
    renderError: renderEnvelopeError,
  });
}
