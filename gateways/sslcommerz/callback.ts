import { plainId, uniqueFields, unreadable } from '../callback.ts';
import type { ParsedCallback } from '../port.ts';
import { signedContentOf } from './signature.ts';

/** Callback statuses of the v4 documentation. Any other status claims nothing. */
const CLAIMS: ReadonlyMap<string, ParsedCallback['claims']> = new Map([
  ['VALID', 'paid'],
  ['VALIDATED', 'paid'],
  ['FAILED', 'failed'],
  ['CANCELLED', 'cancelled'],
  ['UNATTEMPTED', 'expired'],
  ['EXPIRED', 'expired'],
]);

/** Reads the form that the gateway posts to the IPN and return URLs. */
export function parseCallback(rawBody: string, store: { id: string; password: string }): ParsedCallback {
  const fields = uniqueFields(rawBody);
  if (fields === null) {
    return unreadable('REPEATED_FIELD');
  }
  const storeId = fields.get('store_id');
  const content = signedContentOf(fields, store.password);
  const foreignStore = storeId !== undefined && storeId !== store.id;
  return {
    attemptReference: plainId(fields.get('tran_id')),
    signatureValid: !foreignStore && content !== null,
    // A payer can resend the signed form from the browser with extra unsigned fields. It still counts as the same callback.
    ...(content === null ? {} : { eventId: content }),
    claims: CLAIMS.get(fields.get('status') ?? '') ?? 'unknown',
    claimedValidationId: plainId(fields.get('val_id')),
    note: foreignStore ? 'FOREIGN_STORE' : null,
  };
}

/** Returns the attempt that the form names, unverified. It determines the store whose signature the form must carry. */
export function attemptNamedIn(rawBody: string): string | null {
  return plainId(uniqueFields(rawBody)?.get('tran_id'));
}
