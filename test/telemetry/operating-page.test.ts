import { beforeAll, describe, expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';

const ROOT = new URL('../../', import.meta.url).pathname;
const read = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

/** Returns the distinct first groups of a pattern in these files. */
function found(pattern: RegExp, paths: readonly string[]): string[] {
  const texts = paths.map(read);
  return [...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name)))].sort();
}

const CODE = ['api', 'activities', 'core', 'database', 'gateways', 'runtime', 'temporal', 'worker'].flatMap((room) =>
  globSync(`${room}/**/*.ts`, { cwd: ROOT }),
);

describe('docs/operating.md', () => {
  let rows: string[];
  beforeAll(() => {
    const lines = read('docs/operating.md').split('\n');
    rows = lines.filter((line) => line.startsWith('| `')).map((line) => line.split('|')[1] ?? '');
  });
  const undocumented = (names: readonly string[]): string[] =>
    names.filter((name) => !rows.some((row) => row.includes(`\`${name}\``)));

  test('has a row for every alert that the code can log', () => {
    // Operators cannot route an alert that they do not know.
    const alerts = found(/alert: '([a-z-]+)'/g, CODE);
    expect(alerts.length).toBeGreaterThan(5);
    expect(undocumented(alerts)).toEqual([]);
  });

  test('has a row for every variable that the processes read', () => {
    // Operators cannot find a setting that is only in the code.
    const variables = found(/\b((?:LENDEN|TEMPORAL|DATABASE|OTEL)_[A-Z_]+)['\]:]/g, [
      'runtime/config.ts',
      'runtime/mail/settings.ts',
      ...CODE.filter((path) => path.startsWith('runtime/telemetry')),
    ]);
    const settings = {
      SSLCOMMERZ: ['URL', 'STORE_ID', 'STORE_PASSWORD'],
      BKASH: ['URL', 'USERNAME', 'PASSWORD', 'APP_KEY', 'APP_SECRET', 'NOTICE_CERTIFICATE'],
      NAGAD: ['URL', 'MERCHANT_ID', 'MERCHANT_PRIVATE_KEY', 'GATEWAY_PUBLIC_KEY', 'ADDRESS'],
      STRIPE: ['URL', 'ACCOUNT', 'SECRET_KEY', 'WEBHOOK_SECRET'],
    };
    const stores = Object.entries(settings).flatMap(([gateway, names]) =>
      names.flatMap((name) => [`${gateway}_TEST_${name}`, `${gateway}_LIVE_${name}`]),
    );
    expect(variables).toContain('OTEL_METRIC_EXPORT_INTERVAL');
    expect(undocumented([...variables, ...stores])).toEqual([]);
  });

  test('has a row for every metric', () => {
    // Operators build dashboards from this page, not from the code.
    const metrics = found(/^ {2}'((?:lenden|http)\.[a-z._]+)':/gm, ['runtime/telemetry/instruments.ts']);
    expect(metrics.length).toBe(10);
    expect(undocumented(metrics)).toEqual([]);
  });
});
