import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** Every package with the digests of its files, so that nothing else is ever installed. */
const REQUIREMENTS = resolve(import.meta.dirname, 'requirements.txt');
const INSTALL_TIMEOUT_MS = 300_000;
const run = promisify(execFile);

/**
 * Installs schemathesis into a virtual environment of its own, once for each state of the requirements; answers the program's path.
 * @throws Error with pip's last words.
 */
export async function installSchemathesis(directory: string): Promise<string> {
  const digest = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16);
  const home = join(resolve(directory), `schemathesis-${digest}`);
  const ready = join(home, 'installed');
  if (!existsSync(ready)) {
    rmSync(home, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    await python('python3', ['-m', 'venv', home]);
    // A half-made environment has no such link, so an interrupted install begins again.
    await python(join(home, 'bin', 'python'), [
      '-m',
      'pip',
      'install',
      ...QUIET,
      '--require-hashes',
      '-r',
      REQUIREMENTS,
    ]);
    mkdirSync(`${ready}.new`);
    renameSync(`${ready}.new`, ready);
  }
  return join(home, 'bin', 'schemathesis');
}

const QUIET = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:'];

async function python(program: string, args: readonly string[]): Promise<void> {
  try {
    await run(program, args, { timeout: INSTALL_TIMEOUT_MS });
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Error(`schemathesis could not be installed (needs Python 3.11 with venv): ${words.slice(-2_000)}`, {
      cause: error,
    });
  }
}
