/**
 * Starts every npm script: `node scripts/bootstrap.mjs scripts/development/start.ts …arguments`.
 *
 * It runs on any Node ≥ 20. It installs the packages of the lockfile if they are missing, then runs the script on the Node version that is among
 * those packages. If the current process already is that Node, it runs the script in this process. Without a script it only installs.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const [script, ...scriptArguments] = process.argv.slice(2);

if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(`Lenden needs Node 20 or newer to start; this is ${process.version}.`);
}
if (!installed()) {
  await install();
}
const node = bundledNode();
if (script !== undefined) {
  await runScript(node);
}

/**
 * Returns whether the lockfile matches npm's record of its last install. It compares contents rather than dates, because a checkout gives files new
 * dates and an interrupted install leaves no record.
 */
function installed() {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const present = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || present === undefined) {
    return false;
  }
  return Object.entries(wanted).every(([path, entry]) => {
    const found = present[path];
    if (path === '' || (found === undefined && entry.optional === true)) {
      return true;
    }
    return found !== undefined && found.version === entry.version && found.integrity === entry.integrity;
  });
}

function packagesOf(lockfile) {
  try {
    return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** Runs `npm ci` and reports progress every few seconds, because npm itself prints nothing when piped. */
async function install() {
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  console.error('Installing the packages of package-lock.json (once; about half a minute) …');
  const heartbeat = setInterval(() => console.error(`  still installing, ${seconds()}`), 5000);
  const npm = process.env.npm_execpath;
  const [command, leading] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const code = await exitOf(
    spawn(command, [...leading, 'ci', '--no-progress'], { cwd: root, stdio: ['ignore', 2, 2] }),
  );
  clearInterval(heartbeat);
  if (code !== 0) {
    fail(`npm ci failed (exit ${code}); its own words are above. Run \`npm start\` again once they are dealt with.`);
  }
  console.error(`Packages installed in ${seconds()}.`);
}

function bundledNode() {
  const bundled = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(bundled)) {
    return realpathSync(bundled);
  }
  // On a platform without a packaged Node, a current Node that strips types by itself will do.
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) {
    return realpathSync(process.execPath);
  }
  return fail(`No Node for ${process.platform}-${process.arch} comes with the packages; install Node 24 or newer.`);
}

async function runScript(node) {
  const bin = join(root, 'node_modules', '.bin');
  if (!(process.env.PATH ?? '').startsWith(bin)) {
    process.env.PATH = `${bin}:${process.env.PATH ?? ''}`;
  }
  if (node === realpathSync(process.execPath)) {
    onceNpmIsGone(() => process.kill(process.pid, 'SIGTERM'));
    process.argv = [process.argv[0], resolve(root, script), ...scriptArguments];
    await import(pathToFileURL(resolve(root, script)).href);
    return;
  }
  // The channel lets the script notice when this process is killed, so that it does not keep running unnoticed.
  const child = spawn(node, [resolve(root, script), ...scriptArguments], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  onceNpmIsGone(() => child.kill('SIGTERM'));
  process.exitCode = await exitOf(child);
}

/** npm passes a signal on to the shell in which it runs a script, and that shell to nobody: it ends, and the script would run on unnoticed. */
function onceNpmIsGone(stop) {
  const isOurs = process.env.npm_package_json === join(root, 'package.json');
  if (!isOurs || !(process.env.npm_lifecycle_script ?? '').includes('scripts/bootstrap.mjs')) {
    return;
  }
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== shell) {
      clearInterval(watch);
      stop();
    }
  }, 500);
  watch.unref();
}

function exitOf(child) {
  return new Promise((settle) => {
    child.once('error', (error) => {
      console.error(error.message);
      settle(127);
    });
    child.once('exit', (code, signal) => settle(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
