import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ReportRequest, ReportRow } from '../../../core/reports/read-report.ts';
import { calendarIn } from '../../../domain/calendar.ts';
import { dyingAt, openReportWorld, type ReportWorld } from './report-world.ts';

/* The clock stands where the test puts it: it moves on with each step, through weeks that contain a change to summer time. */

let world: ReportWorld;
let clockMs = Date.parse('2026-03-26T00:00:00Z');
beforeAll(async () => {
  world = await openReportWorld();
});
afterAll(() => world.close());

type Step =
  | {
      readonly kind: 'create';
      readonly currency: string;
      readonly gateway: string | null;
      readonly test: boolean;
      readonly app: number;
    }
  | { readonly kind: 'end'; readonly which: number; readonly status: string; readonly gateway: string | null }
  | { readonly kind: 'refund'; readonly which: number; readonly ofUnapplied: boolean }
  | { readonly kind: 'undo'; readonly which: number }
  | { readonly kind: 'wait'; readonly minutes: number }
  | { readonly kind: 'complete' }
  | { readonly kind: 'summarize'; readonly batchMax: number; readonly zone: string }
  | { readonly kind: 'two at once' }
  | { readonly kind: 'die'; readonly nth: number };

const which = fc.nat(9);
const gateway = fc.constantFrom('bkash', 'sslcommerz', null);
const REQUESTS = [
  ['Asia/Dhaka', 'day', 'LIVE'],
  ['Asia/Dhaka', 'hour', 'TEST'],
  ['Asia/Dhaka', 'hour', 'LIVE'],
  ['Europe/Berlin', 'day', 'LIVE'],
  ['Asia/Kathmandu', 'hour', 'LIVE'],
] as const;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('create' as const),
      currency: fc.constantFrom('BDT', 'USD'),
      gateway,
      test: fc.boolean(),
      app: fc.nat(1),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which,
      status: fc.constantFrom('SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED'),
      gateway,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('refund' as const), which, ofUnapplied: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('undo' as const), which }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), minutes: fc.constantFrom(1, 29, 61, 600) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'complete' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('summarize' as const),
      batchMax: fc.constantFrom(1, 2, 10_000),
      zone: fc.constantFrom('Asia/Dhaka', 'Asia/Dhaka', 'Asia/Dhaka', 'Europe/Berlin'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'two at once' as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('die' as const), nth: fc.integer({ min: 1, max: 8 }) }) },
);

interface Known {
  readonly applications: readonly bigint[];
  readonly open: string[];
  readonly paid: string[];
  readonly refunds: string[];
}

async function take(known: Known, given: Step): Promise<void> {
  clockMs += 137_001;
  const at = new Date(clockMs).toISOString();
  switch (given.kind) {
    case 'create': {
      const { currency, gateway: chosen, test: isTest, app } = given;
      const amountMinor = BigInt(1_000 + (clockMs % 9_000));
      const mode = isTest ? 'TEST' : 'LIVE';
      const applicationId = known.applications[app] ?? 0n;
      known.open.push(await world.payment({ applicationId, mode, currency, gateway: chosen, amountMinor, at }));
      return;
    }
    case 'end': {
      const [id] = known.open.splice(given.which, 1);
      if (id !== undefined) {
        const paid = given.status === 'SUCCEEDED';
        await world.endPayment(id, {
          status: given.status,
          at,
          gateway: paid ? (given.gateway ?? 'nagad') : given.gateway,
        });
        known.paid.push(...(paid ? [id] : []));
      }
      return;
    }
    case 'refund': {
      const id = known.paid[given.which];
      if (id !== undefined) {
        known.refunds.push(await world.refund(id, { at, amountMinor: 77n, ofUnapplied: given.ofUnapplied }));
      }
      return;
    }
    case 'undo': {
      const [id] = known.refunds.splice(given.which, 1);
      if (id !== undefined) {
        await world.undoRefund(id, at);
      }
      return;
    }
    case 'wait':
      clockMs += given.minutes * 60_000;
      return;
    case 'complete':
      await world.completeUntil(at);
      return;
    case 'summarize':
      await world.summarize(calendarIn(given.zone), { batchMax: given.batchMax });
      return;
    case 'two at once': {
      const calendar = calendarIn('Asia/Dhaka');
      await Promise.all([1, 2, 3].map(() => world.summarize(calendar, { batchMax: 1 })));
      return;
    }
    case 'die':
      await world
        .summarize(calendarIn('Asia/Dhaka'), { batchMax: 2, database: dyingAt(world.database, given.nth) })
        .catch(() => undefined);
  }
}

/** Rows in which nothing happened complete a series; a count of rows cannot know them. */
function hasFigures(row: ReportRow): boolean {
  return [row.open, row.succeeded, row.failed, row.cancelled, row.expired, row.paid, row.refunds].some(
    (count) => count !== 0n,
  );
}

const byText = (rows: readonly unknown[]): string[] =>
  rows
    .map((row) => JSON.stringify(row, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)))
    .sort();

const asCounted = ({ to: _to, from, ...row }: ReportRow) => {
  const { date, currency, applicationId, gateway: shown, ...figures } = row;
  return { date, from: from.toISOString(), currency, applicationId, gateway: shown, ...figures };
};

/** What every sequence begins with, so that few of them have nothing to count. */
const PRELUDE: readonly Step[] = ['BDT', 'USD', 'BDT'].flatMap((currency, app): Step[] => [
  { kind: 'create', currency, gateway: 'bkash', test: app === 0, app: app % 2 },
  { kind: 'create', currency, gateway: null, test: app === 1, app: app % 2 },
  { kind: 'wait', minutes: 61 },
  { kind: 'end', which: 0, status: 'SUCCEEDED', gateway: 'bkash' },
  { kind: 'refund', which: app, ofUnapplied: app === 1 },
  { kind: 'complete' },
  { kind: 'summarize', batchMax: 2, zone: 'Asia/Dhaka' },
]);

test('a report equals a direct count, whatever happened and however far the summaries are', async () => {
  // Dashboards and accountants take the figures for what the rows say.
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 30, maxLength: 80, size: 'max' }),
      fc.record({
        byApplication: fc.boolean(),
        byGateway: fc.boolean(),
        gateway: fc.constantFrom(null, null, 'bkash'),
        currency: fc.constantFrom(null, null, 'USD'),
        ofOne: fc.boolean(),
      }),
      async (steps, { ofOne, ...asked }) => {
        const applications = [await world.application(), await world.application()];
        const known: Known = { applications, open: [], paid: [], refunds: [] };
        const startedMs = clockMs;
        for (const given of [...PRELUDE, ...steps]) {
          await take(known, given);
        }
        for (const [zone, span, mode] of REQUESTS) {
          const calendar = calendarIn(zone);
          const request = {
            ...asked,
            span,
            mode,
            applicationId: ofOne ? (applications[0] ?? null) : null,
            from: calendar.today(new Date(Math.max(startedMs, clockMs - 20 * 86_400_000))),
            to: calendar.today(new Date(clockMs)),
          } satisfies ReportRequest;
          const { rows } = await world.report(calendar, request, applications);
          const direct = await world.direct(zone, request, applications);
          expect(byText(rows.filter(hasFigures).map(asCounted))).toEqual(byText(direct));
        }
      },
    ),
    { numRuns: 40 },
  );
}, 300_000);
