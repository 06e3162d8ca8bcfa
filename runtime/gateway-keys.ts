import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { Mode } from '../domain/mode.ts';

/** Settings with keys are checked early: a wrong one would fail with the first payer, or never be noticed. */

const MODULUS_BITS_MIN = 2048;

/** Accepts PEM or its bare base64 body, PKCS#8 or PKCS#1. */
export function isRsaPrivateKey(text: string): boolean {
  const key = bodyOf(text);
  return (['pkcs8', 'pkcs1'] as const).some((type) => isRsa(() => createPrivateKey({ key, format: 'der', type })));
}

/** Accepts PEM or its bare base64 body (SPKI). */
export function isRsaPublicKey(text: string): boolean {
  return isRsa(() => createPublicKey({ key: bodyOf(text), format: 'der', type: 'spki' }));
}

/** Accepts the PEM of a certificate or of a public key. */
export function isCertificate(text: string): boolean {
  return succeeds(() => new X509Certificate(text)) || succeeds(() => createPublicKey(text));
}

/** Returns whether a Stripe key belongs to the mode. With a test key in LIVE, Stripe's published test cards could pay. */
export function isStripeKeyOf(mode: Mode, key: string): boolean {
  return new RegExp(`^[rs]k_${mode.toLowerCase()}_`).test(key);
}

function isRsa(read: () => KeyObject): boolean {
  return succeeds(() => {
    const { asymmetricKeyType, asymmetricKeyDetails } = read();
    if (asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) < MODULUS_BITS_MIN) {
      throw new Error('not an RSA key of that size');
    }
  });
}

function bodyOf(text: string): Buffer {
  return Buffer.from(text.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64');
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
