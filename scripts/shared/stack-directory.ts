import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Creates a directory for the data of servers that are thrown away, such as `lenden-kills-1A2b3C`. The caller removes it. */
export function makeStackDirectory(prefix: string): string {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  // If Postgres runs as another account, that account needs access to its data directory.
  chmodSync(directory, 0o755);
  return directory;
}
