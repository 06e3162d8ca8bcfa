import { createHash } from 'node:crypto';
import { readReturn, uniqueFields, unreadable } from '../callback.ts';
import type { ParsedCallback } from '../port.ts';
import { PaymentReference } from './answers.ts';
import type { NagadCredentials } from './credentials.ts';

/** Statuses of the browser's return. Source: open-source clients; `Cancelled` appears in verifications only. */
const CLAIMS: ReadonlyMap<string, ParsedCallback['claims']> = new Map([
  ['Success', 'paid'],
  ['Failed', 'failed'],
  ['Aborted', 'cancelled'],
  ['Cancelled', 'cancelled'],
]);

/** Returns the attempt that a callback names, unverified. */
export function attemptNamedIn(raw: string): string | null {
  return returnIn(raw)?.attemptReference ?? null;
}

/** Reads the browser's return, `reference.seal?merchant=…&order_id=…`. */
export function parseCallback(raw: string, credentials: NagadCredentials): ParsedCallback {
  const found = returnIn(raw);
  if (found === null) {
    return unreadable('UNREADABLE');
  }
  const { attemptReference, fields } = found;
  const foreign = (fields.get('merchant') ?? credentials.merchantId) !== credentials.merchantId;
  const paymentReference = PaymentReference.safeParse(fields.get('payment_ref_id'));
  return {
    attemptReference,
    signatureValid: !foreign && found.isSealedWith(sealKeyOf(credentials)),
    claims: CLAIMS.get(fields.get('status') ?? '') ?? 'unknown',
    claimedValidationId: paymentReference.success ? paymentReference.data : null,
    note: foreign ? 'FOREIGN_MERCHANT' : null,
  };
}

/** Requires that our seal and Nagad name the same attempt and that no field is repeated. */
function returnIn(raw: string) {
  const found = readReturn(raw);
  const fields = found === null ? null : uniqueFields(found.query);
  if (found === null || fields === null) {
    return null;
  }
  const agrees = (fields.get('order_id') ?? found.attemptReference) === found.attemptReference;
  return agrees ? { ...found, fields } : null;
}

/** The key of the seal in return URLs, derived from the account's private key: its only secret that is never sent. */
export function sealKeyOf({ merchantPrivateKey }: NagadCredentials): Buffer {
  return createHash('sha256')
    .update(merchantPrivateKey.export({ format: 'der', type: 'pkcs8' }))
    .digest();
}
