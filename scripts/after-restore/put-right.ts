import type { Client } from '@temporalio/client';
import {
  countersBehind,
  doubtOpenRefunds,
  doubtRefundsAgain,
  invoiceCounters,
  moveSequence,
  newestRowAt,
  noteRestore,
  openPaymentsAfter,
  openRefundsAfter,
  paymentOfAttempt,
  rowsNamed,
  sequencesMoved,
  skipNumbers,
  sweepOpenInvoices,
  type InvoiceCounter,
  type MovedSequence,
  type NamedKind,
  type NamedRow,
  type OpenPayment,
  type SkippedNumbers,
} from '../../database/after-restore.ts';
import type { Database } from '../../database/connection.ts';
import type { Statements } from '../../database/statements.ts';
import { createDispatch, refundHandleOf, type PaymentHandle } from '../../temporal/dispatch.ts';
import { restartPayment, restartRefund } from '../../temporal/restart.ts';
import { workflowIds } from '../../workflows/messages/names.ts';
import { knownWorkflows, type KnownWorkflow } from './known-workflows.ts';
import { detailsOf, type LostDetails } from './lost-details.ts';

export interface Restored {
  readonly database: Database;
  /** As the owner, who alone may move sequences. */
  readonly owner: Statements;
  readonly client: Client;
  /** When the dump was taken, or before; null: the newest row tells. */
  readonly takenAt: Date | null;
  /** Only says what would be done. */
  readonly dryRun: boolean;
  /** The newest numbers that customers hold, as people found them; Temporal knows none that it has lost, too. */
  readonly invoiceNumbers?: readonly InvoiceCounter[];
  /** How far every counter moves in any case. */
  readonly invoiceGap?: bigint;
  /** Apis and workers that seemed to live, of a dry run. */
  readonly living?: readonly string[];
}

/** A workflow without a row: it was begun after the dump was taken. */
export interface LostWorkflow extends Pick<
  KnownWorkflow,
  'workflowId' | 'kind' | 'running' | 'applicationId' | 'mode' | 'status' | 'gateway' | 'amountMinor' | 'startedAt'
> {
  /** Null where no money can have moved. */
  readonly details: LostDetails | null;
  /** Money may have moved at the gateway for it, which no row knows. */
  readonly money: boolean;
}

/** An open row and what Temporal said of its workflow. */
export interface Restarted {
  readonly reference: string;
  /** `RUNNING`, `COMPLETED`, … of the run before; `NONE` where there was none that Temporal still knows. */
  readonly before: string;
}

export interface RestoreReport {
  readonly dryRun: boolean;
  /** Apis and workers that have to be stopped first. */
  readonly living: readonly string[];
  /** Workflows that were closed before are not looked at. */
  readonly since: Date;
  readonly workflows: number;
  readonly sequences: readonly MovedSequence[];
  readonly skippedNumbers: readonly SkippedNumbers[];
  readonly lost: readonly LostWorkflow[];
  readonly payments: readonly Restarted[];
  readonly refunds: readonly Restarted[];
  /** Attempts of ended payments about which the gateway is asked again. */
  readonly lateQueries: readonly string[];
  readonly invoices: number;
}

/** The newest row may be older than the dump, on a quiet night; and two clocks never agree. */
const BEFORE_NEWEST_MS = 3_600_000;
/** Numbers are cheap, and each that is given out twice is a payment that somebody takes for another one. */
const GAP_MIN = 1_000_000n;
/** Rows that one workflow may bring with it: attempts, callbacks, events, tries to deliver them. */
const ROWS_A_WORKFLOW = 1_000n;
const REFERENCES_AT_ONCE = 500;

/**
 * Brings a database that was set back to an older state together with a Temporal that was not. With every api and worker stopped; it may be
 * stopped and run again.
 */
export async function putRight(restored: Restored): Promise<RestoreReport> {
  const { database, client, dryRun, takenAt } = restored;
  const newest = takenAt ?? (await database.withSystem(newestRowAt));
  const since = new Date((newest?.getTime() ?? 0) - (takenAt === null ? BEFORE_NEWEST_MS : 0));
  const known = await knownWorkflows(client, new Date(Math.max(0, since.getTime())));
  const rows = await rowsOf(database, known);
  const lost = known.filter((workflow) => rowOf(rows, workflow) === undefined);
  // Before anything is started: whatever is written from here on gets numbers that nobody knows yet.
  const sequences = await moveSequences(restored, known);
  const skippedNumbers = await moveCounters(restored, known);
  if (!dryRun) {
    await database.withSystem(noteRestore);
  }
  const told: LostWorkflow[] = [];
  for (const workflow of lost) {
    told.push(await lostOf(client, workflow));
  }
  await end(restored, lost);
  const lateQueries = await queryAgain(restored, { known, rows });
  return {
    dryRun,
    living: restored.living ?? [],
    since,
    workflows: known.length,
    sequences,
    skippedNumbers,
    lost: told,
    payments: await restartPayments(restored, known),
    refunds: await restartRefunds(restored, { known, rows }),
    lateQueries,
    invoices: dryRun ? 0 : await database.withSystem(sweepOpenInvoices),
  };
}

type Rows = ReadonlyMap<string, NamedRow>;

async function rowsOf(database: Database, known: readonly KnownWorkflow[]): Promise<Rows> {
  const found = new Map<string, NamedRow>();
  const byKind = Map.groupBy(known, ({ kind }) => kind);
  for (const [kind, workflows] of byKind) {
    for (let start = 0; start < workflows.length; start += REFERENCES_AT_ONCE) {
      const references = workflows.slice(start, start + REFERENCES_AT_ONCE).map(({ reference }) => reference);
      for (const row of await database.withSystem((em) => rowsNamed(em, kind, references))) {
        found.set(keyOf(kind, row.reference), row);
      }
    }
  }
  return found;
}

const keyOf = (kind: NamedKind, reference: string): string => `${kind}:${reference}`;

/** Only a row of the same application and mode: the number of an application, too, may have been given out again. */
function rowOf(rows: Rows, { kind, reference, applicationId, mode }: KnownWorkflow): NamedRow | undefined {
  const row = rows.get(keyOf(kind, reference));
  return row?.applicationId === applicationId && row.mode === mode ? row : undefined;
}

async function lostOf(client: Client, workflow: KnownWorkflow): Promise<LostWorkflow> {
  const { workflowId, kind, running, applicationId, mode, status, gateway, amountMinor, startedAt } = workflow;
  const money = mayHaveMoved(workflow);
  return {
    workflowId,
    kind,
    running,
    applicationId,
    mode,
    status,
    gateway,
    amountMinor,
    startedAt,
    details: money ? await detailsOf(client, workflow) : null,
    money,
  };
}

const NOTHING_MOVED: Readonly<Partial<Record<NamedKind, readonly string[]>>> = {
  payment: ['FAILED', 'CANCELLED', 'EXPIRED'],
  refund: ['FAILED', 'REJECTED'],
  unapplied: ['NOTHING_LATE'],
};

function mayHaveMoved({ kind, status }: KnownWorkflow): boolean {
  const nothing = NOTHING_MOVED[kind];
  return nothing !== undefined && (status === null || !nothing.includes(status));
}

async function moveSequences({ owner, dryRun }: Restored, known: readonly KnownWorkflow[]): Promise<MovedSequence[]> {
  const perWorkflow = BigInt(known.length) * ROWS_A_WORKFLOW;
  const gap = perWorkflow > GAP_MIN ? perWorkflow : GAP_MIN;
  const application = known.reduce(
    (highest, { applicationId: id }) => (id !== null && id > highest ? id : highest),
    0n,
  );
  const sequences = await sequencesMoved(owner, { gap, application });
  if (!dryRun) {
    for (const sequence of sequences) {
      await moveSequence(owner, sequence);
    }
  }
  return sequences;
}

async function moveCounters(
  { database, dryRun, invoiceNumbers = [], invoiceGap = 0n }: Restored,
  known: readonly KnownWorkflow[],
): Promise<SkippedNumbers[]> {
  const highest = new Map<string, InvoiceCounter>();
  const atLeast = (counter: InvoiceCounter): void => {
    const key = `${counter.applicationId} ${counter.mode}`;
    if ((highest.get(key)?.number ?? 0n) < counter.number) {
      highest.set(key, counter);
    }
  };
  for (const { applicationId, mode, invoiceNumber: number } of known) {
    if (applicationId !== null && mode !== null && number !== null) {
      atLeast({ applicationId, mode, number });
    }
  }
  invoiceNumbers.forEach(atLeast);
  return database.withSystem(async (em) => {
    for (const counter of invoiceGap === 0n ? [] : await invoiceCounters(em)) {
      const told = highest.get(`${counter.applicationId} ${counter.mode}`)?.number ?? 0n;
      atLeast({ ...counter, number: (told > counter.number ? told : counter.number) + invoiceGap });
    }
    const behind = await countersBehind(em, [...highest.values()]);
    for (const counter of dryRun ? [] : behind) {
      await skipNumbers(em, counter);
    }
    return behind;
  });
}

async function end({ client, dryRun }: Restored, lost: readonly KnownWorkflow[]): Promise<void> {
  for (const { workflowId, runId } of dryRun ? [] : lost.filter(({ running }) => running)) {
    await terminate(client, { workflowId, runId, reason: 'restored: the database has no row of it' });
  }
}

async function terminate(
  client: Client,
  { workflowId, runId, reason }: { readonly workflowId: string; readonly runId: string; readonly reason: string },
): Promise<void> {
  await client.workflow
    .getHandle(workflowId, runId)
    .terminate(reason)
    .catch((error: unknown) => {
      // It has ended by itself since it was listed.
      if (!(error instanceof Error && error.name === 'WorkflowNotFoundError')) {
        throw error;
      }
    });
}

/**
 * Unapplied money that was booked after the dump was taken is in no row any more: the gateway is asked again about every attempt that was asked
 * about since. Where the payment is open again, its own workflow asks; a second one would book the same charge as unapplied money.
 */
async function queryAgain(
  { database, client, dryRun }: Restored,
  { known, rows }: { readonly known: readonly KnownWorkflow[]; readonly rows: Rows },
): Promise<string[]> {
  const dispatch = createDispatch(client);
  const asked: string[] = [];
  for (const workflow of known.filter(({ kind }) => kind === 'unapplied')) {
    const row = rowOf(rows, workflow);
    if (row?.open === true && workflow.running && !dryRun) {
      await terminate(client, { ...workflow, reason: 'restored: its payment is open again' });
    }
    if (row?.open === false) {
      const { reference: attemptReference } = workflow;
      const payment = await database.withSystem((em) => paymentOfAttempt(em, attemptReference));
      if (payment !== null && !dryRun) {
        await dispatch.startUnappliedPayment(handleOf(payment), { attemptReference, callbackId: 0n });
      }
      asked.push(attemptReference);
    }
  }
  return asked;
}

function handleOf({ amountMinor, currency, ...payment }: OpenPayment): PaymentHandle {
  return { ...payment, amount: { amountMinor, currency } };
}

/** Every open payment begins again with its row, whatever its workflow believes; each asks its gateway at once. */
async function restartPayments(
  { database, client, dryRun }: Restored,
  known: readonly KnownWorkflow[],
): Promise<Restarted[]> {
  const before = stateOf(known);
  return eachPage(
    (id) => database.withSystem((em) => openPaymentsAfter(em, id)),
    async (payment) => {
      if (!dryRun) {
        await restartPayment(client, handleOf(payment));
      }
      return { reference: payment.reference, before: before(workflowIds.payment(payment.reference)) };
    },
  );
}

async function restartRefunds(
  { database, client, dryRun }: Restored,
  { known, rows }: { readonly known: readonly KnownWorkflow[]; readonly rows: Rows },
): Promise<Restarted[]> {
  const before = stateOf(known);
  if (!dryRun) {
    const doubted = known.filter((workflow) => wasDoubted(workflow) && rowOf(rows, workflow)?.open === false);
    await database.withSystem(async (em) => {
      await doubtRefundsAgain(
        em,
        doubted.map(({ reference }) => reference),
      );
      await doubtOpenRefunds(em);
    });
  }
  return eachPage(
    (id) => database.withSystem((em) => openRefundsAfter(em, id)),
    async (refund) => {
      if (!dryRun) {
        await restartRefund(client, refundHandleOf(refund, refund.applicationName));
      }
      return { reference: refund.reference, before: before(workflowIds.refund(refund.reference)) };
    },
  );
}

/** Of a refund whose row says that it succeeded: its workflow waits for people again, or they have found that the payer has nothing. */
function wasDoubted({ kind, running, status }: KnownWorkflow): boolean {
  return kind === 'refund' && (running ? status === 'REVIEW' : status === 'FAILED');
}

function stateOf(known: readonly KnownWorkflow[]): (workflowId: string) => string {
  const byId = new Map(known.map(({ workflowId, execution }) => [workflowId, execution]));
  return (workflowId) => byId.get(workflowId) ?? 'NONE';
}

async function eachPage<Row extends { readonly id: bigint }, Done>(
  page: (after: bigint) => Promise<readonly Row[]>,
  work: (row: Row) => Promise<Done>,
): Promise<Done[]> {
  const done: Done[] = [];
  for (let after = 0n; ;) {
    const rows = await page(after);
    const last = rows.at(-1);
    if (last === undefined) {
      return done;
    }
    for (const row of rows) {
      done.push(await work(row));
    }
    after = last.id;
  }
}
