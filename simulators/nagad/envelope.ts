import { constants, privateDecrypt, publicEncrypt, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** The secret part of a message: RSA PKCS#1 v1.5 ciphertext for the reader, and the writer's signature over the plain bytes. Both are base64. */
export type Envelope = { sensitiveData: string; signature: string };

const padding = constants.RSA_PKCS1_PADDING;
const base64 = /^[0-9A-Za-z+/]+={0,2}$/;

export function seal(value: object, { reader, writer }: { reader: KeyObject; writer: KeyObject }): Envelope {
  const bytes = Buffer.from(JSON.stringify(value), 'utf8');
  return {
    sensitiveData: publicEncrypt({ key: reader, padding }, bytes).toString('base64'),
    signature: sign('sha256', bytes, writer).toString('base64'),
  };
}

/**
 * Opens a message. Returns the plain bytes and whether the writer signed exactly these, or undefined if decryption fails. Decrypting a wrong
 * ciphertext usually gives random bytes rather than an error.
 */
export function unseal(
  { sensitiveData, signature }: Envelope,
  { reader, writer }: { reader: KeyObject; writer: KeyObject },
): { bytes: Buffer; signed: boolean } | undefined {
  if (!base64.test(sensitiveData)) {
    return undefined;
  }
  try {
    const bytes = privateDecrypt({ key: reader, padding }, Buffer.from(sensitiveData, 'base64'));
    return {
      bytes,
      signed: base64.test(signature) && verify('sha256', bytes, writer, Buffer.from(signature, 'base64')),
    };
  } catch {
    return undefined;
  }
}
