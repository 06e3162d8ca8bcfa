import { execFileSync } from 'node:child_process';

const ROOT = new URL('../../..', import.meta.url);

/** Returns the checkout's commit in twelve digits, with `-dirty` after it if files have changed, or `unknown` for a copy without its history. */
export function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=12'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
