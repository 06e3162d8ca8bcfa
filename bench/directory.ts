import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const DATA = resolve(import.meta.dirname, '..', '.lenden', 'bench');
const made = new Set<string>();

/** Creates a folder for the servers of one measurement, on the repository's disk. The caller removes it. */
export function makeDirectory(): string {
  mkdirSync(DATA, { recursive: true });
  const directory = mkdtempSync(join(DATA, 'stack-'));
  if (made.size === 0) {
    process.once('exit', removeAll);
  }
  made.add(directory);
  return directory;
}

/** Removes the files of a run that is stopped while its servers are still starting, when no other code would remove them. */
function removeAll(): void {
  for (const directory of made) {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
