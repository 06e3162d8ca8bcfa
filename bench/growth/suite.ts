import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { passOnce } from '../loops.ts';
import { LOOP_IDS } from '../../workflows/messages/names.ts';
import { startCountingGround } from '../counts/ground.ts';
import { NATIVE } from '../counts/flows.ts';
import type { StepCounts } from '../counts/flow-counts.ts';
import { countFlow, countStep, type CountingGround } from '../counts/measure.ts';
import { untilQuiet } from '../counts/statements.ts';
import { registerShop, type Shop } from '../shop.ts';
import { quantile } from '../statistics.ts';
import { verdict, type Findings, type Suite, type SuiteOptions } from '../suite.ts';
import { OPERATOR_READS, operatorReads, writeExceptions, type OperatorRead } from './operator-lists.ts';
import { PAYMENTS_OF_A_CUSTOMER, SEEDED_FROM, seedPayments } from './seed.ts';

const STEPS = ['create', 'page', 'pay', 'return', 'read'] as const;
const READS = Object.keys(OPERATOR_READS) as OperatorRead[];
const OPERATIONS = [...STEPS, 'list', 'sweep', 'seal', ...READS] as const;
type Operation = (typeof OPERATIONS)[number];

const TEXTS: Readonly<Record<Operation, string>> = {
  create: '`POST /payments`',
  page: 'the payer opens our page and goes to the gateway',
  pay: 'callback, verification, recording, webhook',
  return: "the browser's return",
  read: '`GET /payments/{id}`',
  list: `\`GET /payments?customerReference=\` with ${PAYMENTS_OF_A_CUSTOMER} payments`,
  sweep: 'a pass of the sweeper with nothing to do',
  seal: 'a pass of sealing with nothing to do',
  ...OPERATOR_READS,
};

const BLOCKS_GOAL = 1.1;
/** Below this number a ratio says little: an index that gained a level costs one more block per lookup. */
const FEW_BLOCKS = 20;
const MORE_BLOCKS_GOAL = 5;
const SCANNED_ROWS_MAX = 10_000;
const SUMMARY_PASSES_MAX = 30;
/** A session reports its table statistics at the latest this long after its last statement. */
const TOLD_AFTER_MS = 11_000;

/** Checks that the cost of an operation does not depend on the number of earlier payments. */
export const growth: Suite = {
  name: 'growth',
  what: 'blocks and SQL time of each operation at 1,000,000 payments ÷ at 10,000; sequential scans',
  minutes: { full: 8, quick: 3 },
  run: runGrowth,
};

/** Keeps seeding from waiting for the disk. Blocks are counted whether cached or not. */
const ROOMY = { shared_buffers: '2GB' };

/** The seeded rows are up to half a year old, and a sweeper that removes them has something to do. */
const KEEPING = { LENDEN_RETENTION_CALLBACK_DAYS: '3650', LENDEN_RETENTION_DELIVERY_DAYS: '3650' };

interface Cost {
  readonly blocks: number;
  readonly ms: number;
}

interface Stage {
  readonly payments: number;
  readonly costs: Readonly<Record<Operation, Cost>>;
  /** Sequential scans that read more than 10,000 rows, by table. */
  readonly scans: Readonly<Record<string, number>>;
  readonly seedSeconds: number;
  readonly databaseBytes: number;
}

interface Scans {
  readonly scans: number;
  readonly rows: number;
}

async function runGrowth({ quick, say, keep }: SuiteOptions): Promise<Findings> {
  const ground = await startCountingGround({ environment: KEEPING, settings: ROOMY, say });
  keep(ground.stop);
  const { stack } = ground;
  const sizes = quick ? [10_000, 30_000, 100_000] : [10_000, 200_000, 1_000_000];
  const stages: Stage[] = [];
  let seeded = 0;
  for (const payments of sizes) {
    await seal(ground);
    const startedMs = performance.now();
    await seedPayments(stack.database, { from: seeded, to: payments - 1, keys: Math.round((payments - seeded) / 10) });
    const seedSeconds = (performance.now() - startedMs) / 1_000;
    say(`growth: ${payments} payments are there, the last ${payments - seeded} in ${seedSeconds.toFixed(0)} s`);
    if (seeded === 0) {
      await writeExceptions(stack.database);
    }
    seeded = payments;
    await summarize(ground);
    stages.push({
      payments,
      seedSeconds,
      databaseBytes: await databaseBytes(stack.database),
      ...(await measureStage(ground, quick ? 5 : 7)),
    });
  }
  const [small, middle, large] = stages;
  if (small === undefined || middle === undefined || large === undefined) {
    throw new Error('there are three stages');
  }
  return findingsOf({ small, middle, large });
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
  const scans = [...after].map(([table, { scans: times, rows }]) => {
    const earlier = before.get(table) ?? { scans: 0, rows: 0 };
    const isWhole = rows - earlier.rows > (times - earlier.scans) * SCANNED_ROWS_MAX;
    return [table, isWhole ? times - earlier.scans : 0] as const;
  });
  const cost = (operation: Operation): Cost => costOf(counted.map((round) => round[operation]));
  return {
    costs: Object.fromEntries(OPERATIONS.map((operation) => [operation, cost(operation)])) as Stage['costs'],
    scans: Object.fromEntries(scans.filter(([, count]) => count > 0)),
  };
}

interface Reader {
  readonly shop: Shop;
  readonly customer: string;
  readonly operator: Record<OperatorRead, () => Promise<void>>;
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
  return { shop, customer: 'regular', operator: await operatorReads(stack) };
}

async function measureRound(ground: CountingGround, reader: Reader): Promise<Record<Operation, StepCounts>> {
  const { steps } = await countFlow(ground, NATIVE);
  const ofStep = (name: (typeof STEPS)[number]): StepCounts => {
    const counts = steps[name];
    if (counts === undefined) {
      throw new Error(`a payment has no step ${name}`);
    }
    return counts;
  };
  const list = await countStep({ database: ground.stack.database, gateway: ground.gateway }, () =>
    listOf(ground, reader),
  );
  // Seals the payment that was just taken, so that the measured run has nothing to do.
  await seal(ground);
  const reads: [OperatorRead, StepCounts][] = [];
  for (const name of READS) {
    const { counts } = await countStep(
      { database: ground.stack.database, gateway: ground.gateway },
      reader.operator[name],
    );
    reads.push([name, counts]);
  }
  return {
    ...(Object.fromEntries(reads) as Record<OperatorRead, StepCounts>),
    create: ofStep('create'),
    page: ofStep('page'),
    pay: ofStep('pay'),
    return: ofStep('return'),
    read: ofStep('read'),
    list: list.counts,
    sweep: await countPass(ground, LOOP_IDS.sweep),
    seal: await countPass(ground, LOOP_IDS.sealLedger),
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

async function countPass(
  { stack, gateway }: CountingGround,
  loopId: Parameters<typeof passOnce>[1],
): Promise<StepCounts> {
  await untilQuiet(stack.database);
  const { counts } = await countStep({ database: stack.database, gateway }, () => passOnce(stack.temporal, loopId));
  return counts;
}

async function seal({ stack }: CountingGround): Promise<void> {
  await passOnce(stack.temporal, LOOP_IDS.sealLedger);
}

/** Seeded payments ended long ago, where the summaries have passed: they are made again, by as many passes as it takes. */
async function summarize({ stack }: CountingGround): Promise<void> {
  await stack.database.query(`truncate report_sums, report_times`);
  await stack.database.query(`update report_progress set through = '-infinity'`);
  for (let passes = 0; passes < SUMMARY_PASSES_MAX; passes += 1) {
    await passOnce(stack.temporal, LOOP_IDS.sweep);
    const { rows } = await stack.database.query<{ behind: boolean }>(
      `select (select max(ended_at) from payments where id > ${SEEDED_FROM}) >= through as behind from report_progress`,
    );
    if (rows[0]?.behind === false) {
      await stack.database.query('vacuum analyze report_sums, report_times, report_progress');
      return;
    }
  }
  throw new Error('the sweeper does not summarize the seeded payments');
}

async function databaseBytes(database: pg.Pool): Promise<number> {
  const { rows } = await database.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
  return Number(rows[0]?.bytes);
}

/** Returns the rows that sequential scans have read so far, by table. A scan that stops at a limit has read few. */
async function readScans(database: pg.Pool): Promise<Map<string, Scans>> {
  const { rows } = await database.query<{ name: string; scans: string; rows: string }>(
    `select relname as name, seq_scan as scans, seq_tup_read as rows from pg_stat_user_tables where n_live_tup > ${SCANNED_ROWS_MAX}`,
  );
  return new Map(rows.map(({ name, scans, rows: read }) => [name, { scans: Number(scans), rows: Number(read) }]));
}

function costOf(rounds: readonly StepCounts[]): Cost {
  const median = (of: (statement: StepCounts['statements'][number]) => number): number =>
    quantile(
      rounds.map(({ statements }) => statements.reduce((sum, statement) => sum + of(statement), 0)),
      0.5,
    );
  return { blocks: Math.round(median(({ blocks }) => blocks)), ms: median(({ ms }) => ms) };
}

function findingsOf(stages: { readonly small: Stage; readonly middle: Stage; readonly large: Stage }): Findings {
  const { small, middle, large } = stages;
  const rows = OPERATIONS.map((operation) => {
    const [before, between, after] = [small.costs[operation], middle.costs[operation], large.costs[operation]];
    return {
      operation,
      before,
      between,
      after,
      blocks: after.blocks / before.blocks,
      sameDepth: after.blocks / between.blocks,
      ms: after.ms / before.ms,
    };
  });
  const dear = rows.filter(({ before }) => before.blocks >= FEW_BLOCKS);
  const worst = dear.reduce((a, b) => (b.blocks > a.blocks ? b : a));
  const deep = dear.reduce((a, b) => (b.sameDepth > a.sameDepth ? b : a));
  const more = Math.max(
    ...rows.map(({ before, after }) => (before.blocks < FEW_BLOCKS ? after.blocks - before.blocks : 0)),
  );
  const scans = { ...small.scans, ...middle.scans, ...large.scans };
  const scanned = Object.entries(scans).map(([table, count]) => `${table} ${count}`);
  const words = (stage: Stage): string => stage.payments.toLocaleString('en');
  return {
    order: 50,
    title: `Cost with ${words(large)} payments over that with ${words(small)}`,
    summary: [
      `Shared blocks, hit or read: at most ${worst.blocks.toFixed(3)} times as many (${TEXTS[worst.operation]}; ${verdict({ met: worst.blocks <= BLOCKS_GOAL, goal: `≤ ${BLOCKS_GOAL}` })}); where it was fewer than ${FEW_BLOCKS} blocks, at most ${more} more (${verdict({ met: more <= MORE_BLOCKS_GOAL, goal: `≤ ${MORE_BLOCKS_GOAL}` })}). Sequential scans that read more than ${SCANNED_ROWS_MAX.toLocaleString('en')} rows: ${scanned.length === 0 ? 'none' : scanned.join(', ')} (${verdict({ met: scanned.length === 0, goal: '0' })}).`,
      `Between ${words(small)} and ${words(large)} rows an index gains one level, which costs one more block whenever it is used. With ${words(middle)} nearly all of them have the depth that they have with ${words(large)}: from there it is at most ${deep.sameDepth.toFixed(3)} times as many (${TEXTS[deep.operation]}; ${verdict({ met: deep.sameDepth <= BLOCKS_GOAL, goal: `≤ ${BLOCKS_GOAL}` })}).`,
      `The operations are those of the running api and worker; the payments before them were written by SQL in ${large.seedSeconds.toFixed(0)} s, each with attempt, callback, event, delivery and ledger rows, besides ${Math.round(large.payments / 10).toLocaleString('en')} idempotency keys; such a payment takes ${((large.databaseBytes - small.databaseBytes) / (large.payments - small.payments) / 1_000).toFixed(1)} kB with its indexes. Operators find as many rows at each size; a list counts at most 10,000. Times are sums over an operation's statements, medians, taken one stage after the other.`,
    ],
    tables: [
      {
        caption: 'Shared blocks and SQL milliseconds of one operation',
        columns: [
          'operation',
          `blocks with ${words(small)}`,
          `with ${words(middle)}`,
          `with ${words(large)}`,
          'ratio',
          'ratio at equal depth',
          'ms before',
          'ms after',
          'ratio of ms',
        ],
        rows: rows.map(({ operation, before, between, after, blocks, sameDepth, ms }) => [
          TEXTS[operation],
          String(before.blocks),
          String(between.blocks),
          String(after.blocks),
          blocks.toFixed(2),
          sameDepth.toFixed(2),
          before.ms.toFixed(2),
          after.ms.toFixed(2),
          ms.toFixed(2),
        ]),
      },
    ],
    data: { small, middle, large },
  };
}
