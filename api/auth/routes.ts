import { z } from 'zod';
import { requestForgottenPassword } from '../../core/operators/forgotten-password.ts';
import { logIn as openSession } from '../../core/operators/log-in.ts';
import {
  changePassword as setNewPassword,
  endOwnSession,
  listOwnSessions,
  logOut as closeSession,
} from '../../core/operators/own-session.ts';
import { reauthenticate } from '../../core/operators/reauthenticate.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { PERMISSIONS, viewFor } from '../../domain/permissions.ts';
import type { OperatorCaller } from '../admin/caller.ts';
import type { AdminDependencies } from '../admin/dependencies.ts';
import { adminRoute, type AdminRoute } from '../admin/route.ts';
import { IdParams } from '../http/fields.ts';
import { requireSameOrigin } from './same-origin.ts';
import {
  ForgottenPassword,
  ForgottenPasswordAnswer,
  Login,
  Me,
  OpenSessions,
  PasswordChange,
  Reauthentication,
  SessionAnswer,
} from './schemas.ts';
import { CLEARED_COOKIE, csrfToken, presentedToken, sessionCookie } from './tokens.ts';
import { secondFactorRoutes } from './second-factor-routes.ts';

const TAG = 'Sessions';
const PROOF_ERRORS = ['INVALID_CREDENTIALS', 'SECOND_FACTOR_REQUIRED', 'RATE_LIMITED'] as const;

/** Returns the routes for an operator's own session, password and second factor. Every session can use them, whatever its permissions. */
export function authRoutes(deps: AdminDependencies): AdminRoute[] {
  return [
    logIn(deps),
    forgottenPassword(deps),
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
      const client = {
        address,
        requestId,
        userAgent: headers['user-agent'] ?? null,
        presented: presentedToken({ cookie: headers['cookie'] }),
      };
      const { token, expiresAt, operator } = await openSession(deps, body, client);
      return sessionAnswer({ token, kind: body.cookie === true ? 'COOKIE' : 'BEARER', expiresAt, operator });
    },
  });
}

function forgottenPassword(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/auth/forgotten-password',
    operationId: 'requestPasswordLink',
    tag: TAG,
    summary: 'Have a link to set another password emailed to you',
    description:
      'The answer is the same whether or not there is such an operator. The link works once, for 24 hours, and another is sent after 15 minutes at the earliest. Your second factor stays. Without one, and with a permission that one person cannot grant alone, you get no link: ask another operator for it. Requests are counted per mailbox and per address.',
    permission: 'public',
    body: ForgottenPassword,
    response: { status: 202, schema: ForgottenPasswordAnswer },
    errors: [],
    handler: async ({ body: { email }, headers, address, requestId }) => {
      requireSameOrigin(headers, deps);
      if (deps.sendsEmail) {
        await requestForgottenPassword(deps, { email, client: { address, requestId } });
      }
      return { status: 202, data: { passwordLink: deps.sendsEmail ? 'MAILED' : 'ON_SERVER' } };
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
      await closeSession(deps, caller);
      return {
        status: 200,
        data: null,
        headers: caller.session.kind === 'COOKIE' ? { 'Set-Cookie': CLEARED_COOKIE } : {},
      };
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
      const { operator, session } = caller;
      const token = await setNewPassword(deps, caller, body);
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
      const open = await listOwnSessions(deps, caller);
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
      await endOwnSession(deps, caller, params.id);
      return { status: 200, data: null };
    },
  });
}
