import type { KnownSession } from '../../core/operators/store/sessions.ts';
import { openSessionOf } from '../../core/operators/own-session.ts';
import { recordRefusal } from '../../core/operators/record-refusal.ts';
import type { Actor } from '../../core/operators/store/audit.ts';
import { DomainError } from '../../domain/errors.ts';
import { isPermission, PERMISSIONS, viewFor, type AppView } from '../../domain/permissions.ts';
import type { OperatorCaller } from '../admin/caller.ts';
import type { AdminDependencies } from '../admin/dependencies.ts';
import { admitAddress, type RateLimiter } from '../http/rate-limit.ts';
import type { Route } from '../http/route.ts';
import type { Context, Surface } from '../http/surface.ts';
import { requireSameOrigin } from './same-origin.ts';
import { csrfTokenMatches, presentedToken } from './tokens.ts';

/** Requests per minute and session. A dashboard sends many; the limit stops scripts that run out of control. */
const SESSION_PER_MINUTE = 600;
/** Requests per minute and address without a valid session. */
const REFUSED_PER_MINUTE = 60;
const CHANGING: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

export type OperatorGate = Required<Pick<Surface<OperatorCaller>, 'authenticate' | 'failed'>>;

/**
 * Authenticates operators and checks their permissions. It reads everything for each request, so a revocation takes effect with the next one.
 * Refusals of signed-in operators are audited, both by the route's permission and by the handler. The handler's transaction is over by then, so its
 * rollback does not remove the entry.
 */
export function createOperatorGate(deps: AdminDependencies, limiter: RateLimiter): OperatorGate {
  const actors = new WeakMap<Context, Actor>();
  return {
    async authenticate(context, route) {
      const presented = presentedToken({
        authorization: context.headers.authorization,
        cookie: context.headers.cookie,
      });
      const session = await openSessionOf(deps, presented).catch((error: unknown) => {
        if (error instanceof DomainError) {
          admitAddress(context, limiter, { bucket: 'no session', perMinute: REFUSED_PER_MINUTE });
        }
        throw error;
      });
      const caller = callerOf(context, session);
      actors.set(context, caller.actor);
      limit(context, limiter, session);
      if (session.kind === 'COOKIE' && CHANGING.has(context.method)) {
        requireOwnPage(context, { deps, token: session.token });
      }
      return { ...caller, view: authorize(session, route) };
    },
    async failed(context, route, error) {
      const actor = actors.get(context);
      if (actor !== undefined && error instanceof DomainError && error.code === 'FORBIDDEN') {
        await recordRefusal(deps, {
          actor,
          route: `${route.method} ${route.path}`,
          permission: route.permission ?? null,
          path: context.path,
          reason: error.message,
        });
      }
    },
  };
}

function limit(context: Context, limiter: RateLimiter, { id }: KnownSession): void {
  const verdict = limiter.take(`session ${id}`, SESSION_PER_MINUTE);
  context.set({
    'X-RateLimit-Limit': String(verdict.limit),
    'X-RateLimit-Remaining': String(verdict.remaining),
    'X-RateLimit-Reset': String(verdict.resetSeconds),
  });
  if (!verdict.allowed) {
    throw new DomainError('RATE_LIMITED', 'too many requests', { retryAfterSeconds: verdict.retryAfterSeconds });
  }
}

/** Rejects requests by cookie from foreign pages: browsers send the cookie for any page, but only ours knows the CSRF token. */
function requireOwnPage(context: Context, { deps, token }: { deps: AdminDependencies; token: string }): void {
  requireSameOrigin({ origin: context.headers.origin, 'sec-fetch-site': headerText(context, 'sec-fetch-site') }, deps);
  if (!csrfTokenMatches(token, headerText(context, 'x-csrf-token'))) {
    throw new DomainError('FORBIDDEN', 'X-CSRF-Token is missing or does not belong to this session');
  }
}

function headerText(context: Context, name: string): string | undefined {
  const value = context.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function callerOf(context: Context, session: KnownSession & { readonly token: string }): OperatorCaller {
  const { operatorId, email, name, secondFactor, passwordTemporary, grants } = session;
  const { id, kind, expiresAt, reauthenticatedAt, token } = session;
  return {
    operator: { id: operatorId, email, name, secondFactor, passwordTemporary },
    session: { id, kind, expiresAt, reauthenticatedAt, token },
    grants,
    view: [],
    actor: { type: 'USER', id: operatorId, name: email, address: context.ip, requestId: context.state.requestId },
  };
}

function authorize(session: KnownSession, route: Route<OperatorCaller>): AppView {
  const { permission = '' } = route;
  const view = permission === 'own-session' ? [] : viewOfPermission(session, route);
  if (view === null) {
    throw new DomainError(
      'FORBIDDEN',
      permission === 'any-permission' ? 'you have no permission yet' : `you need the permission ${permission}`,
    );
  }
  if (route.sensitive === true && !session.fresh) {
    throw new DomainError('REAUTH_REQUIRED', 'confirm your password at POST /auth/reauth, then retry this request');
  }
  return view;
}

/** Returns null if the operator does not hold the permission, or not in every application where the route requires that. */
function viewOfPermission(session: KnownSession, { permission = '', everyApp }: Route<OperatorCaller>): AppView | null {
  if (session.passwordTemporary) {
    throw new DomainError('PASSWORD_CHANGE_REQUIRED', 'change your temporary password at POST /auth/password');
  }
  if (session.secondFactorRequired && !session.secondFactor) {
    throw new DomainError('SECOND_FACTOR_REQUIRED', 'set up a second factor at POST /auth/totp');
  }
  if (permission === 'any-permission') {
    return PERMISSIONS.some((one) => viewFor(session.grants, one).length > 0) ? [] : null;
  }
  const view = isPermission(permission) ? viewFor(session.grants, permission) : [];
  const holds = everyApp === true ? view === 'every-app' : view === 'every-app' || view.length > 0;
  return holds ? view : null;
}
