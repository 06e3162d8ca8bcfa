import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SHARED_MEMORY = '/dev/shm';
/** What the servers' data grow to in a whole run, several times over. */
const SHARED_MEMORY_BYTES_MIN = 4 * 1_024 ** 3;

/** A new directory for data that is thrown away: in memory where there is enough of it, since every test file clones a database. */
export function makeScratchDirectory(prefix: string): string {
  if (sharedMemoryBytes() >= SHARED_MEMORY_BYTES_MIN) {
    try {
      return mkdtempSync(join(SHARED_MEMORY, prefix));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EROFS'))) {
        throw error;
      }
    }
  }
  return mkdtempSync(join(tmpdir(), prefix));
}

/** Zero where the system has none. */
function sharedMemoryBytes(): number {
  try {
    const { bavail, bsize } = statfsSync(SHARED_MEMORY);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
