import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';

/** Encrypts what must be recoverable (signing secrets, gateway passwords) under the master key. */
export interface SecretBox {
  seal(plain: string): string;
  /** Throws when the text was not sealed by a key that this process knows, or was changed. */
  open(sealed: string): string;
}

const VERSION = 'v1';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM, `v1.{keyId}.{base64url(iv ‖ ciphertext ‖ tag)}`. The first key seals, every listed key opens, so a key is rotated by
 * putting the new one in front. Throws on a malformed `LENDEN_MASTER_KEY`; the message never repeats its value.
 *
 * @param masterKeys - `keyId:base64(32 bytes)`, comma-separated
 */
export function createSecretBox(masterKeys: string): SecretBox {
  const keys = parseMasterKeys(masterKeys);
  const [current] = keys;
  if (current === undefined) {
    throw new Error('LENDEN_MASTER_KEY holds no key');
  }
  const [currentId, currentKey] = current;
  return {
    seal(plain) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', currentKey, iv);
      cipher.setAAD(Buffer.from(currentId));
      const sealed = Buffer.concat([iv, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${VERSION}.${currentId}.${sealed.toString('base64url')}`;
    },
    open(sealed) {
      const [version, keyId = '', body = ''] = sealed.split('.');
      const key = keys.get(keyId);
      const bytes = Buffer.from(body, 'base64url');
      if (version !== VERSION || key === undefined || bytes.length < IV_BYTES + TAG_BYTES) {
        throw new Error(`a secret is sealed under the key id "${keyId}", which LENDEN_MASTER_KEY does not list`);
      }
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES));
      decipher.setAAD(Buffer.from(keyId));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
    },
  };
}

function parseMasterKeys(text: string): Map<string, Buffer> {
  const keys = new Map<string, Buffer>();
  for (const part of text.split(',')) {
    const [id, encoded = ''] = part.trim().split(':');
    const key = Buffer.from(encoded, 'base64');
    if (id === undefined || !/^[A-Za-z0-9_-]{1,32}$/.test(id) || key.length !== 32) {
      throw new Error('LENDEN_MASTER_KEY must be keyId:base64(32 bytes), comma-separated');
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
