import type { Client } from '@temporalio/client';
import { describeError } from '../runtime/logger.ts';
import { readNow } from '../database/clock.ts';
import { optional } from '../database/read-row.ts';
import { RETIRED_MAX, RETIREMENTS, type Retention } from '../database/retention.ts';
import { revokeUnconfirmed } from '../database/operators/applications.ts';
import { forgetExpiredSecrets } from '../database/operators/pending-changes.ts';
import { closeCallback } from '../database/gateway-callbacks.ts';
import { outcomeWithoutQuery } from '../domain/callback.ts';
import { nextLateQuery } from '../domain/late-queries.ts';
import type { Mode } from '../domain/mode.ts';
import { isOpen, REVIEW_REJECTED, type PaymentStatus } from '../domain/payment.ts';
import type { RefundStatus } from '../domain/refund.ts';
import type { DecisionKind } from '../database/decisions.ts';
import { openOrAlert } from '../gateways/open-or-alert.ts';
import { invoiceHandleOf, type PaymentHandle, type RefundHandle } from '../temporal/dispatch.ts';
import type { SweepActivities, SweepResult } from '../workflows/messages/maintenance.ts';
import { WORKFLOW_TYPES } from '../workflows/messages/names.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { beginOperatorLinks } from './operator-links.ts';

const BATCH_MAX = 100;
/** Limit for one step, so that all steps fit into the activity's minute. */
const STEP_MAX_MS = 12_000;

export interface SweepDependencies extends ActivityDependencies {
  readonly temporal: Client;
  /** If absent, only expired idempotency keys are deleted. */
  readonly retention?: Retention;
}

/**
 * Creates the sweeper, which restarts whatever is stored but not being worked on, so that a crash between storing and signalling loses nothing. Each
 * step takes bounded batches. It first postpones the next check of their rows and then starts or signals workflows, so that a failing row is retried
 * later and never blocks the others.
 */
export function createSweepActivities(deps: SweepDependencies): SweepActivities {
  return {
    async sweep(): Promise<SweepResult> {
      const paymentsStarted = await step(deps, 'payments', () => sweepPayments(deps));
      const restarted = await step(deps, 'ended workflows', () => sweepEndedWorkflows(deps));
      const callbacksSignalled = await step(deps, 'callbacks', () => sweepCallbacks(deps));
      const lateQueriesSent = await step(deps, 'late queries', () => sweepLateQueries(deps));
      const refundsStarted = await step(deps, 'refunds', () => sweepRefunds(deps));
      const unappliedStarted = await step(deps, 'unapplied payments', () => sweepUnapplied(deps));
      const decisionsSignalled = await step(deps, 'decisions', () => sweepDecisions(deps));
      const invoicesNotified = await step(deps, 'invoices', () => sweepInvoices(deps));
      const deliveriesStarted = await step(deps, 'deliveries', () => sweepDeliveries(deps));
      await step(deps, 'operator links', async () => (await beginOperatorLinks(deps)).length);
      await step(deps, 'expired changes', () =>
        deps.database.withSystem(async (em) => (await forgetExpiredSecrets(em)) + (await revokeUnconfirmed(em))),
      );
      const keysForgotten = await step(deps, 'idempotency keys', () => retire(deps, 'keys'));
      const callbacksForgotten = await step(deps, 'old callbacks', () => retire(deps, 'callbacks'));
      const deliveriesForgotten = await step(deps, 'old deliveries', () => retire(deps, 'deliveries'));
      const sessionsForgotten = await step(deps, 'old sessions', () => retire(deps, 'sessions'));
      return {
        paymentsStarted: paymentsStarted + restarted,
        callbacksSignalled,
        lateQueriesSent,
        refundsStarted,
        unappliedStarted,
        decisionsSignalled,
        invoicesNotified,
        deliveriesStarted,
        keysForgotten,
        callbacksForgotten,
        deliveriesForgotten,
        sessionsForgotten,
      };
    },
  };
}

/** Runs one step. Its failure does not stop the others. */
async function step(deps: SweepDependencies, name: string, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    deps.log.error({ step: name, error: describeError(error), alert: 'sweep-step-failed' }, 'a sweeper step failed');
    return 0;
  }
}

/** The columns that payments and refunds have in common. */
interface MoneyRow {
  id: string;
  reference: string;
  application_id: string;
  application_name: string;
  mode: Mode;
  amount_minor: string;
  currency: string;
}

interface PaymentRow extends MoneyRow {
  gateway: string | null;
  status: PaymentStatus;
  cancel_requested_at: Date | null;
  review_reason: string | null;
  invoice_id: string | null;
  choice_waits: boolean;
}

const PAYMENT_COLUMNS = `p.id, p.reference, p.application_id, a.name as application_name, p.mode, p.amount_minor, p.currency, p.gateway,
  p.status, p.cancel_requested_at, p.review_reason, p.invoice_id,
  p.gateway_choices is not null and p.expires_at > lenden_now(p.clock_offset) and exists (select 1 from payment_attempts waiting
    where waiting.payment_id = p.id and waiting.superseded_at is null and waiting.session_key is null) as choice_waits`;

function moneyOf(row: MoneyRow) {
  return {
    reference: row.reference,
    applicationId: BigInt(row.application_id),
    applicationName: row.application_name,
    mode: row.mode,
    amount: { amountMinor: BigInt(row.amount_minor), currency: row.currency },
  };
}

function handleOf(row: PaymentRow): PaymentHandle {
  return {
    ...moneyOf(row),
    gateway: row.gateway,
    invoiceId: optional(row.invoice_id, BigInt),
  };
}

/** Repeats a batch while there are more rows. Stops at a failure and leaves the rest to the next run. */
async function inBatches(batch: () => Promise<{ found: number; failed: number; driven?: number }>): Promise<number> {
  const stopAtMs = Date.now() + STEP_MAX_MS;
  for (let sum = 0; ;) {
    const { found, failed, driven = found } = await batch();
    sum += driven;
    if (found < BATCH_MAX || failed > 0 || Date.now() >= stopAtMs) {
      return sum;
    }
  }
}

const eachInBatches = <Row>(take: () => Promise<Row[]>, drive: (row: Row) => Promise<boolean>): Promise<number> =>
  inBatches(async () => {
    const rows = await take();
    let failed = 0;
    for (const row of rows) {
      failed += (await drive(row)) ? 0 : 1;
    }
    return { found: rows.length, failed };
  });

/** Returns false if the work failed, usually because Temporal was unreachable. A later run tries again. */
async function driven(
  { log }: SweepDependencies,
  { what, ...subject }: Readonly<Record<string, string>> & { readonly what: string },
  work: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    log.warn({ ...subject, error: describeError(error) }, `${what}; a later sweep retries`);
    return false;
  }
}

/**
 * Resumes open payments that are due for a check: never started, lost, or still waiting. Starting a workflow that is already running has no effect. A
 * payment with a running workflow is next checked when it should have ended; until then callbacks and the list of ended workflows cover it.
 */
const sweepPayments = (deps: SweepDependencies): Promise<number> =>
  inBatches(async () => {
    const rows = await deps.database.withSystem((em) =>
      em.execute<PaymentRow[]>(
        `with due as (
           select id from payments where status in ('CREATED', 'PENDING') and next_sweep_at <= now()
           order by next_sweep_at limit ${BATCH_MAX} for update skip locked)
         update payments p set next_sweep_at = now() + interval '1 minute' from due, applications a
         where p.id = due.id and a.id = p.application_id returning ${PAYMENT_COLUMNS}`,
      ),
    );
    const resumed: string[] = [];
    for (const row of rows) {
      if (await resume(deps, row)) {
        resumed.push(row.reference);
      }
    }
    if (resumed.length > 0) {
      await deps.database.withSystem((em) =>
        em.execute(
          `update payments set next_sweep_at = greatest(now() + interval '5 minutes', expires_at + interval '1 minute')
           where reference = any(string_to_array(?, ',')) and status in ('CREATED', 'PENDING')`,
          [resumed.join(',')],
        ),
      );
    }
    return { found: rows.length, failed: rows.length - resumed.length };
  });

function resume(deps: SweepDependencies, row: PaymentRow): Promise<boolean> {
  return driven(deps, { payment: row.reference, what: 'payment not resumed' }, async () => {
    if ((await deps.dispatch.startPayment(handleOf(row))) === 'completed') {
      await alertIfStillOpen(deps, row);
      return;
    }
    // Under review only a decision ends the payment. Each cancel signal would only repeat the query.
    if (row.cancel_requested_at !== null && row.review_reason === null) {
      await deps.dispatch.signalCancel(row.reference);
    }
    if (row.choice_waits) {
      await deps.dispatch.signalChoice(row.reference);
    }
  });
}

/** The payment may have ended after its row was read. Its row ends before its workflow, so an open row here is an error. */
async function alertIfStillOpen(deps: SweepDependencies, { reference }: PaymentRow): Promise<void> {
  const open = await deps.database.withSystem((em) =>
    em.execute<unknown[]>(`select 1 from payments where reference = ? and status in ('CREATED', 'PENDING')`, [
      reference,
    ]),
  );
  if (open.length > 0) {
    // This happens only after an older database was restored. An operator must compare the gateway with the ledger.
    deps.log.error(
      { payment: reference, alert: 'payment-behind-workflow' },
      'an open payment has a completed workflow',
    );
  }
}

/**
 * Resumes workflows that were terminated or failed: those of a payment or invoice that is still open, those of a payment rejected under review,
 * which still have to look for its money, and those that query about unapplied money, of which no row may exist yet.
 */
async function sweepEndedWorkflows(deps: SweepDependencies): Promise<number> {
  const ended = await endedWorkflows(deps);
  const payments = await rowsOf<PaymentRow>(deps, {
    references: ended.get('payment'),
    sql: `select ${PAYMENT_COLUMNS} from payments p join applications a on a.id = p.application_id
      where p.reference = any(string_to_array(?, ',')) and (p.status in ('CREATED', 'PENDING') or p.failure_code = '${REVIEW_REJECTED}')`,
  });
  for (const row of payments) {
    await resume(deps, row);
  }
  const invoices = await rowsOf<InvoiceRow>(deps, {
    references: ended.get('invoice'),
    sql: `select ${INVOICE_COLUMNS} from invoices i join applications a on a.id = i.application_id
      where i.reference = any(string_to_array(?, ',')) and i.status in ('ISSUED', 'PARTIALLY_PAID')`,
  });
  for (const row of invoices) {
    await notifyInvoice(deps, row);
  }
  const late = await rowsOf<PaymentRow & { attempt_reference: string }>(deps, {
    references: ended.get('unapplied'),
    sql: `select ${PAYMENT_COLUMNS}, t.reference as attempt_reference from payment_attempts t join payments p on p.id = t.payment_id
      join applications a on a.id = p.application_id where t.reference = any(string_to_array(?, ','))`,
  });
  for (const row of late) {
    const attempt = { attemptReference: row.attempt_reference, callbackId: 0n };
    await driven(deps, { payment: row.reference, what: 'unapplied payment not resumed' }, () =>
      deps.dispatch.startUnappliedPayment(handleOf(row), attempt),
    );
  }
  return payments.length + invoices.length + late.length;
}

/** Returns the references of workflows that ended abnormally in the last ten minutes, by the first part of their ids. */
async function endedWorkflows(deps: SweepDependencies): Promise<ReadonlyMap<string, string[]>> {
  const now = await deps.database.withSystem(readNow);
  const since = new Date(now.getTime() - 10 * 60_000).toISOString();
  const types = `('${WORKFLOW_TYPES.payment}', '${WORKFLOW_TYPES.unappliedPayment}', '${WORKFLOW_TYPES.invoice}')`;
  const query = `WorkflowType in ${types} and ExecutionStatus in ('Terminated', 'Failed', 'TimedOut', 'Canceled') and CloseTime > '${since}'`;
  const references = new Map<string, string[]>();
  let listed = 0;
  for await (const { workflowId } of deps.temporal.workflow.list({ query, pageSize: BATCH_MAX })) {
    const [kind = '', reference = ''] = workflowId.split(':', 2);
    references.set(kind, [...(references.get(kind) ?? []), reference]);
    listed += 1;
    if (listed >= BATCH_MAX) {
      break;
    }
  }
  return references;
}

async function rowsOf<Row extends object>(
  deps: SweepDependencies,
  { references = [], sql }: { readonly references: readonly string[] | undefined; readonly sql: string },
): Promise<Row[]> {
  return references.length === 0
    ? []
    : deps.database.withSystem((em) => em.execute<Row[]>(sql, [references.join(',')]));
}

interface CallbackRow extends PaymentRow {
  callback_id: string;
  attempt_reference: string;
  attempt_gateway: string;
  store_id: string;
  store_secret: string | null;
  raw_payload: string;
  signature_valid: boolean;
  finalized_by: string | null;
}

/**
 * Handles stored callbacks that were not processed: signals them again, or passes them to the attempt's unapplied-payment workflow if the payment has
 * ended.
 */
const sweepCallbacks = (deps: SweepDependencies): Promise<number> =>
  inBatches(async () => {
    const rows = await deps.database.withSystem((em) =>
      em.execute<CallbackRow[]>(
        `with due as (
           select id from gateway_callbacks where consumed_at is null and payment_id is not null and next_sweep_at <= now()
           order by next_sweep_at limit ${BATCH_MAX} for update skip locked),
         moved as (
           update gateway_callbacks c
           set sweeps = sweeps + 1, next_sweep_at = now() + least(interval '1 hour', interval '30 seconds' * power(2, least(sweeps, 10)))
           from due where c.id = due.id returning c.id, c.payment_id, c.attempt_id, c.raw_payload, c.signature_valid)
         select moved.id as callback_id, moved.raw_payload, moved.signature_valid, t.reference as attempt_reference, t.gateway as attempt_gateway, t.store_id,
           lenden_store_secret(t.application_id, t.mode, t.gateway, t.store_id) as store_secret,
           case when t.status = 'CONFIRMED' then t.validation_id end as finalized_by, ${PAYMENT_COLUMNS}
         from moved join payments p on p.id = moved.payment_id join applications a on a.id = p.application_id
         join payment_attempts t on t.id = moved.attempt_id`,
      ),
    );
    const unanswered = new Map<string, CallbackRow>();
    for (const row of rows) {
      const outcome = outcomeOf(deps, row);
      if (outcome !== null) {
        await deps.database.withSystem((em) => closeCallback(em, BigInt(row.callback_id), outcome));
      } else if (row.review_reason === null || !isOpen(row.status)) {
        // While a payment is under review, its callbacks wait for the decision.
        unanswered.set(row.attempt_reference, row);
      }
    }
    let failed = 0;
    for (const row of unanswered.values()) {
      failed += (await signal(deps, row)) ? 0 : 1;
    }
    return { found: rows.length, failed, driven: unanswered.size };
  });

/** The browser's return often arrives while the IPN before it is being processed. After that it contains nothing new. */
function outcomeOf(deps: SweepDependencies, row: CallbackRow): ReturnType<typeof outcomeWithoutQuery> {
  const store = { storeId: row.store_id, sealedSecret: row.store_secret };
  const parsed = openOrAlert(deps, { gateway: row.attempt_gateway, mode: row.mode, store })?.parseCallback(
    row.raw_payload,
  );
  if (parsed === undefined) {
    return null;
  }
  // The signature was checked on arrival, with the headers. It is checked again here in case the store's secret was unavailable then.
  const signatureValid = row.signature_valid || parsed.signatureValid;
  return outcomeWithoutQuery({ status: row.status, finalizedBy: row.finalized_by }, { ...parsed, signatureValid });
}

async function signal(deps: SweepDependencies, row: CallbackRow): Promise<boolean> {
  const callbackId = BigInt(row.callback_id);
  let heard = true;
  const signalled = await driven(deps, { payment: row.reference, what: 'callback not signalled' }, async () => {
    if (isOpen(row.status)) {
      heard = await deps.dispatch.signalCallback(row.reference, callbackId);
    } else {
      await deps.dispatch.startUnappliedPayment(handleOf(row), { attemptReference: row.attempt_reference, callbackId });
    }
  });
  return heard ? signalled : resume(deps, row);
}

interface LateQueryRow extends PaymentRow {
  attempt_reference: string;
  attempt_gateway: string;
  opened_at: string | null;
  queried_again: number;
  read_at: string;
}

/**
 * Queries again about attempts at gateways without notifications that were closed unpaid, or were open when their payment ended. A query that could
 * not be made does not count and is repeated later.
 */
const sweepLateQueries = (deps: SweepDependencies): Promise<number> =>
  eachInBatches(
    () =>
      deps.database.withSystem((em) =>
        em.execute<LateQueryRow[]>(
          `with due as (
             select id from payment_attempts where query_again_at <= now() order by query_again_at limit ${BATCH_MAX} for update skip locked),
           moved as (
             update payment_attempts t set query_again_at = now() + interval '10 minutes' from due where t.id = due.id
             returning t.payment_id, t.reference, t.gateway, t.opened_at, t.queried_again)
           select moved.reference as attempt_reference, moved.gateway as attempt_gateway, moved.opened_at, moved.queried_again,
             now() as read_at, ${PAYMENT_COLUMNS}
           from moved join payments p on p.id = moved.payment_id join applications a on a.id = p.application_id`,
        ),
      ),
    (row) => queryLate(deps, row),
  );

function queryLate(deps: SweepDependencies, row: LateQueryRow): Promise<boolean> {
  const attempt = { attemptReference: row.attempt_reference, callbackId: 0n };
  return driven(deps, { payment: row.reference, what: 'late gateway query not started' }, async () => {
    // While the payment is open, its own workflow queries the gateway. The late query runs at its postponed time.
    if (isOpen(row.status)) {
      return;
    }
    await deps.dispatch.startUnappliedPayment(handleOf(row), attempt);
    const asked = row.queried_again + 1;
    await deps.database.withSystem((em) =>
      em.execute(`update payment_attempts set queried_again = ?, query_again_at = ?::timestamptz where reference = ?`, [
        asked,
        nextQuestionOf(deps, row, asked),
        row.attempt_reference,
      ]),
    );
  });
}

function nextQuestionOf({ gateways }: SweepDependencies, row: LateQueryRow, asked: number): Date | null {
  const capabilities = gateways.capabilities(row.attempt_gateway);
  return capabilities === undefined || row.opened_at === null
    ? null
    : nextLateQuery(capabilities, { openedAt: new Date(row.opened_at), asked, now: new Date(row.read_at) });
}

interface RefundRow extends MoneyRow {
  gateway: string;
  status: RefundStatus;
}

const REFUND_COLUMNS = `r.id, r.reference, r.application_id, a.name as application_name, r.mode, r.amount_minor, r.currency, r.gateway, r.status`;

function refundHandleOf(row: RefundRow): RefundHandle {
  const awaitsApproval = row.status === 'AWAITING_APPROVAL';
  const doubted = row.status === 'SUCCEEDED';
  return { ...moneyOf(row), gateway: row.gateway, awaitsApproval, doubted };
}

/** Starts the workflows of open refunds: never started, lost, or still waiting. Starting a workflow that is already running has no effect. */
const sweepRefunds = (deps: SweepDependencies): Promise<number> =>
  eachInBatches(
    () =>
      deps.database.withSystem((em) =>
        em.execute<RefundRow[]>(
          `with due as (
             select id from refunds where status in ('AWAITING_APPROVAL', 'PENDING') and next_sweep_at <= now()
             order by next_sweep_at limit ${BATCH_MAX} for update skip locked)
           update refunds r set next_sweep_at = now() + interval '10 minutes' from due, applications a
           where r.id = due.id and a.id = r.application_id returning ${REFUND_COLUMNS}`,
        ),
      ),
    (row) => startRefund(deps, row),
  );

function startRefund(deps: SweepDependencies, row: RefundRow, decisionId?: bigint): Promise<boolean> {
  return driven(deps, { refund: row.reference, what: 'refund not resumed' }, async () => {
    if ((await deps.dispatch.startRefund(refundHandleOf(row), decisionId)) === 'completed') {
      const open = await deps.database.withSystem((em) =>
        em.execute<unknown[]>(
          `select 1 from refunds where reference = ? and status in ('AWAITING_APPROVAL', 'PENDING')`,
          [row.reference],
        ),
      );
      if (open.length > 0) {
        deps.log.error(
          { refund: row.reference, alert: 'refund-behind-workflow' },
          'an open refund has a completed workflow',
        );
      }
    }
  });
}

/**
 * Starts a workflow for held money that has none: starting it after the overpayment was posted failed, or the notification that its refund failed was
 * lost. Without it the money would appear only in the operators' list.
 */
const sweepUnapplied = (deps: SweepDependencies): Promise<number> =>
  eachInBatches(
    () =>
      deps.database.withSystem((em) =>
        em.execute<(PaymentRow & { attempt_reference: string })[]>(
          `with due as (
             select id from unapplied_payments where status = 'HELD' and next_sweep_at <= now()
             order by next_sweep_at limit ${BATCH_MAX} for update skip locked),
           moved as (
             update unapplied_payments l set next_sweep_at = now() + interval '10 minutes' from due where l.id = due.id
             returning l.payment_id, l.attempt_id)
           select t.reference as attempt_reference, ${PAYMENT_COLUMNS}
           from moved join payment_attempts t on t.id = moved.attempt_id join payments p on p.id = moved.payment_id
             join applications a on a.id = p.application_id`,
        ),
      ),
    (row) =>
      driven(deps, { payment: row.reference, what: 'unapplied payment not checked' }, () =>
        deps.dispatch.startUnappliedPayment(handleOf(row), { attemptReference: row.attempt_reference, callbackId: 0n }),
      ),
  );

interface DecisionRow {
  decision_id: string;
  kind: DecisionKind;
  refund: RefundRow | null;
  payment: PaymentRow;
  attempt_reference: string | null;
}

/** Signals decisions that no workflow has read because their signal was lost. */
const sweepDecisions = (deps: SweepDependencies): Promise<number> =>
  eachInBatches(
    () =>
      deps.database.withSystem((em) =>
        em.execute<DecisionRow[]>(
          `with due as (
           select id from decisions where consumed_at is null and (not needs_second or second_operator_id is not null)
             and next_sweep_at <= now() order by next_sweep_at limit ${BATCH_MAX} for update skip locked),
         moved as (
           update decisions d set next_sweep_at = now() + interval '5 minutes' from due where d.id = due.id
           returning d.id, d.kind, d.payment_id, d.refund_id, d.unapplied_payment_id)
         select moved.id as decision_id, moved.kind,
           (select to_json(x) from (select ${REFUND_COLUMNS} from refunds r where r.id = moved.refund_id) x) as refund,
           (select to_json(x) from (select ${PAYMENT_COLUMNS}) x) as payment,
           (select t.reference from unapplied_payments l join payment_attempts t on t.id = l.attempt_id
             where l.id = moved.unapplied_payment_id) as attempt_reference
         from moved join payments p on p.id = moved.payment_id join applications a on a.id = p.application_id`,
        ),
      ),
    (row) => signalDecision(deps, row),
  );

function signalDecision(deps: SweepDependencies, row: DecisionRow): Promise<boolean> {
  const decisionId = BigInt(row.decision_id);
  if (row.refund !== null) {
    return startRefund(deps, row.refund, decisionId);
  }
  const payment = handleOf(row.payment);
  const { attempt_reference: attemptReference } = row;
  return driven(deps, { payment: payment.reference, what: 'decision not signalled' }, () =>
    attemptReference === null
      ? deps.dispatch.signalReviewDecision(payment, decisionId)
      : deps.dispatch.decideUnappliedPayment(payment, { attemptReference, decisionId }),
  );
}

interface EventRow {
  event_id: string;
  application_id: string;
  mode: Mode;
  type: string;
  reference: string;
}

interface InvoiceRow {
  id: string;
  reference: string;
  application_id: string;
  application_name: string;
  mode: Mode;
  number: string | null;
  number_label: string | null;
  total_minor: string;
  currency: string;
}

const INVOICE_COLUMNS = `i.id, i.reference, i.application_id, a.name as application_name, i.mode, i.number, i.number_label, i.total_minor, i.currency`;

/**
 * Notifies the workflows of invoices that have not read a change, or that should have sent a notice by now. A workflow that is not running is
 * started.
 */
const sweepInvoices = (deps: SweepDependencies): Promise<number> =>
  eachInBatches(
    () =>
      deps.database.withSystem((em) =>
        em.execute<InvoiceRow[]>(
          `with due as (
             select id from invoices where next_sweep_at <= now() order by next_sweep_at limit ${BATCH_MAX} for update skip locked)
           update invoices i set next_sweep_at = now() + interval '5 minutes' from due, applications a
           where i.id = due.id and a.id = i.application_id returning ${INVOICE_COLUMNS}`,
        ),
      ),
    (row) => notifyInvoice(deps, row),
  );

function notifyInvoice(deps: SweepDependencies, row: InvoiceRow): Promise<boolean> {
  const { reference, mode, currency } = row;
  const invoice = {
    id: BigInt(row.id),
    reference,
    applicationId: BigInt(row.application_id),
    mode,
    number: optional(row.number, BigInt),
    numberLabel: row.number_label,
    totalMinor: BigInt(row.total_minor),
    currency,
  };
  return driven(deps, { invoice: reference, what: 'invoice not signalled' }, () =>
    deps.dispatch.notifyInvoice(invoiceHandleOf(invoice, row.application_name), 'swept'),
  );
}

/** Starts deliveries that were never started or were lost, and failed ones that an operator wants to resend. */
const sweepDeliveries = (deps: SweepDependencies): Promise<number> =>
  eachInBatches(
    () =>
      deps.database.withSystem((em) =>
        em.execute<EventRow[]>(
          `with due as (
           select id from webhook_events where delivery_status <> 'DELIVERED' and next_sweep_at <= now()
           order by next_sweep_at limit ${BATCH_MAX} for update skip locked)
         update webhook_events e set next_sweep_at = now() + interval '10 minutes' from due where e.id = due.id
         returning e.event_id, e.application_id, e.mode, e.type,
           coalesce((select reference from payments where id = e.payment_id), (select reference from invoices where id = e.invoice_id)) as reference`,
        ),
      ),
    ({ event_id: eventId, application_id: applicationId, mode, type, reference }) =>
      driven(deps, { event: eventId, what: 'delivery not started' }, () =>
        deps.dispatch.startDelivery({ eventId, applicationId: BigInt(applicationId), mode, type, reference }),
      ),
  );

/** Without a retention setting only expired keys are deleted; they have no use. */
const NOTHING_BUT_KEYS = { keyDays: 0 };

/** Deletes rows past their retention in batches, each in its own transaction, so that an interrupted run loses only time. */
async function retire(deps: SweepDependencies, what: keyof typeof RETIREMENTS): Promise<number> {
  const { database, retention } = deps;
  if (retention === undefined && what !== 'keys') {
    return 0;
  }
  const days = retention ?? { ...NOTHING_BUT_KEYS, callbackDays: 0, deliveryDays: 0, sessionDays: 0 };
  const stopAtMs = Date.now() + STEP_MAX_MS;
  for (let sum = 0; ;) {
    const { found, removed } = await RETIREMENTS[what](database, days);
    sum += removed;
    if (found < RETIRED_MAX || Date.now() >= stopAtMs) {
      return sum;
    }
  }
}
