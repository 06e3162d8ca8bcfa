import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { readSecret } from '../json.ts';
import { GatewayFailure } from '../port.ts';

/** What a Nagad merchant needs apart from the merchant id, which is the id of the store. */
const Secret = z.object({
  /** PEM, or its bare base64 body: PKCS#8 or PKCS#1. */
  merchantPrivateKey: z.string().min(1).max(10_000),
  /** Nagad's public key, PEM or its bare base64 body (SPKI). It verifies the signatures of Nagad's answers. */
  gatewayPublicKey: z.string().min(1).max(10_000),
  /** `X-KM-IP-V4` of every call: the IP address under which Nagad knows this installation. */
  address: z.ipv4(),
});

/** The account of one merchant, with parsed keys. */
export interface NagadCredentials {
  readonly merchantId: string;
  readonly merchantPrivateKey: KeyObject;
  readonly gatewayPublicKey: KeyObject;
  readonly address: string;
}

const MODULUS_BITS_MIN = 2048;

/**
 * Parses the secret of a store: JSON with `merchantPrivateKey`, `gatewayPublicKey` and `address`.
 * @throws GatewayFailure `unauthorized` for anything else; its message names what is wrong, never the value
 */
export function readCredentials(merchantId: string, secret: string): NagadCredentials {
  const parsed = readSecret(Secret, secret, expecting('JSON with merchantPrivateKey, gatewayPublicKey and address'));
  if (!/^[0-9A-Za-z]{1,20}$/.test(merchantId)) {
    throw unusable('that of a merchant whose id has at most 20 letters and digits');
  }
  const { merchantPrivateKey, gatewayPublicKey, address } = parsed;
  return {
    merchantId,
    merchantPrivateKey: rsaKey('merchantPrivateKey', () => privateKeyFrom(merchantPrivateKey)),
    gatewayPublicKey: rsaKey('gatewayPublicKey', () => publicKeyFrom(gatewayPublicKey)),
    address,
  };
}

function rsaKey(name: string, read: () => KeyObject | undefined): KeyObject {
  const key = attempt(read);
  const bits = key?.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key?.asymmetricKeyType !== 'rsa' || bits < MODULUS_BITS_MIN) {
    throw unusable(`JSON with an RSA key of at least ${MODULUS_BITS_MIN} bits as ${name}`);
  }
  return key;
}

function privateKeyFrom(text: string): KeyObject | undefined {
  const key = derOf(text);
  return (
    attempt(() => createPrivateKey({ key, format: 'der', type: 'pkcs8' })) ??
    attempt(() => createPrivateKey({ key, format: 'der', type: 'pkcs1' }))
  );
}

function publicKeyFrom(text: string): KeyObject {
  return createPublicKey({ key: derOf(text), format: 'der', type: 'spki' });
}

/** Nagad issues its keys without a PEM header, and clients add one that is not always the right one. */
function derOf(text: string): Buffer {
  return Buffer.from(text.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64');
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function unusable(what: string): GatewayFailure {
  return new GatewayFailure('unauthorized', expecting(what));
}

function expecting(what: string): string {
  return `the secret of a Nagad store must be ${what}`;
}
