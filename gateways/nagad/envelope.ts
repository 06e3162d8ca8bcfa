import { constants, privateDecrypt, publicEncrypt, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../json.ts';
import { GatewayFailure } from '../port.ts';
import type { NagadCredentials } from './credentials.ts';

/**
 * The encrypted part of a message to or from Nagad: RSA PKCS#1 v1.5 with the recipient's key, and RSA-SHA256 by the sender over the same bytes, both
 * base64. Source: every working open-source client; one readme mentions SHA-1.
 */
const Envelope = z.object({ sensitiveData: z.base64().max(2_000), signature: z.base64().max(2_000) });

const padding = constants.RSA_PKCS1_PADDING;

/** @throws RangeError or an OpenSSL error if the value does not fit: 245 bytes with a 2048-bit key */
export function seal(value: object, credentials: NagadCredentials): z.infer<typeof Envelope> {
  const bytes = Buffer.from(JSON.stringify(value), 'utf8');
  return {
    sensitiveData: publicEncrypt({ key: credentials.gatewayPublicKey, padding }, bytes).toString('base64'),
    signature: sign('sha256', bytes, credentials.merchantPrivateKey).toString('base64'),
  };
}

/**
 * Decrypts an answer and accepts it only if Nagad signed these bytes. A failed decryption usually yields random bytes instead of an error; the
 * signature check rejects those too.
 * @throws GatewayFailure `ambiguous` for anything not provably from Nagad, the same whatever the reason
 */
export function unseal<Schema extends z.ZodType>(
  schema: Schema,
  answer: unknown,
  credentials: NagadCredentials,
): z.infer<Schema> {
  const envelope = Envelope.safeParse(answer);
  const bytes = envelope.success ? openedBytes(envelope.data, credentials) : null;
  const parsed = bytes === null ? undefined : schema.safeParse(parseJson(bytes.toString('utf8')));
  if (parsed?.success !== true) {
    throw new GatewayFailure('ambiguous', 'the answer is not provably from the gateway');
  }
  return parsed.data;
}

function openedBytes(
  { sensitiveData, signature }: z.infer<typeof Envelope>,
  { merchantPrivateKey, gatewayPublicKey }: NagadCredentials,
): Buffer | null {
  try {
    const bytes = privateDecrypt({ key: merchantPrivateKey, padding }, Buffer.from(sensitiveData, 'base64'));
    return verify('sha256', bytes, gatewayPublicKey, Buffer.from(signature, 'base64')) ? bytes : null;
  } catch {
    return null;
  }
}
