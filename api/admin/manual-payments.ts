import { z } from 'zod';
import { sqlStateOf } from '../../database/connection.ts';
import { consumeDecision, decide, decisionFacts, needsSecond } from '../../core/decisions/store/decisions.ts';
import { keepCallback, type KeptCallback } from '../../core/gateway-callbacks/store.ts';
import { listRows } from '../../database/lists.ts';
import {
  lockSubmission,
  recordConfirmation,
  type SubmissionToDecide,
} from '../../core/manual-payments/store/submissions.ts';
import { recordAudit } from '../../core/operators/store/audit.ts';
import { locateSubmission, type FoundSubmission } from '../../core/operators/store/money.ts';
import type { Statements } from '../../database/statements.ts';
import type { Mode } from '../../domain/mode.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { isOpen, type PaymentStatus } from '../../domain/payment.ts';
import { decidedNotice } from '../../gateways/manual/callback.ts';
import { MANUAL_CAPABILITIES } from '../../gateways/manual/gateway.ts';
import { describeError } from '../../runtime/logger.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { passOn } from '../../core/gateway-callbacks/pass-on.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { OperatorCaller } from './caller.ts';
import type { AdminDependencies } from './dependencies.ts';
import { ManualDecisionBody, ManualPayment, ManualPaymentsQuery, type MANUAL_STATUSES } from './money-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { settled } from './settled.ts';

const TAG = 'Manual payments';
const { name: GATEWAY } = MANUAL_CAPABILITIES;
/** PostgreSQL: unique_violation. */
const UNIQUE_VIOLATION = '23505';

/** Returns the routes for payments that payers report as made without a gateway. An operator checks the account and decides. */
export function manualPaymentRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), decideOne(deps)];
}

interface ManualRow {
  id: string;
  payment_id: string;
  payment_reference: string;
  payment_status: PaymentStatus;
  application_id: string;
  application_name: string;
  mode: Mode;
  status: (typeof MANUAL_STATUSES)[number];
  amount_minor: string;
  currency: string;
  store_id: string;
  code: string;
  transaction: string;
  normalized: string;
  sender: string | null;
  claimed_by_others: number;
  decision: 'accept' | 'reject' | null;
  awaits_second: boolean;
  expires_at: Date;
  created_at: Date;
}

const AWAITS_SECOND = 'd.needs_second and d.second_operator_id is null';
const STATUS = `case when d.id is not null and not (${AWAITS_SECOND}) then case d.decision when 'accept' then 'CONFIRMED' else 'REJECTED' end
  when exists(select 1 from manual_submissions n where n.attempt_id = s.attempt_id and n.id > s.id) then 'CORRECTED' else 'WAITING' end`;
const COLUMNS = `s.id, s.payment_id, p.reference as payment_reference, p.status as payment_status, s.application_id, a.name as application_name,
  s.mode, ${STATUS} as status, p.amount_minor, p.currency, t.store_id, t.reference as code, s.transaction, s.normalized, s.sender,
  (select count(distinct o.payment_id)::integer from manual_submissions o join payment_attempts ot on ot.id = o.attempt_id
    where o.mode = s.mode and o.normalized = s.normalized and o.payment_id <> s.payment_id and ot.store_id = t.store_id
      and o.store_application_id is not distinct from s.store_application_id) as claimed_by_others,
  d.decision, coalesce(${AWAITS_SECOND}, false) as awaits_second, p.expires_at, s.created_at`;
const FROM = `manual_submissions s join payments p on p.id = s.payment_id join payment_attempts t on t.id = s.attempt_id
  join applications a on a.id = s.application_id
  left join decisions d on d.manual_submission_id = s.id and (d.consumed_at is null or not (${AWAITS_SECOND}))`;

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/manual-payments',
    operationId: 'listManualPayments',
    tag: TAG,
    summary: 'List manual payments; defaults to those that wait for a decision',
    permission: 'payment:review',
    query: ManualPaymentsQuery,
    response: { status: 200, schema: z.array(ManualPayment), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { rows, total, nextCursor } = await deps.database.withOperator(caller.view, (em) =>
        listRows<ManualRow>(em, {
          columns: COLUMNS,
          from: FROM,
          conditions: [
            ['s.application_id = ?', query.applicationId],
            ['s.mode = ?', query.mode],
            [`(${STATUS}) = ?`, query.status],
            ['s.payment_id = ?', query.paymentId],
          ],
          orderBy: slice.sortBy === 'amountMinor' ? ['p.amount_minor', 's.id'] : ['s.created_at', 's.id'],
          slice,
        }),
      );
      return { status: 200, data: rows.map(manualView), pagination: paginationOf(slice, { total, nextCursor }) };
    },
  });
}

function decideOne(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/manual-payments/{id}/decision',
    operationId: 'decideManualPayment',
    tag: TAG,
    summary: 'Confirm or reject a manual payment; above the application’s threshold two operators must agree',
    permission: 'payment:review',
    sensitive: true,
    params: IdParams,
    body: ManualDecisionBody,
    response: { status: 200, schema: ManualPayment },
    errors: ['RESOURCE_NOT_FOUND', 'FORBIDDEN', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => {
      const found = await deps.database.withOperator(caller.view, (em) => locateSubmission(em, params.id));
      if (found === null) {
        throw notFound('manual payment');
      }
      const kept = await write(deps, { found, caller, submissionId: params.id, ...body });
      if (kept?.signal === true) {
        await tell(deps, found, kept);
      }
      const row = await settled(
        () => read(deps, caller, params.id),
        ({ payment_status: status }) => kept === null || body.decision === 'reject' || !isOpen(status),
      );
      return { status: 200, data: manualView(row) };
    },
  });
}

async function tell(deps: AdminDependencies, { scope }: FoundSubmission, kept: KeptCallback) {
  await passOn(deps, kept, { scope, gateway: GATEWAY }).catch((error: unknown) => {
    deps.log.warn(
      { payment: kept.payment.reference, error: describeError(error) },
      'decision not signalled; the sweeper retries',
    );
  });
}

interface Deciding {
  readonly found: FoundSubmission;
  readonly caller: OperatorCaller;
  readonly submissionId: bigint;
  readonly decision: 'confirm' | 'reject';
  readonly reason: string;
}

/**
 * Stores the decision together with a record in place of a gateway callback, so that the sweeper acts on it even if this process dies. Returns null
 * while a second operator has to decide the same.
 * @throws DomainError INVALID_OPERATION_STATE when there is nothing left to decide, or the transaction has confirmed another payment
 */
async function write(deps: AdminDependencies, deciding: Deciding): Promise<KeptCallback | null> {
  try {
    return await deps.database.inTransaction(deciding.found.scope, (statements) => writeIn(statements, deciding));
  } catch (error) {
    if (sqlStateOf(error) === UNIQUE_VIOLATION) {
      throw new DomainError(
        'INVALID_OPERATION_STATE',
        'this transaction has already confirmed another payment to this account',
      );
    }
    throw error;
  }
}

async function writeIn(
  statements: Statements,
  { found, caller, submissionId, decision: word, reason }: Deciding,
): Promise<KeptCallback | null> {
  const { scope, paymentId, attemptId } = found;
  const submission = await lockSubmission(statements, { paymentId, submissionId });
  if (submission === null) {
    throw notFound('manual payment');
  }
  requireUndecided(submission);
  const { amount } = submission;
  const said = word === 'confirm' ? 'accept' : 'reject';
  const { id: operatorId } = caller.operator;
  const decision = await decide(statements, {
    scope,
    kind: 'manual',
    paymentId,
    refundId: null,
    unappliedPaymentId: null,
    manualSubmissionId: submissionId,
    decision: said,
    reason,
    operatorId,
    amount,
    needsSecond: await needsSecond(statements, {
      scope,
      operatorId,
      paymentId,
      amount,
      decision: said,
      manualSubmissionId: submissionId,
    }),
  });
  await recordAudit(statements, {
    actor: caller.actor,
    action: `manual-payment.${word}`,
    target: { type: 'manual-payment', id: submissionId },
    application: { id: scope.applicationId, mode: scope.mode },
    before: { status: submission.paymentStatus },
    after: decisionFacts(decision),
    reason,
  });
  if (!decision.complete) {
    return null;
  }
  await consumeDecision(statements, decision.id, word === 'confirm' ? 'CONFIRMED' : 'REJECTED');
  if (word === 'confirm') {
    await recordConfirmation(statements, { submissionId, decisionId: decision.id });
  }
  const { attemptReference, normalized } = submission;
  const rawPayload = decidedNotice({
    attemptReference,
    validationId: normalized,
    decisionId: decision.id.toString(),
    decided: word === 'confirm' ? 'confirmed' : 'rejected',
  });
  return keepCallback(
    statements,
    {
      gateway: GATEWAY,
      mode: scope.mode,
      kind: 'ipn',
      reference: attemptReference,
      signatureValid: true,
      note: null,
      claimsNoMoney: false,
      rawPayload,
      digest: sha256(rawPayload),
    },
    { scope, attemptId, paymentId },
  );
}

function requireUndecided({ decided, corrected }: SubmissionToDecide): void {
  if (decided !== null) {
    throw new DomainError('INVALID_OPERATION_STATE', `this was already decided: ${decided}`);
  }
  if (corrected) {
    throw new DomainError('INVALID_OPERATION_STATE', 'the payer has since corrected the transaction number');
  }
}

async function read(deps: AdminDependencies, caller: OperatorCaller, id: bigint): Promise<ManualRow> {
  const [row] = await deps.database.withOperator(caller.view, (em) =>
    em.execute<ManualRow[]>(`select ${COLUMNS} from ${FROM} where s.id = ?`, [id]),
  );
  if (row === undefined) {
    throw notFound('manual payment');
  }
  return row;
}

function manualView(row: ManualRow) {
  return {
    id: toJsonInteger(BigInt(row.id)),
    paymentId: toJsonInteger(BigInt(row.payment_id)),
    paymentReference: row.payment_reference,
    paymentStatus: row.payment_status,
    applicationId: toJsonInteger(BigInt(row.application_id)),
    applicationName: row.application_name,
    mode: row.mode,
    status: row.status,
    amountMinor: toJsonInteger(BigInt(row.amount_minor)),
    currency: row.currency,
    storeId: row.store_id,
    code: row.code,
    transaction: row.transaction,
    comparedAs: row.normalized,
    sender: row.sender,
    claimedByOthers: row.claimed_by_others,
    decision:
      row.decision === null
        ? null
        : {
            decision: row.decision === 'accept' ? ('confirm' as const) : ('reject' as const),
            awaitsSecondPerson: row.awaits_second,
          },
    expiresAt: new Date(row.expires_at).toISOString(),
    createdAt: new Date(row.created_at).toISOString(),
  };
}
