import { execFile } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { workflowIds } from '../../workflows/messages/names.ts';
import type { RecordedCharge } from './booked.ts';
import type { Cluster, MemberName } from './cluster.ts';
import type { FaultLog } from './fault-log.ts';
import type { BookReader } from './gateway-books.ts';
import type { Member } from './member.ts';
import type { Owner } from './owner.ts';
import type { RestorePlan } from './plan.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const OURS = ['api-0', 'api-1', 'worker-0', 'worker-1'] as const satisfies MemberName[];
const UP_TIMEOUT_MS = 60_000;
const COMMAND_TIMEOUT_MS = 120_000;

export interface LostPayment {
  readonly id: string;
  readonly reference: string;
}

/** What the restore undid, computed from the rows before and after it. */
export interface Restored {
  /** Times of the driver's monotonic clock, as in the journal's answers. Whatever was answered between these two may be undone. */
  readonly takenAtMs: number;
  readonly doneAtMs: number;
  readonly payments: readonly LostPayment[];
  /** Lost payments by their order at the gateway. */
  readonly orders: ReadonlyMap<string, LostPayment>;
  readonly notices: readonly string[];
  readonly events: ReadonlySet<string>;
  /** The largest sequence of the lost events, by the reference of their payment or invoice. */
  readonly sequences: ReadonlyMap<string, number>;
  /** Events in the restored state. */
  readonly known: ReadonlySet<string>;
  /** Workflows that `npm run restore` asked a person to look up. */
  readonly listed: ReadonlySet<string>;
}

/** What a judge gets about the restore. */
export interface RestoreEvidence {
  readonly lostPayments: number;
  /** Charges of lost payments, each with whether the command asked a person to look it up. */
  readonly lostCharges: readonly { readonly order: string; readonly payment: string; readonly listed: boolean }[];
  /** Payments that have the number of a lost payment. */
  readonly numbersGivenTwice: readonly string[];
  /** Payments and invoices with an event that receivers ignore, because a lost one had as large a sequence. */
  readonly staleEvents: readonly string[];
}

export interface SettingBack {
  readonly cluster: Cluster;
  readonly owner: Owner;
  readonly log: FaultLog;
}

/**
 * Restores an older state of the database under load, following docs/restore.md. Postgres is stopped immediately and its files are copied, like a
 * snapshot of its disk. Later every API and worker is stopped, the copy replaces the files, and `npm run restore` runs before they start again.
 * Applications, payers and the gateway continue throughout.
 */
export async function setBack(
  { cluster, owner, log }: SettingBack,
  { takenAtMs, gapMs }: RestorePlan,
): Promise<Restored> {
  await sleep(takenAtMs);
  const copy = join(cluster.directory, 'dump');
  const taken = performance.now();
  const back = await hold(cluster, ['postgres'], 'SIGQUIT');
  try {
    rmSync(copy, { recursive: true, force: true });
    await promisify(execFile)('cp', ['-a', cluster.postgresData, copy]);
  } finally {
    await back();
  }
  log.note('a dump was taken');
  await sleep(gapMs);
  const start = await hold(cluster, OURS, 'SIGTERM');
  try {
    const before = await look(owner);
    const up = await hold(cluster, ['postgres'], 'SIGQUIT');
    try {
      rmSync(cluster.postgresData, { recursive: true, force: true });
      renameSync(copy, cluster.postgresData);
    } finally {
      await up();
    }
    const after = await look(owner);
    const listed = await putRight(cluster);
    log.fired(
      ['restore'],
      `an older database was restored: ${before.payments.size - after.payments.size} payments are lost`,
    );
    return { takenAtMs: taken, ...difference(before, after), listed, doneAtMs: performance.now() };
  } finally {
    await start();
  }
}

/** Ends processes and prevents their restart until the returned function is called. */
async function hold(
  { members }: Cluster,
  names: readonly MemberName[],
  signal: NodeJS.Signals,
): Promise<() => Promise<void>> {
  const held = names.flatMap((name): Member[] => {
    const member = members.get(name);
    return member === undefined ? [] : [member];
  });
  const releases = await Promise.all(held.map((member) => member.hold(signal, UP_TIMEOUT_MS)));
  return async () => {
    releases.forEach((release) => release());
    await Promise.all(held.map((member) => member.up(UP_TIMEOUT_MS)));
  };
}

interface SeenEvent {
  readonly event: string;
  readonly subject: string;
  readonly sequence: number;
}

interface Look {
  readonly payments: ReadonlyMap<string, LostPayment>;
  readonly orders: ReadonlyMap<string, string>;
  readonly notices: ReadonlySet<string>;
  readonly events: ReadonlyMap<string, SeenEvent>;
}

async function look(owner: Owner): Promise<Look> {
  const payments = await owner.run<LostPayment>('select id::text, reference from payments');
  const orders = await owner.run<{ order: string; payment: string }>(
    'select t.reference as "order", p.reference as payment from payment_attempts t join payments p on p.id = t.payment_id',
  );
  // A gateway's records identify a notice by its id or by its bytes.
  const notices = await owner.run<{ digest: string; bytes: string }>(
    `select encode(digest, 'hex') as digest, encode(sha256(convert_to(raw_payload, 'UTF8')), 'hex') as bytes
     from gateway_callbacks where kind = 'ipn'`,
  );
  const events = await seenEvents(owner);
  return {
    payments: new Map(payments.map((payment) => [payment.reference, payment])),
    orders: new Map(orders.map(({ order, payment }) => [order, payment])),
    notices: new Set(notices.flatMap(({ digest, bytes }) => [digest, bytes])),
    events: new Map(events.map((seen) => [seen.event, seen])),
  };
}

function seenEvents(owner: Owner): Promise<SeenEvent[]> {
  return owner.run<SeenEvent>(
    `select e.event_id as event, coalesce(p.reference, i.reference) as subject, e.sequence from webhook_events e
     left join payments p on p.id = e.payment_id left join invoices i on i.id = e.invoice_id`,
  );
}

type Difference = Pick<Restored, 'payments' | 'orders' | 'notices' | 'events' | 'sequences' | 'known'>;

function difference(before: Look, after: Look): Difference {
  const lost = [...before.events.values()].filter(({ event }) => !after.events.has(event));
  return {
    payments: [...before.payments.values()].filter(({ reference }) => !after.payments.has(reference)),
    orders: new Map(
      [...before.orders].flatMap(([order, payment]) => {
        const lost = before.payments.get(payment);
        return lost === undefined || after.orders.has(order) ? [] : [[order, lost] as const];
      }),
    ),
    notices: [...before.notices].filter((digest) => !after.notices.has(digest)),
    events: new Set(lost.map(({ event }) => event)),
    known: new Set(after.events.keys()),
    sequences: new Map(
      [...Map.groupBy(lost, ({ subject }) => subject)].map(([subject, events]) => [
        subject,
        Math.max(...events.map(({ sequence }) => sequence)),
      ]),
    ),
  };
}

const Report = z.object({ lost: z.array(z.object({ workflowId: z.string(), money: z.boolean() })) });

/** Runs the command as an operator would. Returns the workflows that a person has to look up. */
async function putRight({ databaseUrl, temporal }: Cluster): Promise<ReadonlySet<string>> {
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    LENDEN_TEST_RUN: process.env['LENDEN_TEST_RUN'],
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
  };
  const args = [join(ROOT, 'scripts/commands/restore.ts'), '--json', '--ignore-sessions'];
  const output = await new Promise<string>((settle, fail) => {
    execFile(
      process.execPath,
      args,
      { cwd: ROOT, env, timeout: COMMAND_TIMEOUT_MS, maxBuffer: 1e8 },
      (error, stdout, stderr) => {
        // Exit code 1 means that a person has to look something up.
        if (error !== null && error.code !== 1) {
          fail(new Error(`npm run restore failed: ${stderr.slice(-2_000)}`));
        } else {
          settle(stdout);
        }
      },
    );
  });
  const { lost } = Report.parse(JSON.parse(output));
  return new Set(lost.flatMap(({ workflowId, money }) => (money ? [workflowId] : [])));
}

/** Returns the gateways' records without the lost orders, which can no longer be completed and which I22 judges. */
export function booksWithout(books: BookReader, lost: ReadonlySet<string>): BookReader {
  return {
    async read() {
      const { sessions, charges, refunds } = await books.read();
      const isKept = ({ tranId }: { readonly tranId: string }): boolean => !lost.has(tranId);
      return { sessions: sessions.filter(isKept), charges: charges.filter(isKept), refunds: refunds.filter(isKept) };
    },
  };
}

/** Returns whether what was answered at that time may have been undone, and so no longer counts as a promise. */
export function isUndone({ takenAtMs, doneAtMs }: Restored, atMs: number): boolean {
  return atMs >= takenAtMs && atMs <= doneAtMs;
}

export async function restoreEvidence(
  owner: Owner,
  { payments, orders, listed, sequences, known }: Restored,
  charges: readonly RecordedCharge[],
): Promise<RestoreEvidence> {
  const lostNumbers = payments.map(({ id }) => id).join(' ');
  const twice = await owner.run<{ reference: string }>(
    `select reference from payments where id::text = any(string_to_array(?, ' '))`,
    [lostNumbers],
  );
  const added = (await seenEvents(owner)).filter(({ event }) => !known.has(event));
  return {
    lostPayments: payments.length,
    lostCharges: charges.flatMap(({ tranId: order }) => {
      const payment = orders.get(order);
      return payment === undefined
        ? []
        : [{ order, payment: payment.reference, listed: listed.has(workflowIds.payment(payment.reference)) }];
    }),
    numbersGivenTwice: twice.map(({ reference }) => reference),
    staleEvents: added
      .filter(({ subject, sequence }) => sequence <= (sequences.get(subject) ?? 0))
      .map(({ event, subject, sequence }) => `${event} of ${subject} with sequence ${sequence}`),
  };
}
