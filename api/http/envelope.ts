import { z } from 'zod';
import type { DomainError, ErrorCode } from '../../domain/errors.ts';
import type { Pagination, RouteReply } from './route.ts';
import { USUAL_STATUS } from './status.ts';

/** `meta` of every response. `errorCode` is stable; `message` is for people and may change. */
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
  readonly pagination?: Pagination | null | undefined;
}

function envelope({ data, message, errorCode, pagination = null }: Envelope): string {
  const meta = { success: errorCode === null, message, errorCode, timestamp: new Date().toISOString() };
  return JSON.stringify({ data, meta, pagination });
}

/** Renders a route's reply as `{data, meta, pagination}`. */
export function renderEnvelope({ data, message, pagination }: RouteReply<unknown>): string {
  return envelope({ data, message: message ?? null, errorCode: null, pagination });
}

export function renderEnvelopeError(error: DomainError): { status: number; text: string } {
  return {
    status: USUAL_STATUS[error.code],
    text: envelope({ data: error.fields ?? null, message: error.message, errorCode: error.code }),
  };
}
