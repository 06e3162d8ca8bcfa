import { z } from 'zod';
import type { DomainError, ErrorCode } from '../../domain/errors.ts';
import type { RouteReply } from '../http/route.ts';

/** HTTP status of every error code on the native API. A code that is missing here does not compile. */
export const NATIVE_STATUS = {
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

/** `meta` of every answer. `errorCode` is the stable contract; `message` is for people and may change. */
export const Meta = z.object({
  success: z.boolean(),
  message: z.string().nullable(),
  errorCode: z.string().nullable(),
  timestamp: z.iso.datetime(),
});

interface Envelope {
  readonly data: unknown;
  readonly message: string | null;
  readonly errorCode: ErrorCode | null;
}

function envelope({ data, message, errorCode }: Envelope): string {
  const meta = { success: errorCode === null, message, errorCode, timestamp: new Date().toISOString() };
  return JSON.stringify({ data, meta, pagination: null });
}

export function renderNative(reply: RouteReply<unknown>): string {
  return envelope({ data: reply.data, message: reply.message ?? null, errorCode: null });
}

export function renderNativeError(error: DomainError): { status: number; text: string } {
  return {
    status: NATIVE_STATUS[error.code],
    text: envelope({ data: error.fields ?? null, message: error.message, errorCode: error.code }),
  };
}
