import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { SCHEDULE_IDS } from '../../workflows/messages/names.ts';
import { startCountingGround } from '../counts/ground.ts';
import { countPayment, countStep, STEPS, type CountingGround, type StepCounts } from '../counts/measure.ts';
import { registerShop, type Shop } from '../shop.ts';
import { quantile } from '../statistics.ts';
import { verdict, type Findings, type Suite, type SuiteOptions } from '../suite.ts';
import { PAYMENTS_OF_A_CUSTOMER, seedPayments } from './seed.ts';

const OPERATIONS = [...STEPS, 'list', 'sweep', 'seal'] as const;
type Operation = (typeof OPERATIONS)[number];

const TEXTS: Readonly<Record<Operation, string>> = {
  create: '`POST /payments`',
  pay: 'callback, verification, recording, webhook',
  return: "the browser's return",
  read: '`GET /payments/{id}`',
  list: `\`GET /payments?customerReference=\` with ${PAYMENTS_OF_A_CUSTOMER} payments`,
  sweep: 'a pass of the sweeper with nothing to do',
  seal: 'a pass of sealing with nothing to do',
};

const BLOCKS_GOAL = 1.25;
/** Below this number a ratio says little: an index that gained a level costs one more block per lookup. */
const FEW_BLOCKS = 20;
const MORE_BLOCKS_GOAL = 5;
const SCANNED_ROWS_MAX = 10_000;
/** A session reports its table statistics at the latest this long after its last statement. */
const TOLD_AFTER_MS = 11_000;

/** Checks that the cost of an operation does not depend on the number of earlier payments. */
export const growth: Suite = {
  name: 'growth',
  what: 'blocks and SQL time of each operation at 1,000,000 payments ÷ at 10,000; sequential scans',
  minutes: { full: 5, quick: 2 },
  run: runGrowth,
};

/** Keeps seeding from waiting for the disk. Blocks are counted whether cached or not. */
const ROOMY = { shared_buffers: '2GB' };

interface Cost {
  readonly blocks: number;
  readonly ms: number;
}

interface Stage {
  readonly payments: number;
  readonly costs: Readonly<Record<Operation, Cost>>;
  /** Sequential scans of tables with more than 10,000 rows, by table. */
  readonly scans: Readonly<Record<string, number>>;
  readonly seedSeconds: number;
}

async function runGrowth({ quick, say, keep }: SuiteOptions): Promise<Findings> {
  const ground = await startCountingGround({ settings: ROOMY, say });
  keep(ground.stop);
  const { stack } = ground;
  await stack.pauseSchedules();
  const sizes = quick ? [10_000, 100_000] : [10_000, 1_000_000];
  const stages: Stage[] = [];
  let seeded = 0;
  for (const payments of sizes) {
    await seal(ground);
    const startedMs = performance.now();
    await seedPayments(stack.database, { from: seeded, to: payments - 1, keys: Math.round((payments - seeded) / 10) });
    const seedSeconds = (performance.now() - startedMs) / 1_000;
    say(`growth: ${payments} payments are there, the last ${payments - seeded} in ${seedSeconds.toFixed(0)} s`);
    seeded = payments;
    stages.push({ payments, seedSeconds, ...(await measureStage(ground, quick ? 7 : 15)) });
  }
  const [small, large] = stages;
  if (small === undefined || large === undefined) {
    throw new Error('there are two stages');
  }
  return findingsOf(small, large);
}

async function measureStage(ground: CountingGround, rounds: number): Promise<Pick<Stage, 'costs' | 'scans'>> {
  const reader = await readerOf(ground);
  // Warms up: sessions plan again after the analyze, and caches fill.
  await measureRound(ground, reader);
  await measureRound(ground, reader);
  await sleep(TOLD_AFTER_MS);
  const before = await readScans(ground.stack.database);
  const counted: Record<Operation, StepCounts>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    counted.push(await measureRound(ground, reader));
  }
  await sleep(TOLD_AFTER_MS);
  const after = await readScans(ground.stack.database);
  const scans = [...after].map(([table, count]) => [table, count - (before.get(table) ?? 0)] as const);
  const cost = (operation: Operation): Cost => costOf(counted.map((round) => round[operation]));
  return {
    costs: Object.fromEntries(OPERATIONS.map((operation) => [operation, cost(operation)])) as Stage['costs'],
    scans: Object.fromEntries(scans.filter(([, count]) => count > 0)),
  };
}

interface Reader {
  readonly shop: Shop;
  readonly customer: string;
}

/** Creates a separate shop for each stage. One of its customers has the same number of payments each time, written like the seeded ones. */
async function readerOf({ stack }: CountingGround): Promise<Reader> {
  const shop = await registerShop({
    databaseUrl: stack.dev.databaseUrl,
    directory: stack.directory,
    webhookUrl: null,
    name: 'Reading shop',
  });
  await stack.database.query(
    `insert into payments (application_id, mode, reference, status, amount_minor, currency, customer_reference, gateway, expires_at, ended_at, next_sweep_at)
     select $1::bigint, 'TEST', 'pay_' || md5('reading' || $1::bigint || ' ' || n), 'EXPIRED', 10000, 'BDT', 'regular', 'sslcommerz', now(), now(), now()
     from generate_series(1, ${PAYMENTS_OF_A_CUSTOMER}) n`,
    [shop.applicationId],
  );
  return { shop, customer: 'regular' };
}

async function measureRound(ground: CountingGround, reader: Reader): Promise<Record<Operation, StepCounts>> {
  const { steps } = await countPayment(ground);
  const list = await countStep({ database: ground.stack.database, gateway: ground.gateway }, () =>
    listOf(ground, reader),
  );
  // Seals the payment that was just taken, so that the measured run has nothing to do.
  await seal(ground);
  return {
    ...steps,
    list: list.counts,
    sweep: await countPass(ground, SCHEDULE_IDS.sweep),
    seal: await countPass(ground, SCHEDULE_IDS.sealLedger),
  };
}

async function listOf({ stack }: CountingGround, { shop, customer }: Reader): Promise<void> {
  const answer = await fetch(`${stack.dev.api}/payments?customerReference=${customer}`, {
    headers: { 'x-api-key': shop.apiKey, 'x-api-secret': shop.apiSecret },
  });
  const { data } = (await answer.json()) as { data?: readonly unknown[] };
  if (data?.length !== PAYMENTS_OF_A_CUSTOMER) {
    throw new Error(`the list has ${data?.length ?? 'no'} payments instead of ${PAYMENTS_OF_A_CUSTOMER}`);
  }
}

async function countPass({ stack, gateway }: CountingGround, scheduleId: string): Promise<StepCounts> {
  const { counts } = await countStep({ database: stack.database, gateway }, () => pass(stack.temporal, scheduleId));
  return counts;
}

async function seal({ stack }: CountingGround): Promise<void> {
  await pass(stack.temporal, SCHEDULE_IDS.sealLedger);
}

const PASS_TIMEOUT_MS = 60_000;

/** Runs a paused schedule once on the real worker. */
async function pass(temporal: CountingGround['stack']['temporal'], scheduleId: string): Promise<void> {
  const schedule = temporal.schedule.getHandle(scheduleId);
  const taken = (await schedule.describe()).info.numActionsTaken;
  await schedule.trigger();
  const deadline = Date.now() + PASS_TIMEOUT_MS;
  for (;;) {
    const { info } = await schedule.describe();
    if (info.numActionsTaken > taken && info.runningActions.length === 0) {
      return;
    }
    if (Date.now() > deadline) {
      throw new Error(`${scheduleId} did not run`);
    }
    await sleep(50);
  }
}

async function readScans(database: pg.Pool): Promise<Map<string, number>> {
  const { rows } = await database.query<{ name: string; scans: string }>(
    `select relname as name, seq_scan as scans from pg_stat_user_tables where n_live_tup > ${SCANNED_ROWS_MAX}`,
  );
  return new Map(rows.map(({ name, scans }) => [name, Number(scans)]));
}

function costOf(rounds: readonly StepCounts[]): Cost {
  const median = (of: (statement: StepCounts['statements'][number]) => number): number =>
    quantile(
      rounds.map(({ statements }) => statements.reduce((sum, statement) => sum + of(statement), 0)),
      0.5,
    );
  return { blocks: Math.round(median(({ blocks }) => blocks)), ms: median(({ ms }) => ms) };
}

function findingsOf(small: Stage, large: Stage): Findings {
  const rows = OPERATIONS.map((operation) => {
    const [before, after] = [small.costs[operation], large.costs[operation]];
    return { operation, before, after, blocks: after.blocks / before.blocks, ms: after.ms / before.ms };
  });
  const dear = rows.filter(({ before }) => before.blocks >= FEW_BLOCKS);
  const worst = dear.reduce((a, b) => (b.blocks > a.blocks ? b : a));
  const more = Math.max(
    ...rows.map(({ before, after }) => (before.blocks < FEW_BLOCKS ? after.blocks - before.blocks : 0)),
  );
  const scans = { ...small.scans, ...large.scans };
  const scanned = Object.entries(scans).map(([table, count]) => `${table} ${count}`);
  return {
    order: 50,
    title: `Cost with ${large.payments.toLocaleString('en')} payments over that with ${small.payments.toLocaleString('en')}`,
    summary: [
      `Shared blocks, hit or read: at most ${worst.blocks.toFixed(3)} times as many (${TEXTS[worst.operation]}; ${verdict({ met: worst.blocks <= BLOCKS_GOAL, goal: `≤ ${BLOCKS_GOAL}` })}); where it was fewer than ${FEW_BLOCKS} blocks, at most ${more} more (${verdict({ met: more <= MORE_BLOCKS_GOAL, goal: `≤ ${MORE_BLOCKS_GOAL}` })}). Sequential scans of tables with more than ${SCANNED_ROWS_MAX.toLocaleString('en')} rows: ${scanned.length === 0 ? 'none' : scanned.join(', ')} (${verdict({ met: scanned.length === 0, goal: '0' })}).`,
      `The operations are those of the running api and worker; the payments before them were written by SQL in ${large.seedSeconds.toFixed(0)} s, each with attempt, callback, event, delivery and ledger rows, besides ${Math.round(large.payments / 10).toLocaleString('en')} idempotency keys. Times are sums over an operation's statements, medians, taken one stage after the other.`,
    ],
    tables: [
      {
        caption: 'Shared blocks and SQL milliseconds of one operation',
        columns: ['operation', 'blocks before', 'blocks after', 'ratio', 'ms before', 'ms after', 'ratio of ms'],
        rows: rows.map(({ operation, before, after, blocks, ms }) => [
          TEXTS[operation],
          String(before.blocks),
          String(after.blocks),
          blocks.toFixed(2),
          before.ms.toFixed(2),
          after.ms.toFixed(2),
          ms.toFixed(2),
        ]),
      },
    ],
    data: { small, large },
  };
}
