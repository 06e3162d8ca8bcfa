import type { ErrorCode } from '../../domain/errors.ts';

/** The HTTP status that each error code usually has: on the native API, and on paths that belong to no dialect. A dialect may differ. */
export const USUAL_STATUS = {
  VALIDATION_ERROR: 400,
  AMOUNT_OUT_OF_BOUNDS: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  RESOURCE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  RESOURCE_ALREADY_EXISTS: 409,
  INVALID_OPERATION_STATE: 409,
  IDEMPOTENCY_KEY_CONFLICT: 409,
  IDEMPOTENCY_IN_PROGRESS: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RATE_LIMITED: 429,
  GATEWAY_ERROR: 502,
  SERVICE_UNAVAILABLE: 503,
  INTERNAL_ERROR: 500,
} as const satisfies Record<ErrorCode, number>;
