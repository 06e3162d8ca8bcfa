import { execFile } from 'node:child_process';
import { resolve } from 'node:path';

export interface Verified {
  readonly exitCode: number;
  readonly words: string;
}

/** Runs `npm run verify -- --ask` on the stack of a directory. */
export function verify(directory: string): Promise<Verified> {
  const script = resolve(import.meta.dirname, '../../scripts/commands/verify.ts');
  const environment = { ...process.env, DATABASE_URL: '', TEMPORAL_ADDRESS: '' };
  return new Promise((settle) => {
    execFile(
      process.execPath,
      [script, '--ask', '--directory', directory],
      { env: environment, timeout: 60_000 },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 2;
        settle({ exitCode, words: stdout + stderr });
      },
    );
  });
}
