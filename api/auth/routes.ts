import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { recordAudit } from '../../core/operators/store/audit.ts';
import { setPassword } from '../../core/operators/store/operators.ts';
import { hashPassword } from '../../core/operators/passwords.ts';
import { endSessions, listOpenSessions } from '../../core/operators/store/sessions.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { passwordProblem } from '../../runtime/password-rules.ts';
import { PERMISSIONS, viewFor } from '../../domain/permissions.ts';
import { sha256 } from '../../runtime/secrets.ts';
import type { OperatorCaller } from '../admin/caller.ts';
import type { AdminDependencies } from '../admin/dependencies.ts';
import { adminRoute, type AdminRoute } from '../admin/route.ts';
import { IdParams } from '../http/fields.ts';
import { readOperator } from '../../core/operators/store/operators.ts';
import { login } from './login.ts';
import { reauthenticate } from './reauthenticate.ts';
import { requireSameOrigin } from './same-origin.ts';
import { Login, Me, OpenSessions, PasswordChange, Reauthentication, SessionAnswer } from './schemas.ts';
import { CLEARED_COOKIE, csrfToken, sessionCookie } from './tokens.ts';
import { secondFactorRoutes } from './second-factor-routes.ts';

const TAG = 'Sessions';
const PROOF_ERRORS = ['INVALID_CREDENTIALS', 'SECOND_FACTOR_REQUIRED', 'RATE_LIMITED'] as const;

/** Returns the routes for an operator's own session, password and second factor. Every session can use them, whatever its permissions. */
export function authRoutes(deps: AdminDependencies): AdminRoute[] {
  return [
    logIn(deps),
    logOut(deps),
    me(),
    reauth(deps),
    changePassword(deps),
    sessions(deps),
    endSession(deps),
    ...secondFactorRoutes(deps),
  ];
}

function logIn(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/auth/login',
    operationId: 'logIn',
    tag: TAG,
    summary: 'Log in with email and password',
    description:
      'Failed attempts are counted per account and per address. After the first few, each failure lengthens the wait before the next attempt, up to 15 minutes.',
    permission: 'public',
    body: Login,
    response: { status: 200, schema: SessionAnswer },
    errors: PROOF_ERRORS,
    handler: async ({ body, headers, address, requestId }) => {
      requireSameOrigin(headers, deps);
      const { token, expiresAt, operatorId } = await login(deps, body, { address, requestId, headers });
      const operator = await deps.database.withOperator([], (em) => readOperator(em, operatorId));
      const { email, name, secondFactor, passwordTemporary } = operator;
      const self = { id: operatorId, email, name, secondFactor, passwordTemporary };
      return sessionAnswer({ token, kind: body.cookie === true ? 'COOKIE' : 'BEARER', expiresAt, operator: self });
    },
  });
}

interface Issued {
  readonly token: string;
  readonly kind: 'BEARER' | 'COOKIE';
  readonly expiresAt: Date;
  readonly operator: OperatorCaller['operator'];
}

/** The body leaves out the token when it is set as a cookie: scripts of the page must not be able to read it. */
function sessionAnswer({ token, kind, expiresAt, operator }: Issued) {
  const byCookie = kind === 'COOKIE';
  return {
    status: 200,
    data: {
      token: byCookie ? null : token,
      csrfToken: byCookie ? csrfToken(token) : null,
      expiresAt: expiresAt.toISOString(),
      operator: { ...operator, id: toJsonInteger(operator.id) },
    },
    ...(byCookie ? { headers: { 'Set-Cookie': sessionCookie(token, expiresAt) } } : {}),
  };
}

function logOut(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/auth/logout',
    operationId: 'logOut',
    tag: TAG,
    summary: 'Log out of the current session',
    permission: 'own-session',
    response: { status: 200, schema: z.null() },
    errors: [],
    handler: async ({ caller }) => {
      const { operator, session, actor } = caller;
      await deps.database.withOperator([], async (em) => {
        await endSessions(em, { operatorId: operator.id, only: session.id, reason: 'logout' });
        await recordAudit(em, { actor, action: 'session.closed', target: { type: 'session', id: session.id } });
      });
      return { status: 200, data: null, headers: session.kind === 'COOKIE' ? { 'Set-Cookie': CLEARED_COOKIE } : {} };
    },
  });
}

function me(): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/auth/me',
    operationId: 'getMe',
    tag: TAG,
    summary: 'Retrieve the current operator and their permissions',
    permission: 'own-session',
    response: { status: 200, schema: Me },
    errors: [],
    handler: async ({ caller }) => {
      const { operator, session, grants } = caller;
      const held = PERMISSIONS.map((permission) => ({ permission, view: viewFor(grants, permission) }));
      return {
        status: 200,
        data: {
          operator: { ...operator, id: toJsonInteger(operator.id) },
          session: {
            id: toJsonInteger(session.id),
            kind: session.kind,
            expiresAt: session.expiresAt.toISOString(),
            reauthenticatedAt: session.reauthenticatedAt.toISOString(),
          },
          csrfToken: session.kind === 'COOKIE' ? csrfToken(session.token) : null,
          permissions: held
            .filter(({ view }) => view.length > 0)
            .map(({ permission, view }) => ({
              permission,
              applications: view === 'every-app' ? null : view.map(toJsonInteger),
            })),
        },
      };
    },
  });
}

function reauth(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/auth/reauth',
    operationId: 'reauthenticate',
    tag: TAG,
    summary: 'Re-authenticate before a sensitive action',
    description: 'Returns a new session token; the previous one stops working immediately.',
    permission: 'own-session',
    body: Reauthentication,
    response: { status: 200, schema: SessionAnswer },
    errors: PROOF_ERRORS,
    handler: async ({ caller, body }) => {
      const token = await reauthenticate(deps, { caller, proof: body });
      return sessionAnswer({ ...caller.session, token, operator: caller.operator });
    },
  });
}

function changePassword(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/auth/password',
    operationId: 'changePassword',
    tag: TAG,
    summary: 'Change your password and end all other sessions',
    permission: 'own-session',
    body: PasswordChange,
    response: { status: 200, schema: SessionAnswer },
    errors: PROOF_ERRORS,
    handler: async ({ caller, body }) => {
      const { operator, session, actor } = caller;
      const problem = timingSafeEqual(sha256(body.newPassword), sha256(body.password))
        ? 'is the current password'
        : await passwordProblem(body.newPassword, operator);
      if (problem !== null) {
        throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { newPassword: problem } });
      }
      const passwordHash = await hashPassword(body.newPassword);
      const token = await reauthenticate(deps, {
        caller,
        proof: body,
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
      return sessionAnswer({ ...session, token, operator: { ...operator, passwordTemporary: false } });
    },
  });
}

function sessions(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/auth/sessions',
    operationId: 'listSessions',
    tag: TAG,
    summary: 'List your open sessions, newest first',
    permission: 'own-session',
    response: { status: 200, schema: OpenSessions },
    errors: [],
    handler: async ({ caller }) => {
      const { idleMs } = deps.sessionLimits;
      const open = await deps.database.withOperator([], (em) =>
        listOpenSessions(em, { operatorId: caller.operator.id, idleMs }),
      );
      return {
        status: 200,
        data: open.map((session) => ({
          ...session,
          id: toJsonInteger(session.id),
          current: session.id === caller.session.id,
          createdAt: session.createdAt.toISOString(),
          lastSeenAt: session.lastSeenAt.toISOString(),
          expiresAt: session.expiresAt.toISOString(),
        })),
      };
    },
  });
}

function endSession(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'DELETE',
    path: '/auth/sessions/{id}',
    operationId: 'endSession',
    tag: TAG,
    summary: 'End one of your sessions',
    permission: 'own-session',
    params: IdParams,
    response: { status: 200, schema: z.null() },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => {
      await deps.database.withOperator([], async (em) => {
        const operatorId = caller.operator.id;
        if ((await endSessions(em, { operatorId, only: params.id, reason: 'killed' })) === 0) {
          throw notFound('session');
        }
        const target = { type: 'session', id: params.id };
        await recordAudit(em, { actor: caller.actor, action: 'session.ended', target });
      });
      return { status: 200, data: null };
    },
  });
}
