import { execFile, spawn } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const VERSION = 'v0.203.0';
/** The module that also contains Stripe's OpenAPI document. */
export const STRIPE_MOCK_MODULE = `github.com/stripe/stripe-mock@${VERSION}`;
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/stripe-mock');
const BUILD_TIMEOUT_MS = 10 * 60_000;
const START_TRIES_MAX = 100;
const PAUSE_MS = 100;

export interface StripeRequest {
  readonly method: string;
  /** Includes the query string. */
  readonly path: string;
  readonly body: string;
}

/** Stripe's own mock of its API: it knows every path and parameter, and stores nothing. */
export interface StripeMock {
  /** Returns null if the mock accepts the request, otherwise what is wrong with it. */
  judge(request: StripeRequest): Promise<string | null>;
  close(): Promise<void>;
}

/** Builds Stripe's mock from its Go module, once, and starts it. */
export async function startStripeMock(): Promise<StripeMock> {
  const binary = await built();
  const [port, securePort] = [await freePort(), await freePort()];
  const addresses = ['-http-addr', `127.0.0.1:${port}`, '-https-addr', `127.0.0.1:${securePort}`];
  const child = spawn(binary, addresses, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const origin = `http://127.0.0.1:${port}`;
  const close = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  if (!(await answers(origin))) {
    await close();
    throw new Error('stripe-mock did not start');
  }
  return { judge: (request) => judge(origin, request), close };
}

async function judge(origin: string, { method, path, body }: StripeRequest): Promise<string | null> {
  const answer = await fetch(`${origin}${path}`, {
    method,
    headers: {
      authorization: 'Bearer sk_test_123',
      ...(method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
    },
    ...(method === 'POST' ? { body } : {}),
  });
  const text = await answer.text();
  return answer.ok ? null : `${answer.status} ${text}`;
}

async function built(): Promise<string> {
  const binary = join(CACHE, `stripe-mock-${VERSION}`);
  if (await exists(binary)) {
    return binary;
  }
  await mkdir(CACHE, { recursive: true });
  // Two tests may build at the same time: each builds in its own folder, and the last one stays.
  const folder = await mkdtemp(join(CACHE, 'build-'));
  try {
    await promisify(execFile)('go', ['install', STRIPE_MOCK_MODULE], {
      env: { ...process.env, GOBIN: folder },
      timeout: BUILD_TIMEOUT_MS,
    });
    await rename(join(folder, 'stripe-mock'), binary);
  } catch (cause) {
    throw new Error('stripe-mock cannot be built: install Go 1.22 or later and let it reach its module proxy', {
      cause,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return binary;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

async function answers(origin: string): Promise<boolean> {
  for (let tries = 0; tries < START_TRIES_MAX; tries += 1) {
    try {
      await fetch(origin);
      return true;
    } catch {
      await new Promise((resolve) => {
        setTimeout(resolve, PAUSE_MS);
      });
    }
  }
  return false;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return port;
}
