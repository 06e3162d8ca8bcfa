import { z } from 'zod';
import type { DomainError, ErrorCode } from '../../domain/errors.ts';
import type { RouteReply } from '../http/route.ts';
import { USUAL_STATUS } from '../http/status.ts';

/** The native API answers the usual statuses. */
export const NATIVE_STATUS = USUAL_STATUS;

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
