import { execFileSync } from 'node:child_process';

const ROOT = new URL('../..', import.meta.url);

/** What the checkout stands at, twelve digits, with `-dirty` behind it where something has changed; a copy without its history says `unknown`. */
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
