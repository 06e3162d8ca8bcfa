import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { addDays } from '../../domain/plain-date.ts';
import { readOrMakeMasterKey } from '../../scripts/development/development-secrets.ts';
import { findRunningStack, type DevFile } from '../../scripts/development/dev-file.ts';
import { logIn } from '../trade/operator.ts';
import { importing, running, strike, writes, type Blow, type Struck } from './blows.ts';
import { countsOf, differencesOf, readBooks, type Books } from './books.ts';
import { closeDay } from './close-day.ts';
import { populate, type Population } from './population.ts';
import { copyData, killProcess, stacksOnTheSamePorts } from './stack.ts';

export interface KillsOrder {
  /** Holds the data of three stacks. */
  readonly directory: string;
  /** At each gateway. */
  readonly payments: number;
  readonly strangers: number;
  readonly seed: string;
  readonly say: (line: string) => void;
}

const SPREAD_DAYS = 7;
const LAST_PAYOUT_AFTER_DAYS = 14;
const DIFFERENCES_SHOWN = 10;

type Target = 'api' | 'worker';

/** Ten deaths, in the order in which a day is closed. */
const blows = (strangers: number): readonly Blow<Target>[] => [
  {
    target: 'api',
    moment: 'a file is half uploaded',
    when: `exists (select from payout_files where state = 'UPLOADING')`,
  },
  {
    target: 'worker',
    moment: 'the first lines are written',
    when: `${importing(`gateway = 'sslcommerz'`)} and ${writes('payout_lines')}`,
  },
  {
    target: 'worker',
    moment: 'half of the lines are there',
    when: `${importing(`gateway = 'sslcommerz' and rows_read > ${Math.trunc(strangers / 2)}`)} and ${writes('payout_lines')}`,
  },
  {
    target: 'worker',
    moment: 'the first results are written',
    when: `${running(`gateway = 'sslcommerz' and step = 'matching'`)} and ${writes('reconciliation_results')}`,
  },
  { target: 'api', moment: 'an operator waits for the run', when: running(`gateway = 'sslcommerz'`) },
  {
    target: 'worker',
    moment: 'what is open is judged again',
    when: running(`gateway = 'sslcommerz' and position like '%open%'`),
  },
  { target: 'worker', moment: 'cases are opened', when: running(`gateway = 'sslcommerz' and step = 'opening-cases'`) },
  { target: 'worker', moment: "a gateway's API is read", when: running(`gateway = 'stripe' and step = 'fetching'`) },
  { target: 'worker', moment: 'the bank statement is imported', when: importing(`kind = 'statement'`) },
  {
    target: 'worker',
    moment: 'transfers are posted',
    when: `${running(`step = 'checking'`)} and ${writes('payout_bookings')}`,
  },
];

export interface KillsResult {
  readonly problems: readonly string[];
  readonly struck: Struck;
  readonly counts: Readonly<Record<string, number>>;
}

/** Closes one day twice, from equal data: undisturbed, and with ten deaths. The books have to be equal. */
export async function proveKills(order: KillsOrder): Promise<KillsResult> {
  const { directory, say, strangers } = order;
  const startStack = await stacksOnTheSamePorts();
  const today = calendarIn(BUSINESS_TIME_ZONE).today(new Date());
  const until = addDays(today, LAST_PAYOUT_AFTER_DAYS);
  const [first, undisturbed, killed] = ['first', 'undisturbed', 'killed'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const at = async <T>(data: string, work: (dev: DevFile) => Promise<T>): Promise<T> => {
    const stack = await startStack(data);
    try {
      return await work(stack.dev);
    } finally {
      await stack.stop();
    }
  };
  const population = await at(first, async (dev) => {
    const masterKey = readOrMakeMasterKey(first);
    return populate({ ...order, dev, masterKey, days: SPREAD_DAYS, until }, await logIn(dev));
  });
  say(`${order.payments} payments at each gateway, and files with ${strangers} more lines.`);
  await copyData(first, undisturbed);
  await copyData(first, killed);
  const expected = await at(undisturbed, async (dev) => {
    const startedMs = Date.now();
    await closeDay({ dev, population, today, until });
    say(`Undisturbed, the day is closed in ${seconds(startedMs)} s.`);
    return judged(undisturbed, dev);
  });
  let struck: Struck = { moments: [], insideTransactions: 0 };
  const found = await at(killed, async (dev) => {
    const startedMs = Date.now();
    struck = await closeWithDeaths({ dev, population, today, until, directory: killed, blows: blows(strangers), say });
    say(`With ${struck.moments.length} deaths, it is closed in ${seconds(startedMs)} s.`);
    return judged(killed, dev);
  });
  return { problems: problemsOf({ order, today, struck, expected, found }), struck, counts: countsOf(expected.books) };
}

interface Judged {
  readonly books: Books;
  /** Null: `npm run verify` finds nothing. */
  readonly finding: string | null;
}

function problemsOf({
  order: { strangers },
  today,
  struck,
  expected,
  found,
}: {
  readonly order: KillsOrder;
  readonly today: string;
  readonly struck: Struck;
  readonly expected: Judged;
  readonly found: Judged;
}): string[] {
  const missed = blows(strangers).filter(({ moment }) => !struck.moments.includes(moment));
  const differences = differencesOf(expected.books, found.books);
  return [
    ...(calendarIn(BUSINESS_TIME_ZONE).today(new Date()) === today
      ? []
      : ['a new day has begun in between: repeat it']),
    ...missed.map(({ moment }) => `no process was killed when ${moment}`),
    ...[expected, found].flatMap(({ finding }) => (finding === null ? [] : [`npm run verify: ${finding}`])),
    ...differences.slice(0, DIFFERENCES_SHOWN),
    ...(differences.length > DIFFERENCES_SHOWN ? [`… and ${differences.length - DIFFERENCES_SHOWN} more`] : []),
  ];
}

interface Deaths {
  readonly dev: DevFile;
  readonly population: Population;
  readonly today: string;
  readonly until: string;
  readonly directory: string;
  readonly blows: readonly Blow<Target>[];
  readonly say: (line: string) => void;
}

async function closeWithDeaths({ directory, blows: planned, say, ...day }: Deaths): Promise<Struck> {
  const client = await connect(day.dev);
  const done = new AbortController();
  try {
    const closing = closeDay(day).finally(() => done.abort());
    const kill = (target: Target): Promise<void> => killProcess(directory, target);
    const [struck] = await Promise.all([strike({ client, blows: planned, kill, done: done.signal, say }), closing]);
    return struck;
  } finally {
    await client.end();
  }
}

async function judged(directory: string, dev: DevFile): Promise<Judged> {
  if ((await findRunningStack(directory)) === undefined) {
    throw new Error(`the stack in ${directory} has ended`);
  }
  const client = await connect(dev);
  try {
    return { books: await readBooks(client), finding: await verified(directory) };
  } finally {
    await client.end();
  }
}

async function connect({ databaseUrl }: DevFile): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  return client;
}

function verified(directory: string): Promise<string | null> {
  const script = resolve(import.meta.dirname, '../../scripts/commands/verify.ts');
  return new Promise((settle) => {
    execFile(process.execPath, [script, '--directory', directory], { timeout: 300_000 }, (error, stdout, stderr) => {
      settle(error === null ? null : `${stdout}${stderr}`.trim().slice(0, 1_000));
    });
  });
}

function seconds(sinceMs: number): number {
  return Math.round((Date.now() - sinceMs) / 1_000);
}
