import { createHash } from 'node:crypto';
import { hmacSha256, secretEquals } from '../../runtime/secrets.ts';
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

const SEAL_CHARACTERS = 22;

/**
 * Returns the URL to which Nagad redirects the browser. Nagad does not sign it, so the URL carries a seal of ours. A valid seal shows that the caller
 * has visited this URL or received it from the gateway. It proves nothing about money.
 */
export function sealedAddress(back: string, attemptReference: string, credentials: NagadCredentials): string {
  return `${back}/${attemptReference}.${sealOf(attemptReference, credentials)}`;
}

/** Returns the attempt that a callback names, unverified. */
export function attemptNamedIn(raw: string): string | null {
  return returnIn(raw)?.reference ?? null;
}

/** Reads the browser's return, `reference.seal?merchant=…&order_id=…`. */
export function parseCallback(raw: string, credentials: NagadCredentials): ParsedCallback {
  const found = returnIn(raw);
  if (found === null) {
    return {
      attemptReference: null,
      signatureValid: false,
      claims: 'unknown',
      claimedValidationId: null,
      note: 'UNREADABLE',
    };
  }
  const { reference, seal, fields } = found;
  const foreign = (fields.get('merchant') ?? credentials.merchantId) !== credentials.merchantId;
  const paymentReference = PaymentReference.safeParse(fields.get('payment_ref_id'));
  return {
    attemptReference: reference,
    signatureValid: !foreign && secretEquals(seal, sealOf(reference, credentials)),
    claims: CLAIMS.get(fields.get('status') ?? '') ?? 'unknown',
    claimedValidationId: paymentReference.success ? paymentReference.data : null,
    note: foreign ? 'FOREIGN_MERCHANT' : null,
  };
}

/** Requires that the seal and Nagad name the same attempt and that no field is repeated: two readers could pick different values. */
function returnIn(
  raw: string,
): { readonly reference: string; readonly seal: string; readonly fields: ReadonlyMap<string, string> } | null {
  const match = /^([0-9A-Za-z]{20})\.([0-9A-Za-z_-]{1,64})\?(.*)$/s.exec(raw);
  const [, reference = '', seal = '', query = ''] = match ?? [];
  const pairs = [...new URLSearchParams(query)];
  const fields = new Map(pairs);
  const agrees = (fields.get('order_id') ?? reference) === reference;
  return match !== null && agrees && fields.size === pairs.length ? { reference, seal, fields } : null;
}

/** Keyed by the account's private key, its only secret that is never sent. */
function sealOf(attemptReference: string, { merchantPrivateKey }: NagadCredentials): string {
  const key = createHash('sha256')
    .update(merchantPrivateKey.export({ format: 'der', type: 'pkcs8' }))
    .digest();
  return hmacSha256(key, `the way back of ${attemptReference}`).toString('base64url').slice(0, SEAL_CHARACTERS);
}
