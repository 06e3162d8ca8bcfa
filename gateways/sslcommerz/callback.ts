import type { ParsedCallback } from '../port.ts';
import { signedContentOf } from './signature.ts';

/** Callback statuses of the v4 documentation; whatever else arrives claims nothing. */
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
    return {
      attemptReference: null,
      signatureValid: false,
      claims: 'unknown',
      claimedValidationId: null,
      note: 'REPEATED_FIELD',
    };
  }
  const storeId = fields.get('store_id');
  const content = signedContentOf(fields, store.password);
  const foreignStore = storeId !== undefined && storeId !== store.id;
  return {
    attemptReference: plainId(fields.get('tran_id')),
    signatureValid: !foreignStore && content !== null,
    // A payer has the signed form in the browser and could send it again with fields beside the signed ones: it is one callback all the same.
    ...(content === null ? {} : { eventId: content }),
    claims: CLAIMS.get(fields.get('status') ?? '') ?? 'unknown',
    claimedValidationId: plainId(fields.get('val_id')),
    note: foreignStore ? 'FOREIGN_STORE' : null,
  };
}

/** Which attempt the form speaks of, by its own words: by it the store is found whose signature it must bear. */
export function attemptNamedIn(rawBody: string): string | null {
  return plainId(uniqueFields(rawBody)?.get('tran_id'));
}

/** Two values for one field could be read differently by signer and reader, so such a form is refused whole. */
function uniqueFields(rawBody: string): Map<string, string> | null {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rawBody)) {
    if (fields.has(name)) {
      return null;
    }
    fields.set(name, value);
  }
  return fields;
}

function plainId(text: string | undefined): string | null {
  return text !== undefined && /^[0-9A-Za-z_-]{1,64}$/.test(text) ? text : null;
}
