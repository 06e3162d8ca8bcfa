import { describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const ROOT = new URL('../../', import.meta.url);

/** Loads the modules of api and worker and starts telemetry. Prints which OpenTelemetry packages were loaded. */
const PROGRAM = `
import { registerHooks } from 'node:module';
const loaded = new Set();
registerHooks({
  load(url, context, nextLoad) {
    const [, name] = /node_modules\\/(@opentelemetry\\/[a-z-]+|@temporalio\\/interceptors-opentelemetry)\\//.exec(url) ?? [];
    if (name !== undefined) loaded.add(name);
    return nextLoad(url, context);
  },
});
await import('./api/listeners.ts');
await import('./worker/workers.ts');
await import('./worker/observed.ts');
await import('./gateways/observed.ts');
const { startTelemetry } = await import('./runtime/telemetry/start.ts');
const log = { info() {}, warn() {} };
const telemetry = await startTelemetry({ service: 'test', environment: process.env, log });
console.log(JSON.stringify({ on: telemetry.on, loaded: [...loaded] }));
await telemetry.shutdown();
`;

async function run(environment: Readonly<Record<string, string>>): Promise<{ on: boolean; loaded: string[] }> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], LENDEN_TEST_RUN: process.env['LENDEN_TEST_RUN'], ...environment },
    timeout: 30_000,
  });
  return JSON.parse(stdout) as { on: boolean; loaded: string[] };
}

describe('without OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  test('no module of OpenTelemetry is loaded', async () => {
    // Users without telemetry must not pay for its startup or its bugs.
    expect(await run({})).toEqual({ on: false, loaded: [] });
    expect(await run({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toEqual({ on: false, loaded: [] });
  });

  test('and with it they are, so the check above can fail', async () => {
    // Shows that the hook detects the packages.
    const { on, loaded } = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    expect(on).toBe(true);
    expect(loaded).toContain('@opentelemetry/sdk-trace-base');
  });
});
