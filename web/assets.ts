import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SafeUrl } from './safe-url.ts';

/** A static file as it is sent. `immutable`: its path contains a hash of its content, so it can be cached forever. */
export type Asset = {
  path: string;
  contentType: string;
  body: Buffer;
  immutable: boolean;
  /** The subresource integrity value of exactly this content. */
  integrity: string;
  /** Why the page loads it, for the inventory of a payment page's resources (PCI DSS 6.4.3). */
  reason: string;
};

const stylesheet = load({
  file: 'page.css',
  contentType: 'text/css; charset=utf-8',
  reason: 'Looks of every page.',
});
const script = load({
  file: 'page.js',
  contentType: 'text/javascript; charset=utf-8',
  reason: 'Counts the deadline down, looks for a new state without reloading, prints. The pages work without it.',
});
const icon = load({ file: 'icon.svg', contentType: 'image/svg+xml', reason: 'Icon of the browser tab.' });

/** Everything that a checkout page may load; nothing comes from another origin. */
export const pageAssets = { stylesheet, script, icon };

/** What the page of an invoice also loads. Its colours and logo have paths of their own. */
export const payableAssets = {
  stylesheet: load({
    room: 'payable',
    file: 'payable.css',
    contentType: 'text/css; charset=utf-8',
    reason: 'Looks of the page of an invoice.',
  }),
};

const byPath = new Map(
  [...Object.values(pageAssets), ...Object.values(payableAssets)].map((asset) => [asset.path, asset]),
);

/** Returns the asset at a request's path, or null. Paths must match exactly, so nothing outside the inventory can be read. */
export function assetAt(path: string): Asset | null {
  return byPath.get(path) ?? null;
}

export function assetUrl(asset: Asset): SafeUrl {
  return SafeUrl.localPath(asset.path);
}

function load({
  room = 'frame',
  file,
  contentType,
  reason,
}: {
  room?: 'frame' | 'payable';
  file: string;
  contentType: string;
  reason: string;
}): Asset {
  const body = readFileSync(new URL(`./${room}/static/${file}`, import.meta.url));
  const digest = createHash('sha384').update(body).digest();
  const [name = '', extension = ''] = file.split('.');
  return {
    path: `/assets/${name}.${digest.toString('hex').slice(0, 16)}.${extension}`,
    contentType,
    body,
    immutable: true,
    integrity: `sha384-${digest.toString('base64')}`,
    reason,
  };
}
