import type { KnownSession } from '../../database/operators/sessions.ts';
import { useSession } from '../../database/operators/sessions.ts';
import { recordAudit, type Actor } from '../../database/operators/audit.ts';
import { DomainError } from '../../domain/errors.ts';
import { isPermission, viewFor, type AppView } from '../../domain/permissions.ts';
import type { OperatorCaller } from '../admin/caller.ts';
import type { AdminDependencies } from '../admin/dependencies.ts';
import { admitAddress, type RateLimiter } from '../http/rate-limit.ts';
import type { Route } from '../http/route.ts';
import type { Context } from '../http/surface.ts';
import { requireSameOrigin } from './same-origin.ts';
import { csrfTokenMatches, presentedToken, type PresentedToken } from './tokens.ts';

/** Requests a minute of one session: a dashboard asks a lot, a script that runs wild asks more. */
const SESSION_PER_MINUTE = 600;
/** Requests a minute of one address that show no session. */
const REFUSED_PER_MINUTE = 60;
const CHANGING: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Who calls, and whether he may: everything is read anew at every request, so what is taken away is gone at the next one. */
export function createOperatorAuthenticator(
  deps: AdminDependencies,
  limiter: RateLimiter,
): (context: Context, route: Route<OperatorCaller>) => Promise<OperatorCaller> {
  return async (context, route) => {
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
    limit(context, limiter, session);
    if (session.kind === 'COOKIE' && CHANGING.has(context.method)) {
      requireOwnPage(context, { deps, token: session.token });
    }
    const caller = callerOf(context, session);
    const view = await authorize(deps, { caller, session, route });
    return { ...caller, view };
  };
}

/** @throws DomainError UNAUTHORIZED, SESSION_EXPIRED, TOKEN_EXPIRED */
export async function openSessionOf(
  deps: AdminDependencies,
  presented: PresentedToken | null,
): Promise<KnownSession & { readonly token: string }> {
  if (presented === null) {
    throw new DomainError('UNAUTHORIZED', 'log in first');
  }
  const { idleMs } = deps.sessionLimits;
  const use = await deps.database.withOperator([], (em) => useSession(em, { ...presented, idleMs }));
  switch (use.kind) {
    case 'open':
      return { ...use.session, token: presented.token };
    case 'expired':
      throw new DomainError('TOKEN_EXPIRED', 'the session has reached its greatest age: log in again');
    case 'ended':
      throw new DomainError('SESSION_EXPIRED', 'the session is over: log in again');
    case 'unknown':
      throw new DomainError('UNAUTHORIZED', 'log in first');
  }
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

/** A browser sends its cookie for any page that asks; only ours knows the token that belongs to it. */
function requireOwnPage(context: Context, { deps, token }: { deps: AdminDependencies; token: string }): void {
  requireSameOrigin({ origin: context.headers.origin, 'sec-fetch-site': headerText(context, 'sec-fetch-site') }, deps);
  if (!csrfTokenMatches(token, headerText(context, 'x-csrf-token'))) {
    throw new DomainError('FORBIDDEN', 'X-CSRF-Token is missing or not of this session');
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

interface Authorizing {
  readonly caller: OperatorCaller;
  readonly session: KnownSession;
  readonly route: Route<OperatorCaller>;
}

async function authorize(deps: AdminDependencies, { caller, session, route }: Authorizing): Promise<AppView> {
  const { permission = '' } = route;
  const view = permission === 'own-session' ? [] : viewOfPermission(session, route);
  if (view === null) {
    await noteRefusal(deps, { actor: caller.actor, route });
    throw new DomainError('FORBIDDEN', `this needs the permission ${permission}`);
  }
  if (route.sensitive === true && !session.fresh) {
    throw new DomainError('REAUTH_REQUIRED', 'enter the password again at POST /auth/reauth, then repeat this');
  }
  return view;
}

/** Null when the operator does not hold it, or holds it in too few applications for this route. */
function viewOfPermission(session: KnownSession, { permission = '', everyApp }: Route<OperatorCaller>): AppView | null {
  if (session.passwordTemporary) {
    throw new DomainError('PASSWORD_CHANGE_REQUIRED', 'change the password that you were given at POST /auth/password');
  }
  if (session.secondFactorRequired && !session.secondFactor) {
    throw new DomainError('SECOND_FACTOR_REQUIRED', 'set up a second factor at POST /auth/totp');
  }
  const view = isPermission(permission) ? viewFor(session.grants, permission) : [];
  const holds = everyApp === true ? view === 'every-app' : view === 'every-app' || view.length > 0;
  return holds ? view : null;
}

async function noteRefusal(
  { database }: AdminDependencies,
  { actor, route }: { actor: Actor; route: Route<OperatorCaller> },
): Promise<void> {
  await database.withOperator([], (em) =>
    recordAudit(em, {
      actor,
      action: 'permission.refused',
      target: { type: 'route', id: `${route.method} ${route.path}` },
      after: { permission: route.permission ?? null },
    }),
  );
}
