import type { SealedPlace } from './sealed-places.ts';
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Encrypts secrets that must be recoverable: signing secrets, gateway passwords, second factors. */
export interface SecretBox {
  /** The id of the master key that seals. */
  readonly keyId: string;
  seal(plain: string, place: SealedPlace): string;
  /** Decrypts a secret. Throws if it was sealed by an unknown key, was changed, or belongs to another place. */
  open(sealed: string, place: SealedPlace): string;
  /** Returns whether the master key that a secret names has sealed it. False for an unknown id. */
  fits(sealed: string): boolean;
  /** Returns the same secret of the same place under the current key, or null if it is under that key already. Throws if its key is unknown. */
  reseal(sealed: string): string | null;
}

const ENVELOPE = 'v1';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Returns envelope encryption by AES-256-GCM: each secret has a key of its own, and the master key seals only that key. The format is
 * `v1.{keyId}.{sealed data key}.{sealed secret}`, each part base64url(iv ‖ ciphertext ‖ tag). The data key is bound to the master key's id, the
 * secret to its place. The first master key seals and every listed key opens; to rotate, put the new key first. Throws on a malformed
 * `LENDEN_MASTER_KEY`; the message never repeats its value.
 *
 * @param masterKeys - `keyId:base64(32 bytes)`, comma-separated
 */
export function createSecretBox(masterKeys: string): SecretBox {
  const keys = parseMasterKeys(masterKeys);
  const [current] = keys;
  if (current === undefined) {
    throw new Error('LENDEN_MASTER_KEY contains no key');
  }
  const [keyId, masterKey] = current;
  const envelope = (dataKey: Buffer, body: string): string =>
    `${ENVELOPE}.${keyId}.${encrypt(masterKey, dataKey, keyId)}.${body}`;
  const masterKeyOf = (id: string): Buffer => {
    const known = keys.get(id);
    if (known === undefined) {
      throw new Error(`a secret is sealed under the key id "${id}", which LENDEN_MASTER_KEY does not list`);
    }
    return known;
  };
  return {
    keyId,
    seal(plain, place) {
      const dataKey = randomBytes(KEY_BYTES);
      return envelope(dataKey, encrypt(dataKey, Buffer.from(plain), contextOf(place)));
    },
    open(sealed, place) {
      const { sealedBy, sealedKey, body } = partsOf(sealed);
      const dataKey = decrypt(masterKeyOf(sealedBy), sealedKey, sealedBy);
      return decrypt(dataKey, body, contextOf(place)).toString('utf8');
    },
    fits(sealed) {
      try {
        const { sealedBy, sealedKey } = partsOf(sealed);
        decrypt(masterKeyOf(sealedBy), sealedKey, sealedBy);
        return true;
      } catch {
        return false;
      }
    },
    reseal(sealed) {
      const { sealedBy, sealedKey, body } = partsOf(sealed);
      return sealedBy === keyId ? null : envelope(decrypt(masterKeyOf(sealedBy), sealedKey, sealedBy), body);
    },
  };
}

/** Column names contain no line break, so contexts of different places differ. */
function contextOf({ column, key }: SealedPlace): string {
  return `${column}\n${key}`;
}

function partsOf(sealed: string): { sealedBy: string; sealedKey: string; body: string } {
  const [version, sealedBy = '', sealedKey = '', body = '', ...rest] = sealed.split('.');
  if (version !== ENVELOPE || rest.length > 0) {
    throw new Error('a secret is sealed in an unknown format');
  }
  return { sealedBy, sealedKey, body };
}

function encrypt(key: Buffer, plain: Buffer, authenticated: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(Buffer.from(authenticated));
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

function decrypt(key: Buffer, sealed: string, authenticated: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < IV_BYTES + TAG_BYTES) {
    throw new Error('a sealed secret is too short');
  }
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES));
  decipher.setAAD(Buffer.from(authenticated));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
}

/** @throws Error that says what is wrong with `LENDEN_MASTER_KEY`, and never repeats it. */
export function parseMasterKeys(text: string): Map<string, Buffer> {
  const keys = new Map<string, Buffer>();
  for (const part of text.split(',')) {
    const [id, encoded = ''] = part.trim().split(':');
    const key = Buffer.from(encoded, 'base64');
    if (id === undefined || !/^[A-Za-z0-9_-]{1,32}$/.test(id) || key.length !== 32) {
      throw new Error('LENDEN_MASTER_KEY must be keyId:base64(32 bytes), comma-separated');
    }
    if (keys.has(id)) {
      throw new Error('LENDEN_MASTER_KEY lists one key id twice: only one of the two keys would ever be used');
    }
    keys.set(id, key);
  }
  return keys;
}

export function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

export function hmacSha256(key: string | Uint8Array, data: string | Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** Compares two texts in constant time, so that the duration does not reveal how much of a guess is right. */
export function secretEquals(claimed: string, right: string): boolean {
  const [left, expected] = [Buffer.from(claimed), Buffer.from(right)];
  return left.length === expected.length && timingSafeEqual(left, expected);
}
