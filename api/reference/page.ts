import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

/** A file of the reference page as it goes over the wire. */
export interface ReferenceFile {
  readonly contentType: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lenden API reference</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/show-reference.js" defer></script>
</head>
<body>
<main id="reference"><p>The reference needs script. The same contract as a file: <a href="/openapi.json">openapi.json</a></p></main>
</body>
</html>
`;

/** Everything that the page may load, read once on first use: nothing comes from another host, nothing is inline. */
export function createReferenceFiles(): (path: string) => ReferenceFile | null {
  const require = createRequire(import.meta.url);
  const sources: ReadonlyMap<string, { contentType: string; read: () => Buffer }> = new Map([
    ['/docs', { contentType: 'text/html; charset=utf-8', read: () => Buffer.from(PAGE) }],
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
        contentType: 'text/javascript; charset=utf-8',
        read: () => readFileSync(require.resolve('swagger-ui-dist/swagger-ui-bundle.js')),
      },
    ],
    [
      '/docs/show-reference.js',
      {
        contentType: 'text/javascript; charset=utf-8',
        read: () => readFileSync(new URL('./static/show-reference.js', import.meta.url)),
      },
    ],
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

/** The viewer sets styles by script, which CSP allows, and shows its icons as data: images. Requests go to this API only. */
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
