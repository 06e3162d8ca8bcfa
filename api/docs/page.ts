import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

/** A file of the reference page as it is sent. */
export interface ReferenceFile {
  readonly contentType: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

/** The operations that a page shows. Those of applications are public; those of operators require a session. */
type Part = 'applications' | 'operators';

const TITLES: Readonly<Record<Part, string>> = {
  applications: 'Lenden API reference',
  operators: 'Lenden API reference for operators',
};

const page = (part: Part): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${TITLES[part]}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/show-reference.js" type="module"></script>
</head>
<body>
<main id="reference" data-part="${part}"><p>This reference needs JavaScript. The same contract is available as a file: <a href="/openapi.json">openapi.json</a></p></main>
</body>
</html>
`;

const SIGN_IN_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Lenden</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/sign-in.css">
<script src="/docs/sign-in.js" defer></script>
</head>
<body>
<main>
<h1>Sign in</h1>
<p>The reference of the operators’ API requires an operator account. <a href="/docs">The applications’ reference</a> is public.</p>
<form id="sign-in">
<label>Email <input name="email" type="email" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<label>Code from your second factor, if you have one <input name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}"></label>
<p id="problem" role="alert"></p>
<button>Sign in</button>
</form>
<noscript><p>Signing in needs JavaScript.</p></noscript>
</main>
</body>
</html>
`;

/** Requires an open session; others are sent to the sign-in page. */
export const OPERATORS_REFERENCE = '/docs/operators';
export const SIGN_IN = '/docs/sign-in';

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';

function ownFile(name: string): Buffer {
  return readFileSync(new URL(`./static/${name}`, import.meta.url));
}

/**
 * Returns the lookup of everything that the pages may load. Files are read once, on first use. Nothing comes from another host and nothing is inline.
 */
export function createReferenceFiles(): (path: string) => ReferenceFile | null {
  const require = createRequire(import.meta.url);
  const sources: ReadonlyMap<string, { contentType: string; read: () => Buffer }> = new Map([
    ['/docs', { contentType: HTML, read: () => Buffer.from(page('applications')) }],
    [OPERATORS_REFERENCE, { contentType: HTML, read: () => Buffer.from(page('operators')) }],
    [SIGN_IN, { contentType: HTML, read: () => Buffer.from(SIGN_IN_PAGE) }],
    ['/docs/sign-in.css', { contentType: 'text/css; charset=utf-8', read: () => ownFile('sign-in.css') }],
    ['/docs/sign-in.js', { contentType: SCRIPT, read: () => ownFile('sign-in.js') }],
    [
      '/docs/swagger-ui.css',
      {
        contentType: 'text/css; charset=utf-8',
        read: () => readFileSync(require.resolve('swagger-ui-dist/swagger-ui.css')),
      },
    ],
    [
      '/docs/swagger-ui-bundle.js',
      {
        contentType: SCRIPT,
        read: () => readFileSync(require.resolve('swagger-ui-dist/swagger-ui-bundle.js')),
      },
    ],
    ['/docs/show-reference.js', { contentType: SCRIPT, read: () => ownFile('show-reference.js') }],
  ]);
  const files = new Map<string, ReferenceFile>();
  return (path) => {
    const source = sources.get(path);
    if (source === undefined) {
      return null;
    }
    const known = files.get(path);
    if (known !== undefined) {
      return known;
    }
    const body = source.read();
    const file = { contentType: source.contentType, body, gzipped: gzipSync(body) };
    files.set(path, file);
    return file;
  };
}

/**
 * Returns the content security policy of the reference. The viewer sets styles by script, which CSP allows, and shows icons as data: images. It can
 * send requests to this API only.
 */
export function referencePolicy(apiUrl: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${apiUrl}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; ');
}
