import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { makeDirectory } from './directory.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Bundles the workflows in advance, as a production image does, so that the worker loads no bundler. */
export async function buildBundle(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const directory = makeDirectory();
  const path = join(directory, 'workflows.js');
  await promisify(execFile)(process.execPath, [join(ROOT, 'worker', 'build-bundle.ts'), path], { cwd: ROOT });
  return { path, remove: async () => rmSync(directory, { recursive: true, force: true }) };
}
