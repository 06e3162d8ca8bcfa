import { hmacSha256, secretEquals } from '../runtime/secrets.ts';
import type { ParsedCallback } from './port.ts';

/** A callback that names nothing and claims nothing. `note` says why. */
export function unreadable(note: string): ParsedCallback {
  return { attemptReference: null, signatureValid: false, claims: 'unknown', claimedValidationId: null, note };
}

/** Returns a reference or id that a callback names, or null for anything that cannot be one. */
export function plainId(text: unknown): string | null {
  return typeof text === 'string' && /^[0-9A-Za-z_-]{1,64}$/.test(text) ? text : null;
}

/** Parses the fields of a form or query. Returns null if a field is repeated: signer and reader, or two readers, could pick different values. */
export function uniqueFields(text: string): ReadonlyMap<string, string> | null {
  const pairs = [...new URLSearchParams(text)];
  const fields = new Map(pairs);
  return fields.size === pairs.length ? fields : null;
}

const SEAL_CHARACTERS = 22;

/**
 * Returns the URL to which a gateway redirects the browser. Gateways do not sign this redirect, or not by a published scheme, so the URL carries a
 * seal of ours. A valid seal shows that the caller has visited this URL or received it from the gateway. It proves nothing about money.
 */
export function sealedReturnUrl(back: string, attemptReference: string, key: string | Buffer): string {
  return `${back}/${attemptReference}.${sealOf(attemptReference, key)}`;
}

/** A browser return, unverified. */
export interface BrowserReturn {
  readonly attemptReference: string;
  /** What the gateway added to the URL, without the question mark. */
  readonly query: string;
  /** Returns whether our seal in the URL was made with this key for this attempt. */
  isSealedWith(key: string | Buffer): boolean;
}

/** Reads a browser return, `reference.seal?query`. Returns null for anything else. */
export function readReturn(raw: string): BrowserReturn | null {
  const match = /^([0-9A-Za-z]{20})\.([0-9A-Za-z_-]{1,64})\?(.*)$/s.exec(raw);
  if (match === null) {
    return null;
  }
  const [, attemptReference = '', seal = '', query = ''] = match;
  return { attemptReference, query, isSealedWith: (key) => secretEquals(seal, sealOf(attemptReference, key)) };
}

function sealOf(attemptReference: string, key: string | Buffer): string {
  return hmacSha256(key, `browser return of ${attemptReference}`).toString('base64url').slice(0, SEAL_CHARACTERS);
}
