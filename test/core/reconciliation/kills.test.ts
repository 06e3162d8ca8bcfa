import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { importing, running, strike, writes, type Blow } from '../../../proofs/kills/blows.ts';
import { countsOf, differencesOf, readBooks, type Books } from '../../../proofs/kills/books.ts';
import type { DayToClose } from '../../../proofs/kills/day-to-close.ts';
import { openDatabase } from '../../../database/connection.ts';
import { copyDatabase, createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createApplication, payPayment } from '../ledger/ledger-fixture.ts';
import { openPayoutWorldAt } from '../payouts/payout-world.ts';
import { CALENDAR } from './reconciliation-world.ts';

const PROGRAM = fileURLToPath(new URL('../../../proofs/kills/day-process.ts', import.meta.url));
const PAYMENTS = 120;
const LINES = 4_500;
const PAYOUTS = 20;
/** Ten deaths: while files are imported, while lines are judged, while cases are opened, and while transfers are posted. */
const BLOWS: readonly Blow<'process'>[] = [
  ['the file begins to be imported', importing(`kind = 'lines'`)],
  ['the first lines are written', `${importing(`kind = 'lines'`)} and ${writes('payout_lines')}`],
  ['half of the lines are there', `${importing('rows_read > 1800')} and ${writes('payout_lines')}`],
  ['the statement is imported', importing(`kind = 'statement'`)],
  ['the first results are written', `${running(`step = 'matching'`)} and ${writes('reconciliation_results')}`],
  ['results are written again', `${running(`step = 'matching'`)} and ${writes('reconciliation_results')}`],
  ['a later batch is written', `${running(`position like '%unjudged%'`)} and ${writes('reconciliation_results')}`],
  ['what is open is judged again', running(`position like '%open%'`)],
  ['cases are opened', running(`step = 'opening-cases'`)],
  ['transfers are posted', `${running(`step = 'checking'`)} and ${writes('payout_bookings')}`],
].map(([moment = '', when = '']) => ({ target: 'process', moment, when }));

const databases: TestDatabase[] = [];
let undisturbed: TestDatabase;
let killed: TestDatabase;
let day: Omit<DayToClose, 'databaseUrl'>;

beforeAll(async () => {
  undisturbed = await createTestDatabase();
  databases.push(undisturbed);
  day = await populate(undisturbed.url);
  killed = await copyDatabase(undisturbed);
  databases.push(killed);
});

afterAll(async () => {
  await Promise.all(databases.map(({ drop }) => drop()));
});

test('a day whose process is killed ten times ends like one that nothing has disturbed', async () => {
  // A restart in the middle of a batch must neither lose a line nor post one twice.
  const expected = await withClient(undisturbed.url, async (client) => {
    await ended(start(undisturbed.url));
    return readBooks(client);
  });
  expect(countsOf(expected)).toMatchObject({ file: 2, payout: PAYOUTS, 'bank entry': PAYOUTS - 1, result: LINES + 1 });
  const found = await withClient(killed.url, async (client) => {
    const struck = await killTenTimes(client);
    expect(struck.moments).toEqual(BLOWS.map(({ moment }) => moment));
    expect(struck.insideTransactions).toBeGreaterThanOrEqual(5);
    return readBooks(client);
  });
  expect(differencesOf(expected, found)).toEqual([]);
  await judgeNotices(found);
});

/** A comparison that could not fail would prove nothing. */
async function judgeNotices(books: Books): Promise<void> {
  const planted = [
    `insert into payout_bookings (application_id, mode, gateway, currency, payout_id, kind, lines, amounts)
       select application_id, mode, gateway, currency, payout_id, kind, lines, amounts from payout_bookings limit 1`,
    `delete from ledger_postings where id = (select min(id) from ledger_postings)`,
    `delete from reconciliation_cases where id = (select min(id) from reconciliation_cases)`,
    `delete from payout_lines where id = (select max(id) from payout_lines)`,
    `update reconciliation_results set status = 'DEFERRED', reason = null where id = (select min(id) from reconciliation_results where status = 'FLAGGED')`,
    `update payout_files set lines_known = lines_known + 1 where kind = 'lines'`,
  ];
  await withClient(killed.url, async (client) => {
    for (const sql of planted) {
      await client.query('begin');
      await client.query('set local session_replication_role = replica');
      await client.query(sql);
      expect(differencesOf(books, await readBooks(client))).not.toEqual([]);
      await client.query('rollback');
    }
  });
}

async function killTenTimes(client: pg.Client) {
  let process = start(killed.url);
  const done = new AbortController();
  const watch = (child: ChildProcess): void => {
    child.once('exit', (code) => code !== null && done.abort());
  };
  watch(process);
  const struck = await strike({
    client,
    blows: BLOWS,
    done: done.signal,
    say: () => undefined,
    async kill() {
      process.kill('SIGKILL');
      await new Promise((settle) => process.once('exit', settle));
      process = start(killed.url);
      watch(process);
    },
  });
  await ended(process);
  return struck;
}

function start(databaseUrl: string): ChildProcess {
  const order: DayToClose = { databaseUrl, ...day };
  return spawn(process.execPath, [PROGRAM, JSON.stringify(order)], { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function ended(child: ChildProcess): Promise<void> {
  const code = child.exitCode ?? (await new Promise((settle) => child.once('exit', settle)));
  expect(code).toBe(0);
}

/** Payments, and files whose lines explain some of them, differ from some, and are of nobody. */
async function populate(url: string): Promise<Omit<DayToClose, 'databaseUrl'>> {
  const database = await openDatabase({ url, poolSize: 2 });
  const applicationId = await createApplication(database);
  const rows: string[] = [];
  const sums = new Map<string, number>();
  const add = ({ id, txn, minor }: { id: number; txn: string; minor: number }): void => {
    const payout = `SETTLE-${1_000 + (id % PAYOUTS)}`;
    sums.set(payout, (sums.get(payout) ?? 0) + minor);
    rows.push(`${payout},L${id},${txn},${decimal(minor)},2026-11-03`);
  };
  for (let id = 0; id < PAYMENTS; id += 1) {
    const { attemptReference } = await payPayment(database, { applicationId, mode: 'LIVE' });
    // One payment is in no payout, and one of ten is paid out with another amount.
    if (id > 0) {
      add({ id, txn: `B${attemptReference}`, minor: id % 10 === 0 ? 9_000 : 9_750 });
    }
  }
  for (let id = PAYMENTS; rows.length < LINES; id += 1) {
    add({ id, txn: `FOREIGN${id}`, minor: 100 + (id % 900) });
  }
  await database.close();
  const world = await openPayoutWorldAt(url, {
    columns: {
      payoutReference: { headings: ['payout'] },
      lineReference: { headings: ['id'] },
      gatewayTxnId: { headings: ['txn'] },
      gross: { headings: ['gross'] },
      paidOutOn: { headings: ['day'] },
    },
  });
  // The installation's own store.
  await world.rows(`update payment_attempts set store_id = 'teststore'`);
  const lines = await world.upload(`payout,id,txn,gross,day\n${rows.join('\n')}\n`);
  const statement = await world.upload(statementOf([...sums].slice(1)), {
    kind: 'statement',
    format: 'mt940',
    gateway: null,
    storeId: null,
    name: 'statement.sta',
  });
  await world.close();
  return {
    mode: 'LIVE',
    gateway: 'sslcommerz',
    period: CALENDAR.today(new Date()),
    files: [lines.reference, statement.reference],
  };
}

/** What the bank says: one payout arrives a taka short. */
function statementOf(payouts: readonly (readonly [payout: string, minor: number])[]): string {
  const entries = payouts.map(([payout, minor], index) => ({ payout, minor: index === 0 ? minor - 100 : minor }));
  const sum = entries.reduce((total, { minor }) => total + minor, 0);
  return [
    ':20:STMT1',
    ':25:BD01/123',
    ':28C:1/1',
    ':60F:C261103BDT0,00',
    ...entries.map(({ payout, minor }) => `:61:2611031103C${decimal(minor).replace('.', ',')}NTRF${payout}`),
    `:62F:C261103BDT${decimal(sum).replace('.', ',')}`,
    '',
  ].join('\r\n');
}

function decimal(minor: number): string {
  return `${Math.trunc(minor / 100)}.${String(minor % 100).padStart(2, '0')}`;
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
