import { constants, privateDecrypt, publicEncrypt, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { GatewayFailure } from '../port.ts';
import type { NagadCredentials } from './credentials.ts';

/**
 * What is secret in a message to Nagad and from it: RSA PKCS#1 v1.5 under the reader's key, and RSA-SHA256 by the writer over the same
 * bytes. Both base64. Source: every working open-source client; one readme speaks of SHA-1.
 */
const Envelope = z.object({ sensitiveData: z.base64().max(2_000), signature: z.base64().max(2_000) });

const padding = constants.RSA_PKCS1_PADDING;

/** @throws RangeError or an error of OpenSSL for more than fits, which is 245 bytes under a key of 2048 bits */
export function seal(value: object, credentials: NagadCredentials): z.infer<typeof Envelope> {
  const bytes = Buffer.from(JSON.stringify(value), 'utf8');
  return {
    sensitiveData: publicEncrypt({ key: credentials.gatewayPublicKey, padding }, bytes).toString('base64'),
    signature: sign('sha256', bytes, credentials.merchantPrivateKey).toString('base64'),
  };
}

/**
 * Opens an answer and believes it only when Nagad signed these very bytes. What cannot be decrypted mostly gives random bytes instead of
 * an error; the signature refuses those too.
 * @throws GatewayFailure `ambiguous` for whatever is not provably Nagad's, alike whatever was wrong with it
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
    throw new GatewayFailure('ambiguous', 'the answer does not prove to be the gateway’s');
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
