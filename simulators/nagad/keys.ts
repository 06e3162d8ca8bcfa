import { createPrivateKey, createPublicKey, generateKeyPair } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Merchant } from './merchants.ts';

/** Base64 bodies of PEM without header and footer, the form in which keys are exchanged with Nagad: PKCS#8 and SPKI. */
type StoredPair = { privateKey: string; publicKey: string };

/** The content of `nagad/keys.json` in the data folder, readable only by its owner. The keys are made once, because merchants keep copies of them. */
export type StoredKeys = {
  gateway: StoredPair;
  /** Key pairs of merchants that supplied no public key of their own. */
  merchants: Record<string, StoredPair>;
};

export type Keys = {
  /** Decrypts what merchants send and signs the answers. */
  gateway: KeyObject;
  merchants: ReadonlyMap<string, KeyObject>;
};

const makePair = promisify(generateKeyPair);
const modulusBits = 2048;

/** Reads the keys and makes any that are missing. Only one process may use a data folder. */
export async function readOrMakeKeys(dataDir: string, merchants: readonly Merchant[]): Promise<StoredKeys> {
  const folder = join(dataDir, 'nagad');
  const path = join(folder, 'keys.json');
  await mkdir(folder, { recursive: true });
  const known = await readKeys(path);
  const made: StoredKeys = { gateway: known?.gateway ?? (await newPair()), merchants: { ...known?.merchants } };
  for (const { id, publicKey } of merchants) {
    if (publicKey === undefined) {
      made.merchants[id] ??= await newPair();
    }
  }
  if (JSON.stringify(made) !== JSON.stringify(known)) {
    await writeWhole(path, JSON.stringify(made));
  }
  return made;
}

export function openKeys(stored: StoredKeys, merchants: readonly Merchant[]): Keys {
  const publicKeys = merchants.flatMap(({ id, publicKey = stored.merchants[id]?.publicKey }): [string, KeyObject][] =>
    publicKey === undefined ? [] : [[id, createPublicKey({ key: fromBody(publicKey), format: 'der', type: 'spki' })]],
  );
  const gateway = createPrivateKey({ key: fromBody(stored.gateway.privateKey), format: 'der', type: 'pkcs8' });
  return { gateway, merchants: new Map(publicKeys) };
}

async function readKeys(path: string): Promise<StoredKeys | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as StoredKeys);
}

async function newPair(): Promise<StoredPair> {
  const pair = await makePair('rsa', { modulusLength: modulusBits });
  return {
    privateKey: pair.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    publicKey: pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  };
}

/** Writes the whole file or nothing: an incomplete key file would lock out every merchant. */
async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  await file.writeFile(text);
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
}

function fromBody(body: string): Buffer {
  return Buffer.from(body, 'base64');
}
