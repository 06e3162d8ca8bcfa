import { noteUse, type KnownCredential } from '../core/applications/store/callers.ts';
import type { Database } from '../database/connection.ts';

const LAST_USED_EVERY_MS = 60_000;

/** Returns a function that records a credential's last use, at most once a minute, so that requests do not contend for one row. */
export function createUseNotes(database: Database): (credential: KnownCredential) => Promise<void> {
  const lastUsed = new Map<bigint, number>();
  return async (credential) => {
    const now = Date.now();
    if (now - (lastUsed.get(credential.credentialId) ?? 0) >= LAST_USED_EVERY_MS) {
      lastUsed.set(credential.credentialId, now);
      await noteUse(database, credential);
    }
  };
}
