import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SHARED_MEMORY = '/dev/shm';
/** Several times the size of the servers' data in a whole run. */
const SHARED_MEMORY_BYTES_MIN = 4 * 1_024 ** 3;

/** Creates a directory for temporary data. It is in memory if there is enough, because every test file clones a database. */
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

/** Returns zero if the system has no shared memory. */
function sharedMemoryBytes(): number {
  try {
    const { bavail, bsize } = statfsSync(SHARED_MEMORY);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
