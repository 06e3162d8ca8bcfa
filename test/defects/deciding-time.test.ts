import { describe, expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');

/** Every folder whose code runs in a deployment, except workflows, whose clock is Temporal's, and browser code. */
const ROOMS = ['activities', 'api', 'core', 'database', 'domain', 'gateways', 'runtime', 'temporal', 'web', 'worker'];

/**
 * Matches every way to read the process's own clock, including passing the function on to be called later. `performance.now()` measures a
 * duration, but added to `timeOrigin` it is a clock too.
 */
const CLOCK =
  /\bDate\s*\??\.\s*now\b|\bDate\s*\[|\bnew Date\s*(?:\(\s*\)|[^\s(])|(?<!\bnew )\bDate\s*\(|\btimeOrigin\b|\bTemporal\.Now\b|=\s*Date\s*[;,)}]/g;

/** The files that may read the process's clock because it decides nothing about a row: how many reads each has, and why. */
const READS: Readonly<Record<string, readonly [times: number, why: string]>> = {
  'core/contracts/shadhinpay.ts': [3, 'told in an event, and the day in a reference that tells nothing else'],
  'core/reports/sweep.ts': [2, 'how long one pass of the summaries may take'],
  'core/sweep/engine.ts': [2, 'how long one kind of rows may take'],
  'core/sweep/sweep.ts': [2, 'how long one retirement may take'],
  'core/webhooks/endpoint-gate.ts': [1, 'turns within one process'],
  'api/credential-use.ts': [1, 'how often one process writes the last use'],
  'api/health.ts': [1, 'the deadline of a call'],
  'api/http/envelope.ts': [1, 'told in an answer'],
  'api/ownpay/surface.ts': [1, 'told in a header, of a limit that one process keeps'],
  'api/shadhinpay/create-payment.ts': [1, 'the day in a reference that tells nothing else'],
  'api/shadhinpay/refunds.ts': [1, 'the day in a reference that tells nothing else'],
  'core/applications/store/applications.ts': [1, 'updated_at, which is told and decides nothing'],
  'database/entities/application.ts': [4, 'updated_at, which is told and decides nothing'],
  'database/entities/invoice.ts': [3, 'updated_at, which is told and decides nothing'],
  'database/entities/operator.ts': [1, 'updated_at, which is told and decides nothing'],
  'database/entities/payment.ts': [3, 'updated_at, which is told and decides nothing'],
  'database/entities/payout.ts': [2, 'updated_at, which is told and decides nothing'],
  'database/entities/reconciliation.ts': [3, 'updated_at, which is told and decides nothing'],
  'database/entities/refund.ts': [1, 'updated_at, which is told and decides nothing'],
  'activities/reconciliation.ts': [2, 'how long one activity goes on with a run'],
  'core/reconciliation/start-runs.ts': [2, 'how long a caller waits for the end of runs'],
  'core/payouts/sweep.ts': [2, 'how long one step of a sweep takes'],
  'database/entities/webhook.ts': [1, 'updated_at, which is told and decides nothing'],
  'core/operators/store/operators.ts': [1, 'updated_at, which is told and decides nothing'],
  'core/operators/store/roles.ts': [1, 'updated_at, which is told and decides nothing'],
  'core/operators/store/second-factor.ts': [2, 'updated_at, which is told and decides nothing'],
  'core/webhooks/store/events.ts': [1, 'told in an event; its order is its sequence'],
  'runtime/telemetry/open-telemetry.ts': [2, 'how often one process complains of its collector'],
  'temporal/invoices.ts': [1, 'the deadline of a call'],
  'temporal/payments.ts': [1, 'the deadline of a call'],
  'temporal/time-skipping.ts': [2, 'the deadlines of calls'],
  'web/admin/src/parts/days.ts': [1, 'what a date field holds before a person changes it'],
  'web/admin/src/parts/now.ts': [2, 'a countdown on a page'],
};

/** Returns the source without comments, which may mention a clock. */
const codeOf = (source: string): string => source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

describe('what is due, over or too old', () => {
  test('is judged by the database’s clock: a process’s own is read only where it decides nothing', () => {
    // An api process whose clock was an hour slow created payments that expired after four seconds. Each read of a clock in these folders
    // needs a reason in `READS`.
    const found: Record<string, number> = {};
    for (const room of ROOMS) {
      for (const file of globSync(`${room}/**/*.ts`, { cwd: ROOT })) {
        const times = [...codeOf(readFileSync(resolve(ROOT, file), 'utf8')).matchAll(CLOCK)].length;
        if (times > 0) {
          found[file] = times;
        }
      }
    }
    expect(found).toEqual(Object.fromEntries(Object.entries(READS).map(([file, [times]]) => [file, times])));
  });

  test.each([
    'const at = Date.now();',
    'function f({ nowMs = Date.now }) {}',
    'const at = Date\n  .now();',
    'const at = new Date();',
    'const at = new Date;',
    'const text = Date();',
    "const at = Date['now']();",
    'const { now } = Date;',
    'const Clock = Date;',
    'const at = performance.timeOrigin + performance.now();',
    'const at = Temporal.Now.instant();',
  ])('is found in %j', (source) => {
    // A way to read the clock that the search misses would go unnoticed.
    expect(codeOf(source).match(CLOCK)).toHaveLength(1);
  });

  test.each([
    'const at = new Date(row.created_at);',
    'const took = performance.now() - started;',
    'const then = Date.parse(text);',
    'interface Row { readonly now: Date; }',
    '// Date.now() of whoever asks',
    'const isDate = value instanceof Date;',
  ])('is not found in %j', (source) => {
    // A date built from a given value does not read the clock.
    expect(codeOf(source).match(CLOCK)).toBeNull();
  });
});
