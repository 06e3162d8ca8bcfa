import { z } from 'zod';
import { unreadable } from '../callback.ts';
import { parseJson } from '../json.ts';
import type { ParsedCallback } from '../port.ts';

/** Stored in place of a gateway's callback when operators have decided. It cannot be sent from outside. */
const Decided = z.object({
  attemptReference: z.string().regex(/^[0-9A-Za-z]{20}$/),
  validationId: z.string().min(1),
  decisionId: z.string().regex(/^\d+$/),
  decided: z.enum(['confirmed', 'rejected']),
});
export type DecidedNotice = z.infer<typeof Decided>;

export function decidedNotice(notice: DecidedNotice): string {
  return JSON.stringify(notice);
}

export function parseCallback(raw: string): ParsedCallback {
  const parsed = Decided.safeParse(parseJson(raw));
  if (!parsed.success) {
    return unreadable('UNREADABLE');
  }
  const { attemptReference, validationId, decided } = parsed.data;
  return {
    attemptReference,
    signatureValid: true,
    claims: decided === 'confirmed' ? 'paid' : 'unknown',
    claimedValidationId: decided === 'confirmed' ? validationId : null,
    note: null,
  };
}
