import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DASHBOARD_FILES } from '../../web/admin/files.ts';
import { pageAssets } from '../../web/assets.ts';
import { escapeHtml } from '../../web/html.ts';
import { dashboardAssetHeaders, dashboardHeaders } from '../../web/headers.ts';
import { notFound } from '../../domain/errors.ts';
import { presentedToken } from '../auth/tokens.ts';
import { allowHeader } from '../http/methods.ts';
import type { Context } from '../http/surface.ts';

const PATHS = /^\/admin(?:\/|$)/;
const ASSETS = '/admin/assets/';
const NONCE_BYTES = 18;
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
const NOT_BUILT = 'The dashboard is not built. Run `npm run build:dashboard`, then start this process again.';

interface BuiltAsset {
  readonly contentType: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

interface Built {
  /** `__NONCE__` and `__SESSION__` stand where each response has its own. */
  readonly page: string;
  /** By path. */
  readonly assets: ReadonlyMap<string, BuiltAsset>;
}

/** Returns the handler of the operators' dashboard: one page under every path of `/admin`, and the files of its build, which it reads once. */
export function createDashboard({
  webUrl,
  apiUrl,
}: {
  readonly webUrl: string;
  /** Where applications call, for the samples that the dashboard shows. */
  readonly apiUrl: string;
}): (context: Context) => Promise<boolean> {
  const secure = webUrl.startsWith('https:');
  const built = readBuilt(DASHBOARD_FILES, apiUrl);
  return async (context) => {
    if (!PATHS.test(context.path)) {
      return false;
    }
    context.state.route = 'dashboard';
    if (context.method !== 'GET' && context.method !== 'HEAD') {
      context.set('Allow', allowHeader(['GET']));
      context.status = 405;
      return true;
    }
    if (context.path.startsWith(ASSETS)) {
      sendAsset(context, built?.assets.get(context.path), secure);
    } else {
      sendPage(context, built, secure);
    }
    return true;
  };
}

function sendAsset(context: Context, asset: BuiltAsset | undefined, secure: boolean): void {
  if (asset === undefined) {
    throw notFound('file');
  }
  context.set(dashboardAssetHeaders({ contentType: asset.contentType, secure }));
  if (context.acceptsEncodings('gzip') === 'gzip') {
    context.set('Content-Encoding', 'gzip');
    context.body = asset.gzipped;
  } else {
    context.body = asset.body;
  }
}

function sendPage(context: Context, built: Built | null, secure: boolean): void {
  if (built === null) {
    context.status = 503;
    context.type = 'text/plain';
    context.body = NOT_BUILT;
    return;
  }
  const nonce = randomBytes(NONCE_BYTES).toString('base64');
  context.set(dashboardHeaders({ nonce, secure }));
  const session = presentedToken({ cookie: context.headers.cookie }) === null ? 'none' : 'cookie';
  context.body = built.page.replace('__NONCE__', nonce).replace('__SESSION__', session);
}

/** Returns null if there is no build: an API without its dashboard still serves. */
function readBuilt(folder: string, apiUrl: string): Built | null {
  try {
    const page = readFileSync(join(folder, 'index.html'), 'utf8')
      .replace('__ICON__', pageAssets.icon.path)
      .replace('__API__', () => escapeHtml(apiUrl));
    const names = readdirSync(join(folder, 'assets'));
    return {
      page,
      assets: new Map(names.map((name) => [`${ASSETS}${name}`, readAsset(join(folder, 'assets', name))])),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return null;
    }
    throw error;
  }
}

function readAsset(file: string): BuiltAsset {
  const contentType = CONTENT_TYPES[extname(file)];
  if (contentType === undefined) {
    throw new Error(`the dashboard's build has a file of an unknown type: ${file}`);
  }
  const body = readFileSync(file);
  return { contentType, body, gzipped: gzipSync(body, { level: 9 }) };
}
