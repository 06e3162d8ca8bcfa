import { DomainError } from '../../domain/errors.ts';
import { admitAddress, type RateLimiter } from '../http/rate-limit.ts';
import { surface, type AnySurface, type Context } from '../http/surface.ts';
import { createAuthenticator, type NativeCaller } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';
import { renderNative, renderNativeError } from './envelope.ts';
import { nativeRoutes } from './routes.ts';

export const NATIVE_PREFIX = '/api/v1';
const BODY_BYTES_MAX = 64 * 1024;
/** Requests a minute of one address that name no valid credential, or ask for public pages. */
const ADDRESS_PER_MINUTE = 300;
const FAILED_LOGINS_PER_MINUTE = 60;

/** The native API is what a path below the prefix means unless another dialect claims the request first. */
export function nativeSurface(deps: ApiDependencies, limiter: RateLimiter): AnySurface {
  const { authenticate } = createAuthenticator(deps.database);
  return surface<NativeCaller>({
    name: 'native',
    prefix: NATIVE_PREFIX,
    routes: nativeRoutes(deps),
    bodyBytesMax: BODY_BYTES_MAX,
    accepts: () => true,
    admit(context) {
      if (context.path.startsWith(`${NATIVE_PREFIX}/checkout/`)) {
        admitAddress(context, limiter, { bucket: 'public', perMinute: ADDRESS_PER_MINUTE });
      }
    },
    async authenticate(context) {
      const caller = await authenticate(context.get('x-api-key'), context.get('x-api-secret')).catch(
        (error: unknown) => {
          // Guessing is slowed per address; a valid credential behind the same address is not, nor is anybody when we fail.
          if (error instanceof DomainError && error.code === 'UNAUTHORIZED') {
            admitGuess(deps, { context, limiter });
          }
          throw error;
        },
      );
      const verdict = limiter.take(`credential ${caller.credentialId}`, caller.application.rateLimitPerMinute);
      context.set({
        'X-RateLimit-Limit': String(verdict.limit),
        'X-RateLimit-Remaining': String(verdict.remaining),
        'X-RateLimit-Reset': String(verdict.resetSeconds),
      });
      if (!verdict.allowed) {
        throw new DomainError('RATE_LIMITED', 'too many requests', { retryAfterSeconds: verdict.retryAfterSeconds });
      }
      return caller;
    },
    render: renderNative,
    renderError: renderNativeError,
  });
}

function admitGuess(deps: ApiDependencies, { context, limiter }: { context: Context; limiter: RateLimiter }): void {
  try {
    admitAddress(context, limiter, { bucket: 'refused', perMinute: FAILED_LOGINS_PER_MINUTE });
  } catch (error) {
    deps.log.error({ alert: 'credential-guessing' }, 'one address names wrong credentials unusually often');
    throw error;
  }
}
