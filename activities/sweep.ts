import type { Client } from '@temporalio/client';
import { describeError } from '../runtime/logger.ts';
import { bigintArray, closeCallback } from '../database/gateway-callbacks.ts';
import { outcomeWithoutAsking } from '../domain/callback.ts';
import type { Mode } from '../domain/mode.ts';
import { isOpen, REVIEW_REJECTED, type PaymentStatus } from '../domain/payment.ts';
import type { RefundStatus } from '../domain/refund.ts';
import type { DecisionKind } from '../database/decisions.ts';
import { openOrAlert } from '../gateways/open-or-alert.ts';
import type { PaymentHandle, RefundHandle } from '../temporal/dispatch.ts';
import type { SweepActivities, SweepResult } from '../workflows/messages/maintenance.ts';
import { WORKFLOW_TYPES } from '../workflows/messages/names.ts';
import type { ActivityDependencies } from './dependencies.ts';

const BATCH_MAX = 100;
/** A step of a pass takes no longer, so that all steps fit into the activity's minute. */
const STEP_MAX_MS = 12_000;
const KEYS_FORGOTTEN_MAX = 1_000;

export interface SweepDependencies extends ActivityDependencies {
  readonly temporal: Client;
}

/**
 * Drives again whatever is stored but not taken up, so that a death between storing and signalling loses nothing. Each step takes
 * bounded batches, moves their rows' next look into the future first, and only then starts or signals: a row that fails is looked at
 * later and never blocks the others.
 */
export function createSweepActivities(deps: SweepDependencies): SweepActivities {
  return {
    async sweep(): Promise<SweepResult> {
      const paymentsStarted = await step(deps, 'payments', () => sweepPayments(deps));
      const restarted = await step(deps, 'ended workflows', () => sweepEndedWorkflows(deps));
      const callbacksSignalled = await step(deps, 'callbacks', () => sweepCallbacks(deps));
      const refundsStarted = await step(deps, 'refunds', () => sweepRefunds(deps));
      const decisionsSignalled = await step(deps, 'decisions', () => sweepDecisions(deps));
      const deliveriesStarted = await step(deps, 'deliveries', () => sweepDeliveries(deps));
      const keysForgotten = await step(deps, 'idempotency keys', () => forgetKeys(deps));
      return {
        paymentsStarted: paymentsStarted + restarted,
        callbacksSignalled,
        refundsStarted,
        decisionsSignalled,
        deliveriesStarted,
        keysForgotten,
      };
    },
  };
}

/** One step's failure does not keep the others from running. */
async function step(deps: SweepDependencies, name: string, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    deps.log.error({ step: name, error: describeError(error), alert: 'sweep-step-failed' }, 'a sweeper step failed');
    return 0;
  }
}

/** What a payment and a refund have in common. */
interface MoneyRow {
  id: string;
  reference: string;
  application_id: string;
  application_name: string;
  mode: Mode;
  amount_minor: string;
  currency: string;
  gateway: string;
}

interface PaymentRow extends MoneyRow {
  status: PaymentStatus;
  cancel_requested_at: Date | null;
  review_reason: string | null;
}

const PAYMENT_COLUMNS = `p.id, p.reference, p.application_id, a.name as application_name, p.mode, p.amount_minor, p.currency, p.gateway,
  p.status, p.cancel_requested_at, p.review_reason`;

function moneyOf(row: MoneyRow) {
  return {
    reference: row.reference,
    applicationId: BigInt(row.application_id),
    applicationName: row.application_name,
    mode: row.mode,
    amount: { amountMinor: BigInt(row.amount_minor), currency: row.currency },
    gateway: row.gateway,
  };
}

function handleOf(row: PaymentRow): PaymentHandle {
  return { ...moneyOf(row), paymentId: BigInt(row.id) };
}

/** Repeats a batch while there is more, and stops when something fails: then the next pass is early enough. */
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

/** Takes up rows one after the other. */
const eachInBatches = <Row>(take: () => Promise<Row[]>, drive: (row: Row) => Promise<boolean>): Promise<number> =>
  inBatches(async () => {
    const rows = await take();
    let failed = 0;
    for (const row of rows) {
      failed += (await drive(row)) ? 0 : 1;
    }
    return { found: rows.length, failed };
  });

/** False when it failed, mostly since Temporal could not be asked: a later pass tries again. */
async function driven(
  { log }: SweepDependencies,
  { what, ...subject }: Readonly<Record<string, string>> & { readonly what: string },
  work: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    log.warn({ ...subject, error: describeError(error) }, `${what}; a later pass tries again`);
    return false;
  }
}

/**
 * Open payments whose next look is due: never started, started but lost, or simply still waiting. Starting finds what runs. A payment
 * whose workflow runs is looked at again only when it should have ended: until then its callbacks and the list of ended workflows tell.
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
    const resumed: bigint[] = [];
    for (const row of rows) {
      if (await resume(deps, row)) {
        resumed.push(BigInt(row.id));
      }
    }
    if (resumed.length > 0) {
      await deps.database.withSystem((em) =>
        em.execute(
          `update payments set next_sweep_at = greatest(now() + interval '5 minutes', expires_at + interval '1 minute')
           where id = any(?::bigint[]) and status in ('CREATED', 'PENDING')`,
          [bigintArray(resumed)],
        ),
      );
    }
    return { found: rows.length, failed: rows.length - resumed.length };
  });

function resume(deps: SweepDependencies, row: PaymentRow): Promise<boolean> {
  return driven(deps, { payment: row.reference, what: 'payment not resumed' }, async () => {
    if ((await deps.dispatch.startPayment(handleOf(row))) === 'completed') {
      await alertIfStillOpen(deps, row);
    } else if (row.cancel_requested_at !== null) {
      await deps.dispatch.signalCancel(row.reference);
    }
  });
}

/** The payment may have ended between the look at its row and the try to start it; its workflow ends only after its row. */
async function alertIfStillOpen(deps: SweepDependencies, { id, reference }: PaymentRow): Promise<void> {
  const open = await deps.database.withSystem((em) =>
    em.execute<unknown[]>(`select 1 from payments where id = ? and status in ('CREATED', 'PENDING')`, [id]),
  );
  if (open.length > 0) {
    // Only a database that was set back to an older state can say so: the gateway and the ledger must be compared by a person.
    deps.log.error(
      { payment: reference, alert: 'payment-behind-workflow' },
      'an open payment has a completed workflow',
    );
  }
}

/**
 * Workflows that someone terminated, or that failed: resumed within one pass when their payment is still open, or was rejected under review,
 * since its workflow still has to look for the money.
 */
async function sweepEndedWorkflows(deps: SweepDependencies): Promise<number> {
  const since = new Date(Date.now() - 10 * 60_000).toISOString();
  const query = `WorkflowType = '${WORKFLOW_TYPES.payment}' and ExecutionStatus in ('Terminated', 'Failed', 'TimedOut', 'Canceled') and CloseTime > '${since}'`;
  const references: string[] = [];
  for await (const { workflowId } of deps.temporal.workflow.list({ query, pageSize: BATCH_MAX })) {
    references.push(workflowId.slice(workflowId.indexOf(':') + 1));
    if (references.length >= BATCH_MAX) {
      break;
    }
  }
  if (references.length === 0) {
    return 0;
  }
  const rows = await deps.database.withSystem((em) =>
    em.execute<PaymentRow[]>(
      `select ${PAYMENT_COLUMNS} from payments p join applications a on a.id = p.application_id
       where p.reference = any(string_to_array(?, ',')) and (p.status in ('CREATED', 'PENDING') or p.failure_code = ?)`,
      [references.join(','), REVIEW_REJECTED],
    ),
  );
  for (const row of rows) {
    await resume(deps, row);
  }
  return rows.length;
}

interface CallbackRow extends PaymentRow {
  callback_id: string;
  attempt_reference: string;
  store_id: string;
  store_secret: string | null;
  raw_payload: string;
  settled_by: string | null;
}

/** Stored callbacks that nobody looked at: signalled again, or handed to the late payment of their attempt when the payment has ended. */
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
           from due where c.id = due.id returning c.id, c.payment_id, c.attempt_id, c.raw_payload)
         select moved.id as callback_id, moved.raw_payload, t.reference as attempt_reference, t.store_id,
           lenden_store_secret(t.application_id, t.mode, t.gateway, t.store_id) as store_secret,
           case when t.status = 'CONFIRMED' then t.validation_id end as settled_by, ${PAYMENT_COLUMNS}
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
        // While an operator has a payment under review, its callbacks wait for the decision.
        unanswered.set(row.attempt_reference, row);
      }
    }
    let failed = 0;
    for (const row of unanswered.values()) {
      failed += (await signal(deps, row)) ? 0 : 1;
    }
    return { found: rows.length, failed, driven: unanswered.size };
  });

/** The browser's return often comes while the IPN before it is being settled: once that is done, it tells nothing new. */
function outcomeOf(deps: SweepDependencies, row: CallbackRow): ReturnType<typeof outcomeWithoutAsking> {
  const store = { storeId: row.store_id, sealedSecret: row.store_secret };
  const parsed = openOrAlert(deps, { gateway: row.gateway, mode: row.mode, store })?.parseCallback(row.raw_payload);
  return parsed === undefined ? null : outcomeWithoutAsking({ status: row.status, settledBy: row.settled_by }, parsed);
}

async function signal(deps: SweepDependencies, row: CallbackRow): Promise<boolean> {
  const callbackId = BigInt(row.callback_id);
  let heard = true;
  const signalled = await driven(deps, { payment: row.reference, what: 'callback not signalled' }, async () => {
    if (isOpen(row.status)) {
      heard = await deps.dispatch.signalCallback(row.reference, callbackId);
    } else {
      await deps.dispatch.startLatePayment(handleOf(row), { attemptReference: row.attempt_reference, callbackId });
    }
  });
  return heard ? signalled : resume(deps, row);
}

interface RefundRow extends MoneyRow {
  status: RefundStatus;
}

const REFUND_COLUMNS = `r.id, r.reference, r.application_id, a.name as application_name, r.mode, r.amount_minor, r.currency, r.gateway, r.status`;

function refundHandleOf(row: RefundRow): RefundHandle {
  return { ...moneyOf(row), refundId: BigInt(row.id), awaitsApproval: row.status === 'AWAITING_APPROVAL' };
}

/** Open refunds: never started, started but lost, or simply still waiting. Starting finds what runs. */
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
        em.execute<unknown[]>(`select 1 from refunds where id = ? and status in ('AWAITING_APPROVAL', 'PENDING')`, [
          row.id,
        ]),
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

interface DecisionRow {
  decision_id: string;
  kind: DecisionKind;
  refund: RefundRow | null;
  payment: PaymentRow;
  attempt_reference: string | null;
}

/** Decisions that no workflow has taken up, since their signal was lost. */
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
           returning d.id, d.kind, d.payment_id, d.refund_id, d.late_payment_id)
         select moved.id as decision_id, moved.kind,
           (select to_json(x) from (select ${REFUND_COLUMNS} from refunds r where r.id = moved.refund_id) x) as refund,
           (select to_json(x) from (select ${PAYMENT_COLUMNS}) x) as payment,
           (select t.reference from late_payments l join payment_attempts t on t.id = l.attempt_id
             where l.id = moved.late_payment_id) as attempt_reference
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
      : deps.dispatch.decideLatePayment(payment, { attemptReference, decisionId }),
  );
}

interface EventRow {
  event_id: string;
  application_id: string;
  mode: Mode;
  type: string;
  reference: string;
}

/** Events whose delivery workflow was never started, or was lost; and given-up ones that an operator wants sent after all. */
const sweepDeliveries = (deps: SweepDependencies): Promise<number> =>
  eachInBatches(
    () =>
      deps.database.withSystem((em) =>
        em.execute<EventRow[]>(
          `with due as (
           select id from webhook_events where delivery_status <> 'DELIVERED' and next_sweep_at <= now()
           order by next_sweep_at limit ${BATCH_MAX} for update skip locked)
         update webhook_events e set next_sweep_at = now() + interval '10 minutes' from due, payments p
         where e.id = due.id and p.id = e.payment_id returning e.event_id, e.application_id, e.mode, e.type, p.reference`,
        ),
      ),
    ({ event_id: eventId, application_id: applicationId, mode, type, reference }) =>
      driven(deps, { event: eventId, what: 'delivery not started' }, () =>
        deps.dispatch.startDelivery({ eventId, applicationId: BigInt(applicationId), mode, type, reference }),
      ),
  );

async function forgetKeys(deps: SweepDependencies): Promise<number> {
  const rows = await deps.database.withSystem((em) =>
    em.execute<unknown[]>(
      `delete from idempotency_keys where ctid = any(array(
         select ctid from idempotency_keys where expires_at <= now() limit ${KEYS_FORGOTTEN_MAX})) returning 1`,
    ),
  );
  return rows.length;
}
