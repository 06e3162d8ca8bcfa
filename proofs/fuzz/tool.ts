import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** Every package with the digests of its files, so that pip installs nothing else. */
const REQUIREMENTS = resolve(import.meta.dirname, 'requirements.txt');
const INSTALL_TIMEOUT_MS = 300_000;
const run = promisify(execFile);

/**
 * Installs schemathesis into its own virtual environment, once for each version of the requirements. Returns the program's path.
 * @throws Error with the end of pip's output
 */
export async function installSchemathesis(directory: string): Promise<string> {
  const digest = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16);
  const home = join(resolve(directory), `schemathesis-${digest}`);
  const ready = join(home, 'installed');
  if (!existsSync(ready)) {
    rmSync(home, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    await python('python3', ['-m', 'venv', home]);
    // An interrupted install has no such link, so it starts again.
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
