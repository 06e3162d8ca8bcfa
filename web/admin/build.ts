import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { DASHBOARD_FILES } from './files.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
/** What the build reads. The lockfile stands for the packages. */
const SOURCES = ['web', 'domain', 'package-lock.json'];
const STAMP = 'built-from';

/** Builds the dashboard into `dist/admin`, unless what is there was built from these sources. Two builds at once do not disturb each other. */
export async function buildDashboard(): Promise<'built' | 'kept'> {
  const wanted = fingerprint();
  if (textOf(join(DASHBOARD_FILES, STAMP)) === wanted) {
    return 'kept';
  }
  const { build } = await import('vite');
  const outDir = `${DASHBOARD_FILES}-${process.pid}`;
  await build({ configFile: join(import.meta.dirname, 'vite.config.ts'), build: { outDir } });
  writeFileSync(join(outDir, STAMP), wanted);
  rmSync(DASHBOARD_FILES, { recursive: true, force: true });
  renameSync(outDir, DASHBOARD_FILES);
  return 'built';
}

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap((source) => filesUnder(join(ROOT, source)))) {
    hash
      .update(`${relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesUnder(path: string): string[] {
  if (!statSync(path).isDirectory()) {
    return [path];
  }
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

if (import.meta.main) {
  console.log(`The dashboard was ${await buildDashboard()}: ${relative(ROOT, DASHBOARD_FILES)}`);
}
