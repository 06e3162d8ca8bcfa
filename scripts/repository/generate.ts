import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { adminRoutes } from '../../api/admin/routes.ts';
import { nativeRoutes } from '../../api/native/routes.ts';
import { ownpayRoutes } from '../../api/ownpay/routes.ts';
import { publishedNativeDocument } from '../../api/docs/native-document.ts';
import { publishedOwnpayDocument } from '../../api/docs/ownpay-document.ts';
import { publishedShadhinpayDocument } from '../../api/docs/shadhinpay-document.ts';
import { shadhinpayRoutes } from '../../api/shadhinpay/routes.ts';
import { idleDependencies } from '../testing/idle-dependencies.ts';
import { RETENTION_DAYS } from '../shared/temporal-namespace.ts';
import { apiTypes } from './api-types.ts';
import { recordedResults } from './results/result-file.ts';
import { resultPage } from './results/result-pages.ts';
import { scalingPage } from './results/scaling-page.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');

const native = publishedNativeDocument([...nativeRoutes(idleDependencies()), ...adminRoutes(idleDependencies())]);

/** The committed files that are generated from the code, with their content. */
const generated: readonly { readonly path: string; readonly text: string }[] = [
  {
    path: join(ROOT, 'openapi', 'native.json'),
    text: `${JSON.stringify(native, null, 1)}\n`,
  },
  { path: join(ROOT, 'web', 'admin', 'api-types.ts'), text: apiTypes(native, ['/admin/', '/auth/']) },
  {
    path: join(ROOT, 'openapi', 'ownpay.json'),
    text: `${JSON.stringify(publishedOwnpayDocument(ownpayRoutes(idleDependencies())), null, 1)}\n`,
  },
  {
    path: join(ROOT, 'openapi', 'shadhinpay.json'),
    text: `${JSON.stringify(publishedShadhinpayDocument(shadhinpayRoutes(idleDependencies())), null, 1)}\n`,
  },
  { path: join(ROOT, 'docs', 'proofs.md'), text: resultPage('proofs', recordedResults()) },
  { path: join(ROOT, 'docs', 'performance.md'), text: resultPage('performance', recordedResults()) },
  {
    path: join(ROOT, 'docs', 'scaling.md'),
    text: scalingPage(recordedResults(), { shards: historyShards(), retentionDays: RETENTION_DAYS }),
  },
];

process.exitCode = main(process.argv.slice(2));

/** `node scripts/repository/generate.ts` writes the files; with `--check` it lists the stale ones and exits with 1. */
function main(options: readonly string[]): number {
  const unknown = options.find((option) => option !== '--check');
  if (unknown !== undefined) {
    console.error(`Unknown option ${unknown}. Usage: npm run generate, or npm run check:generated`);
    return 2;
  }
  const stale = generated.filter(({ path, text }) => contentOf(path) !== text);
  if (options.includes('--check')) {
    for (const { path } of stale) {
      console.error(`${relative(ROOT, path)} is stale: run "npm run generate" and commit the result.`);
    }
    return stale.length === 0 ? 0 : 1;
  }
  for (const { path, text } of stale) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(`${relative(ROOT, path)} written`);
  }
  return 0;
}

function historyShards(): number {
  return Number(/NUM_HISTORY_SHARDS: '(\d+)'/.exec(contentOf(join(ROOT, 'docker-compose.yml')) ?? '')?.[1]);
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
