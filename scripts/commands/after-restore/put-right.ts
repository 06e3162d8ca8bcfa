import type { Client } from '@temporalio/client';
import {
  doubtOpenRefunds,
  doubtRefundsAgain,
  newestRowAt,
  noteRestore,
  openPaymentsAfter,
  openRefundsAfter,
  paymentOfAttempt,
  rowsNamed,
  runsInProgress,
  sweepOpenDisputes,
  sweepOpenInvoices,
  type NamedKind,
  type NamedRow,
} from '../../../core/maintenance/store/after-restore.ts';
import {
  countersBehind,
  invoiceCounters,
  moveSequence,
  raiseEventSequences,
  sequencesMoved,
  skipNumbers,
  type InvoiceCounter,
  type MovedSequence,
  type SkippedNumbers,
} from '../../../core/maintenance/store/restored-numbers.ts';
import { searchDisputesSince } from '../../../core/disputes/store/searches.ts';
import type { Database } from '../../../database/connection.ts';
import type { Statements } from '../../../database/statements.ts';
import { paymentHandleOf, refundHandleOf } from '../../../core/dispatch.ts';
import { createDispatch } from '../../../temporal/dispatch.ts';
import { restartPayment, restartRefund } from '../../../temporal/restart.ts';
import { WORKFLOW_TYPES, workflowIds } from '../../../workflows/messages/names.ts';
import { knownWorkflows, type KnownWorkflow } from './known-workflows.ts';
import { detailsOf, type LostDetails } from './lost-details.ts';
import { lostRuns, type LostRun } from './lost-runs.ts';

export interface Restored {
  readonly database: Database;
  /** Connected as the owner, the only role that may change sequences. */
  readonly owner: Statements;
  readonly client: Client;
  /** When the dump was taken, or an earlier time. If null, the time of the newest row is used. */
  readonly takenAt: Date | null;
  readonly dryRun: boolean;
  /** The newest invoice numbers that customers hold, as entered by people. They include numbers that Temporal has lost too. */
  readonly invoiceNumbers?: readonly InvoiceCounter[];
  /** How far every counter moves in any case. */
  readonly invoiceGap?: bigint;
  /** In a dry run, the APIs and workers that seem to be running. */
  readonly living?: readonly string[];
}

/** A workflow without a row, which means that it started after the dump was taken. */
export interface LostWorkflow extends Pick<
  KnownWorkflow,
  | 'workflowId'
  | 'kind'
  | 'running'
  | 'applicationId'
  | 'mode'
  | 'status'
  | 'gateway'
  | 'amountMinor'
  | 'file'
  | 'startedAt'
> {
  /** Null if no money can have moved. */
  readonly details: LostDetails | null;
  /** Whether money may have moved at the gateway without a row that records it. */
  readonly money: boolean;
}

/** An open row and its workflow's state in Temporal. */
export interface Restarted {
  readonly reference: string;
  /** The previous run's state: `RUNNING`, `COMPLETED` and so on, or `NONE` if Temporal knows no previous run. */
  readonly before: string;
}

export interface RestartedRefund extends Restarted {
  /** Whether the row awaits an approval that had been given before the restore, so that the gateway may have the refund. */
  readonly approvalLost: boolean;
}

export interface RestoreReport {
  readonly dryRun: boolean;
  /** APIs and workers that have to be stopped first. */
  readonly living: readonly string[];
  /** Workflows that were closed before this time are not examined. */
  readonly since: Date;
  readonly workflows: number;
  readonly sequences: readonly MovedSequence[];
  readonly skippedNumbers: readonly SkippedNumbers[];
  /** Payments and invoices whose next event gets a larger number; 0 in a dry run. */
  readonly eventNumbers: number;
  readonly lost: readonly LostWorkflow[];
  readonly payments: readonly Restarted[];
  readonly refunds: readonly RestartedRefund[];
  /** Attempts of ended payments for which the gateway is queried again. */
  readonly lateQueries: readonly string[];
  readonly invoices: number;
  /** Runs of reconciliation that go on from their rows, such as `reconciliation:LIVE:stripe:2026-11-23`. */
  readonly runs: readonly Restarted[];
  /** Days that were reconciled after the dump was taken. */
  readonly lostRuns: readonly LostRun[];
}

/** On a quiet night the newest row may be older than the dump, and the clocks of two machines differ. */
const BEFORE_NEWEST_MS = 3_600_000;
/** Gaps in the numbers do no harm, but a number that is assigned twice can make people mistake one payment for another. */
const GAP_MIN = 1_000_000n;
/** Rows that one workflow may have created: attempts, callbacks, events and delivery attempts. */
const ROWS_A_WORKFLOW = 1_000n;
const REFERENCES_AT_ONCE = 500;

/**
 * Reconciles a database that was restored to an older state with a Temporal server that was not. Run it with every API and worker stopped. It can be
 * interrupted and run again.
 */
export async function putRight(restored: Restored): Promise<RestoreReport> {
  const { database, client, dryRun, takenAt } = restored;
  const newest = takenAt ?? (await database.withSystem(newestRowAt));
  const since = new Date((newest?.getTime() ?? 0) - (takenAt === null ? BEFORE_NEWEST_MS : 0));
  const known = await knownWorkflows(client, new Date(Math.max(0, since.getTime())));
  const rows = await rowsOf(database, known);
  const lost = known.filter((workflow) => rowOf(rows, workflow) === undefined);
  // Must come before anything is started, so that rows written from here on get unused numbers.
  const sequences = await moveSequences(restored, known);
  const skippedNumbers = await moveCounters(restored, known);
  if (!dryRun) {
    await database.withSystem(async (em) => {
      await noteRestore(em);
      await searchDisputesSince(em, new Date(Math.max(0, since.getTime())));
      await sweepOpenDisputes(em);
    });
  }
  const eventNumbers = await raiseAllEventSequences(restored);
  const told: LostWorkflow[] = [];
  for (const workflow of lost) {
    told.push(await lostOf(client, workflow));
  }
  await end(restored, lost);
  const lateQueries = await queryAgain(restored, { known, rows });
  const inProgress = new Set((await database.withSystem(runsInProgress)).map(workflowIds.reconciliation));
  // Before they are ended and started again.
  const runsWithoutRow = await lostRuns(restored, { since: new Date(Math.max(0, since.getTime())), inProgress });
  return {
    dryRun,
    living: restored.living ?? [],
    since,
    workflows: known.length,
    sequences,
    skippedNumbers,
    eventNumbers,
    lost: told,
    payments: await restartPayments(restored, known),
    refunds: await restartRefunds(restored, { known, rows }),
    lateQueries,
    invoices: dryRun ? 0 : await database.withSystem(sweepOpenInvoices),
    runs: await restartRuns(restored),
    lostRuns: runsWithoutRow,
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

/** Compares the application and mode too, because an application's number may also have been assigned again. */
function rowOf(rows: Rows, { kind, reference, applicationId, mode }: KnownWorkflow): NamedRow | undefined {
  const row = rows.get(keyOf(kind, reference));
  return row?.applicationId === applicationId && row.mode === mode ? row : undefined;
}

async function lostOf(client: Client, workflow: KnownWorkflow): Promise<LostWorkflow> {
  const { workflowId, kind, running, applicationId, mode, status, gateway, amountMinor, file, startedAt } = workflow;
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
    file,
    startedAt,
    details: money ? await detailsOf(client, workflow) : null,
    money,
  };
}

const NOTHING_MOVED: Readonly<Partial<Record<NamedKind, readonly string[]>>> = {
  payment: ['FAILED', 'CANCELLED', 'EXPIRED'],
  refund: ['AWAITING_APPROVAL', 'FAILED', 'REJECTED'],
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

/** Raises the events' numbers of every payment and invoice in the dump. Each page is a transaction of its own, and raising one twice does no harm. */
async function raiseAllEventSequences({ database, dryRun }: Restored): Promise<number> {
  let raised = 0;
  for (const table of dryRun ? [] : (['payments', 'invoices'] as const)) {
    for (let after: bigint | null = 0n; after !== null;) {
      const from: bigint = after;
      const page = await database.withSystem((em) => raiseEventSequences(em, table, from));
      raised += page.rows;
      after = page.last;
    }
  }
  return raised;
}

async function end({ client, dryRun }: Restored, lost: readonly KnownWorkflow[]): Promise<void> {
  for (const { workflowId, runId } of dryRun ? [] : lost.filter(({ running }) => running)) {
    await terminate(client, { workflowId, runId, reason: 'restored: its row does not exist in the database' });
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
      // The workflow has ended since it was listed.
      if (!(error instanceof Error && error.name === 'WorkflowNotFoundError')) {
        throw error;
      }
    });
}

/**
 * Queries the gateway again for every attempt queried since the dump was taken, because unapplied payments posted since then have no rows. If the
 * payment is open again, its own workflow queries the gateway; a second workflow would post the same charge as an unapplied payment.
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
        await dispatch.startUnappliedPayment(paymentHandleOf(payment, payment.applicationName), {
          attemptReference,
          callbackId: 0n,
        });
      }
      asked.push(attemptReference);
    }
  }
  return asked;
}

/** Restarts every open payment from its row, regardless of its workflow's state. Each one queries its gateway at once. */
async function restartPayments(
  { database, client, dryRun }: Restored,
  known: readonly KnownWorkflow[],
): Promise<Restarted[]> {
  const before = stateOf(known);
  return eachPage(
    (id) => database.withSystem((em) => openPaymentsAfter(em, id)),
    async (payment) => {
      if (!dryRun) {
        await restartPayment(client, paymentHandleOf(payment, payment.applicationName));
      }
      return { reference: payment.reference, before: before(workflowIds.payment(payment.reference)) };
    },
  );
}

/**
 * Ends every run of reconciliation, because it names a row that may be lost, and starts one for each row that has not ended. A run continues from its
 * row, and one that is made again changes nothing.
 */
async function restartRuns({ database, client, dryRun }: Restored): Promise<Restarted[]> {
  const dispatch = createDispatch(client);
  const running = new Map<string, string>();
  const query = `WorkflowType = '${WORKFLOW_TYPES.reconciliation}' and ExecutionStatus = 'Running'`;
  for await (const { workflowId, runId } of client.workflow.list({ query })) {
    running.set(workflowId, runId);
  }
  for (const [workflowId, runId] of dryRun ? [] : running) {
    await terminate(client, { workflowId, runId, reason: 'restored: it goes on from its row' });
  }
  const restarted: Restarted[] = [];
  for (const run of await database.withSystem(runsInProgress)) {
    if (!dryRun) {
      await dispatch.startReconciliation(run);
    }
    const reference = workflowIds.reconciliation(run);
    restarted.push({ reference, before: running.has(reference) ? 'RUNNING' : 'NONE' });
  }
  return restarted;
}

async function restartRefunds(
  { database, client, dryRun }: Restored,
  { known, rows }: { readonly known: readonly KnownWorkflow[]; readonly rows: Rows },
): Promise<RestartedRefund[]> {
  const before = stateOf(known);
  const approved = new Set(known.filter(wasApproved).map(({ reference }) => reference));
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
      return {
        reference: refund.reference,
        before: before(workflowIds.refund(refund.reference)),
        approvalLost: refund.status === 'AWAITING_APPROVAL' && approved.has(refund.reference),
      };
    },
  );
}

/** Returns whether a refund went past its approval: then the gateway may have it, unless it refused it. */
function wasApproved({ kind, status }: KnownWorkflow): boolean {
  return kind === 'refund' && (status === 'PENDING' || status === 'SUCCEEDED');
}

/**
 * Returns whether a refund whose row says that it succeeded was later doubted: its workflow is in review again, or a review found that the payer has
 * not received the money.
 */
function wasDoubted({ kind, running, status, waitsFor }: KnownWorkflow): boolean {
  return kind === 'refund' && (running ? waitsFor === 'review' : status === 'FAILED');
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
