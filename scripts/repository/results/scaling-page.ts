import { z } from 'zod';
import type { ResultFile } from './result-file.ts';

const Cpu = z.object({
  api: z.number(),
  worker: z.number(),
  postgres: z.number(),
  temporal: z.number(),
  'Temporal’s Postgres': z.number(),
});
const Throughput = z.array(
  z.object({ store: z.string(), rows: z.array(z.object({ inFlight: z.int(), paymentCpuMs: z.looseObject({}) })) }),
);
const History = z.object({ events: z.int(), workflowTasks: z.int(), regularActivities: z.int() });
/** `statements` counts begin, set_config and commit of each transaction beside the `working` ones. */
const Step = z.object({ working: z.int(), statements: z.int(), walBytes: z.number() });
const Counts = z.object({
  native: z.object({
    steps: z.object({ create: Step, pay: Step }),
    workflows: z.object({ payment: History, webhook: History.optional() }),
  }),
});
const Memory = z.object({
  small: z.object({ open: z.int(), temporalBytes: z.number() }),
  large: z.object({ open: z.int(), temporalBytes: z.number() }),
});
const Growth = z.object({
  small: z.object({ payments: z.int(), databaseBytes: z.number() }),
  large: z.object({ payments: z.int(), databaseBytes: z.number() }),
});

/** The number in flight at which the components are measured. */
const IN_FLIGHT = 16;
const RATES = [10, 100, 1_000] as const;
/** A process that always runs on more than half of its cores has no room for a burst. */
const LOAD = 0.5;
/** A shard writes one transition after the other, and a commit takes about 5 ms: 200 a second at most, of which a quarter is planned. */
const TRANSITIONS_PER_SHARD = 50;
const DAY_SECONDS = 86_400;
const MONTH_SECONDS = 30 * DAY_SECONDS;
const MANY_PAYMENTS = 100_000_000;

interface Costs {
  readonly cpuMs: z.infer<typeof Cpu>;
  readonly walBytes: number;
  readonly commits: number;
  readonly events: number;
  readonly transitions: number;
  readonly rowBytes: number;
  readonly historyBytes: number;
}

/** What a deployment sets. */
interface Settings {
  readonly shards: number;
  readonly retentionDays: number;
}

/** Returns docs/scaling.md, computed from the recorded results. */
export function scalingPage(results: readonly ResultFile[], settings: Settings): string {
  const costs = costsOf(results);
  return `${[
    '# Scaling',
    'What a payment costs in each component, and what follows for 10, 100 and 1,000 payments a second and for 100 million payments. Made by `npm run generate` ' +
      'from `docs/results/`. Each figure is marked **measured** (on the machine that [performance.md](performance.md) names) or **computed** from measured ones.',
    ...costOfPayment(costs),
    ...ratesText(costs, settings),
    ...processesText(results),
    ...storageText(costs, settings),
    ...limitText(costs, settings),
  ].join('\n\n')}\n`;
}

function costsOf(results: readonly ResultFile[]): Costs {
  const data = (name: string): unknown => results.find((result) => result.name === `bench-${name}`)?.data;
  const stores = Throughput.parse(data('throughput'));
  const row = stores.find(({ store }) => store === 'PostgreSQL')?.rows.find(({ inFlight }) => inFlight === IN_FLIGHT);
  const {
    steps: { create, pay },
    workflows: { payment, webhook },
  } = Counts.parse(data('counts')).native;
  const [memory, growth] = [Memory.parse(data('memory')), Growth.parse(data('growth'))];
  return {
    cpuMs: Cpu.parse(row?.paymentCpuMs),
    walBytes: create.walBytes + pay.walBytes,
    commits: commitsOf(create) + commitsOf(pay),
    events: payment.events + (webhook?.events ?? 0),
    // Beside its tasks and activities, the payment's workflow is started, updated and signalled.
    transitions: 3 + transitionsOf(payment) + (webhook ? 1 + transitionsOf(webhook) : 0),
    rowBytes:
      (growth.large.databaseBytes - growth.small.databaseBytes) / (growth.large.payments - growth.small.payments),
    historyBytes: (memory.large.temporalBytes - memory.small.temporalBytes) / (memory.large.open - memory.small.open),
  };
}

const commitsOf = ({ statements, working }: z.infer<typeof Step>): number => (statements - working) / 3;

/** A task or an activity starts and completes, which are two transitions. */
const transitionsOf = ({ workflowTasks, regularActivities }: z.infer<typeof History>): number =>
  2 * (workflowTasks + regularActivities);

const total = ({ cpuMs }: Costs): number => Object.values(cpuMs).reduce((sum, ms) => sum + ms, 0);
const kilo = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`;
const space = (bytes: number): string =>
  bytes < 1e12 ? `${(bytes / 1e9).toFixed(0)} GB` : `${(bytes / 1e12).toFixed(1)} TB`;
const whole = (number: number): string => Math.ceil(number).toLocaleString('en');
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** At one payment a second. A finished payment's history is somewhat larger than an open one's. */
const storeBytes = ({ historyBytes }: Costs, retentionDays: number): number =>
  historyBytes * retentionDays * DAY_SECONDS;

/** The names of the components as a reader knows them. */
const COMPONENTS: Readonly<Record<keyof z.infer<typeof Cpu>, string>> = {
  api: 'api',
  worker: 'worker',
  postgres: 'our Postgres',
  temporal: 'Temporal',
  'Temporal’s Postgres': 'Temporal’s Postgres',
};
const componentsOf = ({ cpuMs }: Costs): [name: string, ms: number][] =>
  (Object.keys(COMPONENTS) as (keyof typeof COMPONENTS)[]).map((name) => [COMPONENTS[name], cpuMs[name]]);

function costOfPayment(costs: Costs): string[] {
  const rows = [
    ...componentsOf(costs).map(([name, ms]) => [`CPU: ${name}`, `${ms.toFixed(1)} ms`, 'measured']),
    ['CPU: all', `${total(costs).toFixed(1)} ms`, 'computed'],
    ['commits in our Postgres', String(costs.commits), 'measured'],
    ['WAL of our Postgres', kilo(costs.walBytes), 'measured'],
    ['rows of a finished payment, with indexes', kilo(costs.rowBytes), 'measured'],
    ['history events', String(costs.events), 'measured'],
    ['state transitions in Temporal', String(costs.transitions), 'computed from tasks, activities and messages'],
    ['Temporal’s store, while the payment is open', kilo(costs.historyBytes), 'measured, on SQLite'],
  ];
  return [
    '## What a payment costs',
    `From \`POST /payments\` to the delivered webhook, with ${IN_FLIGHT} payments in flight and Temporal on PostgreSQL.`,
    [line(['', 'per payment', '']), line(['---', '---', '---']), ...rows.map(line)].join('\n'),
  ];
}

function ratesText(costs: Costs, { shards, retentionDays }: Settings): string[] {
  const cores = (ms: number) => (rate: number) => (Math.ceil((rate * ms) / 100 / LOAD) / 10).toLocaleString('en');
  const row = (name: string, of: (rate: number) => string) => line([name, ...RATES.map(of)]);
  return [
    '## What follows for a rate',
    `Computed. Cores are those that leave every component at ${LOAD * 100} % of its CPU. Rates are averages of a busy hour.`,
    [
      line(['payments per second', ...RATES.map((rate) => rate.toLocaleString('en'))]),
      line(['---', ...RATES.map(() => '---')]),
      ...componentsOf(costs).map(([name, ms]) => row(`cores: ${name}`, cores(ms))),
      row('commits per second in our Postgres', (rate) => whole(rate * costs.commits)),
      row('WAL of our Postgres', (rate) => `${((rate * costs.walBytes) / 1e6).toFixed(1)} MB/s`),
      row('state transitions per second in Temporal', (rate) => whole(rate * costs.transitions)),
      row('history shards', (rate) =>
        whole(Math.max(4, 2 ** Math.ceil(Math.log2((rate * costs.transitions) / TRANSITIONS_PER_SHARD)))),
      ),
      row('our rows per month', (rate) => space(rate * costs.rowBytes * MONTH_SECONDS)),
      row(`Temporal’s store, which keeps ${retentionDays} days`, (rate) =>
        space(rate * storeBytes(costs, retentionDays)),
      ),
    ].join('\n'),
    `**History shards.** A shard writes its transitions one after the other, so we plan ${TRANSITIONS_PER_SHARD} a second for each (assumed: a commit takes 5 ms, and a quarter of the time is used). ` +
      `\`docker-compose.yml\` sets ${shards}, enough for ${whole((shards * TRANSITIONS_PER_SHARD) / costs.transitions - 1)} payments/s. The number can never be changed later: for more, set \`NUM_HISTORY_SHARDS\` before the first start. ` +
      'An idle shard costs a few queries a minute.',
  ];
}

function processesText(results: readonly ResultFile[]): string[] {
  const scale = results.find(({ name }) => name === 'bench-scale');
  return [
    '## More processes',
    'Workers and apis keep nothing that another one needs: start as many as there are cores for. Workers share the task queues, and apis stand behind a load balancer. ' +
      'Sweeper and sealing run once, however many workers there are. Everything that two processes could both do is decided by one guarded statement.',
    ...(scale === undefined ? [] : [`Measured with \`${scale.command}\`: ${scale.summary[0] ?? ''}`]),
  ];
}

function storageText(costs: Costs, { retentionDays }: Settings): string[] {
  return [
    '## 100 million payments',
    `Computed: ${space(costs.rowBytes * MANY_PAYMENTS)} of rows and indexes in our database; at 10 payments/s they are reached after ${whole(MANY_PAYMENTS / 10 / MONTH_SECONDS)} months, at 100 after ${(MANY_PAYMENTS / 100 / MONTH_SECONDS).toFixed(1)}. ` +
      `Temporal keeps a finished workflow for ${retentionDays} days only. ` +
      'An operation costs the same blocks, up to one more level of each index ([growth](performance.md)).',
    'What then needs care is not reading, but vacuum, backups and restore, which take as long as the tables are large. Nothing of the following is built. It can be done without changing a contract:',
    [
      '1. **Partition by month of creation** what only grows and is rarely read later: `gateway_callbacks`, `webhook_events` with `webhook_attempts`, `payment_attempts`, `payments`, `ledger_postings` with `ledger_transactions`. ' +
        'A unique constraint of a partitioned table contains the month. What must be unique for ever moves to small tables of its own: public references, attempt references, charges (`validation_id`), causes of the ledger, digests of callbacks.',
      '2. **Archive by month.** A month can go when all its payments have ended, its refunds are no longer possible and its ledger rows are sealed. Detach the partition, export it, verify the export against the seals, then drop it. ' +
        'The ledger’s balances stay right if the archived month leaves one closing posting for each account.',
      '3. **Until then** `LENDEN_RETENTION_CALLBACK_DAYS` and `LENDEN_RETENTION_DELIVERY_DAYS` remove what is no evidence.',
    ].join('\n'),
  ];
}

function limitText(costs: Costs, { shards, retentionDays }: Settings): string[] {
  const onCores = (cores: number): string => Math.floor((cores * 1_000 * LOAD) / total(costs)).toLocaleString('en');
  return [
    '## Which limit comes first',
    `Computed. **On one machine it is the CPU:** ${total(costs).toFixed(0)} ms for a payment are ${onCores(2)} payments/s on 2 cores, ${onCores(8)} on 8 and ${onCores(32)} on 32, at ${LOAD * 100} % load. ` +
      `Temporal and its database take ${(((costs.cpuMs.temporal + costs.cpuMs['Temporal’s Postgres']) * 100) / total(costs)).toFixed(0)} % of it.`,
    `**On several machines it is the Postgres of Temporal.** Workers, apis and Temporal’s own services can be multiplied; a Postgres cannot. At 1,000 payments/s Temporal writes ${whole(1_000 * costs.transitions)} transitions a second, each at least one commit, against ${whole(1_000 * costs.commits)} commits in ours. ` +
      `With ${shards} shards it comes at about ${whole((shards * TRANSITIONS_PER_SHARD) / costs.transitions - 1)} payments/s, and with more shards where one Postgres commits no faster. Give Temporal a database server of its own first, then Cassandra or Temporal Cloud. ` +
      'Our own Postgres is the next limit, and gateways have limits of their own long before.',
    `**The disk fills with histories first,** not with rows: ${space(10 * storeBytes(costs, retentionDays))} at 10 payments/s. Nothing that Lenden promises needs them, so shorten the namespace’s retention if you need no story of a payment in the Temporal UI after a week.`,
  ];
}
