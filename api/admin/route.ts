import type { ErrorCode } from '../../domain/errors.ts';
import type { Permission } from '../../domain/permissions.ts';
import { z } from 'zod';
import { route, type Route, type RouteSpec } from '../http/route.ts';
import type { OperatorCaller } from './caller.ts';

/** What a route requires: a permission; any permission, where the handler shows only what each one allows; any session; or nothing. */
export type Access = Permission | 'any-permission' | 'own-session' | 'public';

/** A route of the operators' API. Tests derive the table of permissions by route from these objects. */
export interface AdminRoute extends Route<OperatorCaller> {
  readonly permission: Access;
}

type AdminSpec<Params, Query, Body, Data> = Omit<
  RouteSpec<Params, Query, Body, Data, OperatorCaller>,
  'auth' | 'permission' | 'query'
> & {
  readonly permission: Access;
  /** An object, so that unknown parameters can be rejected. */
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

/** Returns an operators' route; one without a permission does not compile. Adds the errors that its access, input and method can cause. */
export function adminRoute<Params, Query, Body, Data>(spec: AdminSpec<Params, Query, Body, Data>): AdminRoute {
  const { permission, method, body, bytes, query, sensitive } = spec;
  const open = permission === 'public';
  const errors: ErrorCode[] = [
    ...spec.errors,
    // Every route rejects unknown query parameters.
    'VALIDATION_ERROR',
    ...(body === undefined && bytes === undefined ? [] : BODY_ERRORS),
    // With a cookie, every change can be refused for its origin or its CSRF token.
    ...(method === 'GET' && (open || permission === 'own-session') ? [] : (['FORBIDDEN'] as const)),
    ...(sensitive === true ? (['REAUTH_REQUIRED'] as const) : []),
    ...(open || permission === 'own-session' ? [] : PERMISSION_ERRORS),
    ...(open ? (['RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'INTERNAL_ERROR'] as const) : SESSION_ERRORS),
  ];
  const auth = open ? 'none' : 'credential';
  // Unknown parameters are rejected, because a misspelt filter would otherwise return every row.
  const strictQuery = (query ?? z.object({})).strict();
  return { ...route({ ...spec, auth, errors: [...new Set(errors)] }), query: strictQuery, permission };
}
