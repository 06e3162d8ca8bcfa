import type { ErrorCode } from '../../domain/errors.ts';
import type { Permission } from '../../domain/permissions.ts';
import { z } from 'zod';
import { route, type Route, type RouteSpec } from '../http/route.ts';
import type { OperatorCaller } from './caller.ts';

/** What a route demands: a permission, any session at all, or nothing. */
export type Access = Permission | 'own-session' | 'public';

/** A route of the operators' API. Together they are the table of route × permission, which is tested from them. */
export interface AdminRoute extends Route<OperatorCaller> {
  readonly permission: Access;
}

type AdminSpec<Params, Query, Body, Data> = Omit<
  RouteSpec<Params, Query, Body, Data, OperatorCaller>,
  'auth' | 'permission' | 'query'
> & {
  readonly permission: Access;
  /** An object, so that what it does not name can be refused. */
  readonly query?: z.ZodType<Query> & z.ZodObject;
};

const SESSION_ERRORS: readonly ErrorCode[] = [
  'UNAUTHORIZED',
  'TOKEN_EXPIRED',
  'SESSION_EXPIRED',
  'RATE_LIMITED',
  'SERVICE_UNAVAILABLE',
  'INTERNAL_ERROR',
];
const PERMISSION_ERRORS: readonly ErrorCode[] = ['SECOND_FACTOR_REQUIRED', 'PASSWORD_CHANGE_REQUIRED'];
const BODY_ERRORS: readonly ErrorCode[] = ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];

/** A route without a permission does not compile. What its access, its input and its method can answer is added to its errors. */
export function adminRoute<Params, Query, Body, Data>(spec: AdminSpec<Params, Query, Body, Data>): AdminRoute {
  const { permission, method, body, query, sensitive } = spec;
  const open = permission === 'public';
  const errors: ErrorCode[] = [
    ...spec.errors,
    // Of every route: a query parameter that it does not know is refused.
    'VALIDATION_ERROR',
    ...(body === undefined ? [] : BODY_ERRORS),
    // By cookie, every change may be refused for its origin or its token.
    ...(method === 'GET' && (open || permission === 'own-session') ? [] : (['FORBIDDEN'] as const)),
    ...(sensitive === true ? (['REAUTH_REQUIRED'] as const) : []),
    ...(open || permission === 'own-session' ? [] : PERMISSION_ERRORS),
    ...(open ? (['RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'INTERNAL_ERROR'] as const) : SESSION_ERRORS),
  ];
  const auth = open ? 'none' : 'credential';
  // A filter that is misspelt must not answer everybody's rows, so a parameter that the route does not know is refused.
  const strictQuery = (query ?? z.object({})).strict();
  return { ...route({ ...spec, auth, errors: [...new Set(errors)] }), query: strictQuery, permission };
}
