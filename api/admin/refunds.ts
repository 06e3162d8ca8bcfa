import { z } from 'zod';
import type { Scope } from '../../database/connection.ts';
import {
  decide,
  decisionFacts,
  operatorMay,
  type DecisionWord,
  type StoredDecision,
} from '../../core/decisions/store/decisions.ts';
import { recordAudit } from '../../core/operators/store/audit.ts';
import { listRows } from '../../database/lists.ts';
import { locatePayment, locateRefund, type FoundRefund } from '../../core/operators/store/money.ts';
import {
  readRefund,
  REFUND_COLUMNS,
  refundOf,
  type RefundRecord,
  type RefundRow,
} from '../../core/refunds/store/refunds.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { refundView } from '../../domain/refund-view.ts';
import { describeError } from '../../runtime/logger.ts';
import { refundHandleOf } from '../../core/dispatch.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import { makeRefund } from '../native/create-refund.ts';
import { Refund } from '../native/schemas.ts';
import type { OperatorCaller } from './caller.ts';
import type { AdminDependencies } from './dependencies.ts';
import { CreateOperatorRefund, DecidedRefund, Reason, RefundReviewBody, RefundsQuery } from './money-schemas.ts';
import { momentRange } from './filters.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { settled } from './settled.ts';

const TAG = 'Refunds by operators';

/** Maps the words of a review to decisions. */
const REVIEW_WORDS = { retry: 'approve', refunded: 'accept', 'not-refunded': 'reject' } as const;

/** Returns the routes by which operators start, approve, reject and resolve refunds. Operators cannot approve their own refunds. */
export function refundAdminRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), read(deps), create(deps), approve(deps), reject(deps), review(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/refunds',
    operationId: 'listAllRefunds',
    tag: TAG,
    summary: 'List refunds',
    permission: 'refund:read',
    query: RefundsQuery,
    response: { status: 200, schema: z.array(Refund), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { from, before } = momentRange(query);
      const { rows, total, nextCursor } = await deps.database.withOperator(caller.view, (em) =>
        listRows<RefundRow>(em, {
          columns: REFUND_COLUMNS,
          from: 'refunds r',
          conditions: [
            ['r.application_id = ?', query.applicationId],
            ['r.mode = ?', query.mode],
            ['r.status = ?', query.status],
            ['r.payment_id = ?', query.paymentId],
            ['r.created_at >= ?::timestamptz', from],
            ['r.created_at < ?::timestamptz', before],
          ],
          orderBy: slice.sortBy === 'amountMinor' ? ['r.amount_minor', 'r.id'] : ['r.created_at', 'r.id'],
          slice,
        }),
      );
      return {
        status: 200,
        data: rows.map((row) => refundView(refundOf(row))),
        pagination: paginationOf(slice, { total, nextCursor }),
      };
    },
  });
}

function read(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/refunds/{id}',
    operationId: 'getAnyRefund',
    tag: TAG,
    summary: 'Retrieve a refund',
    permission: 'refund:read',
    params: IdParams,
    response: { status: 200, schema: Refund },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: refundView((await locate(deps, caller, params.id)).refund),
    }),
  });
}

function create(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/payments/{id}/refunds',
    operationId: 'createRefundByOperator',
    tag: TAG,
    summary: 'Create a refund; above the application’s threshold it needs a second operator’s approval',
    permission: 'refund:create',
    params: IdParams,
    body: CreateOperatorRefund,
    response: { status: 201, schema: Refund },
    idempotent: true,
    errors: [
      'RESOURCE_NOT_FOUND',
      'INVALID_OPERATION_STATE',
      'REFUND_EXCEEDS_BALANCE',
      'IDEMPOTENCY_KEY_CONFLICT',
      'IDEMPOTENCY_IN_PROGRESS',
    ],
    links: { readRefund: { operationId: 'getAnyRefund', parameters: { id: '$response.body#/data/id' } } },
    handler: async ({ caller, params, body, rawBody, headers }) => {
      const found = await deps.database.withOperator(caller.view, (em) => locatePayment(em, params.id));
      if (found === null) {
        throw notFound('payment');
      }
      return makeRefund(deps, {
        ...found,
        paymentId: params.id,
        body,
        rawBody,
        operation: `POST /admin/payments/{id}/refunds by operator ${caller.operator.id}`,
        idempotencyKey: headers['idempotency-key'],
        creator: { type: 'USER', operatorId: caller.operator.id },
        note: (statements, refund) =>
          audit(statements, { caller, refund, action: 'refund.created', reason: body.reason }),
      });
    },
  });
}

function approve(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/refunds/{id}/approve',
    operationId: 'approveRefund',
    tag: TAG,
    summary: 'Approve a refund created by another operator',
    permission: 'refund:approve',
    sensitive: true,
    params: IdParams,
    response: { status: 200, schema: Refund },
    errors: ['RESOURCE_NOT_FOUND', 'FORBIDDEN', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params }) => {
      const found = await locate(deps, caller, params.id);
      const { refund, decision } = await deps.database.inTransaction(found.scope, async (statements) => {
        const waiting = await lockWaiting(statements, { found, caller });
        await requireAsker(statements, waiting);
        const stored = await decideOn(statements, { found, caller, decision: 'approve', reason: null });
        // The row is authoritative: the refund is approved once this commits, and the workflow reads the approval from it.
        const [row] = await statements.execute<RefundRow[]>(
          `update refunds r set status = 'PENDING', approved_by_operator_id = ?, approval_due_at = null, updated_at = now()
           where id = ? and status = 'AWAITING_APPROVAL' returning ${REFUND_COLUMNS}`,
          [caller.operator.id, waiting.id],
        );
        if (row === undefined) {
          throw new Error('a locked refund that awaits approval was not approved');
        }
        await audit(statements, { caller, refund: waiting, action: 'refund.approved', decision: stored });
        return { refund: refundOf(row), decision: stored };
      });
      await start(deps, { ...found, refund }, decision);
      return { status: 200, data: refundView(refund) };
    },
  });
}

function reject(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/refunds/{id}/reject',
    operationId: 'rejectRefund',
    tag: TAG,
    summary: 'Reject a refund created by another operator',
    permission: 'refund:approve',
    sensitive: true,
    params: IdParams,
    body: Reason,
    response: { status: 200, schema: Refund },
    errors: ['RESOURCE_NOT_FOUND', 'FORBIDDEN', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => {
      const found = await locate(deps, caller, params.id);
      const decision = await deps.database.inTransaction(found.scope, async (statements) => {
        const waiting = await lockWaiting(statements, { found, caller });
        const { reason } = body;
        const stored = await decideOn(statements, { found, caller, decision: 'reject', reason });
        await audit(statements, { caller, refund: waiting, action: 'refund.rejected', reason, decision: stored });
        return stored;
      });
      await start(deps, found, decision);
      return { status: 200, data: refundView(await afterDecision(deps, found, ({ status }) => status === 'REJECTED')) };
    },
  });
}

function review(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/refunds/{id}/review',
    operationId: 'reviewRefund',
    tag: TAG,
    summary: 'Resolve a refund under review',
    permission: 'payment:review',
    sensitive: true,
    params: IdParams,
    body: RefundReviewBody,
    response: { status: 200, schema: DecidedRefund },
    errors: ['RESOURCE_NOT_FOUND', 'FORBIDDEN', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => {
      const found = await locate(deps, caller, params.id);
      const { reason } = body;
      const stored = await deps.database.inTransaction(found.scope, async (statements) => {
        const refund = await lock(statements, found);
        if (refund.reviewReason === null) {
          throw new DomainError('INVALID_OPERATION_STATE', 'the refund is not under review');
        }
        if (refund.reviewReason === 'FAILED_AFTER_SUCCESS' && body.decision === 'retry') {
          throw new DomainError(
            'INVALID_OPERATION_STATE',
            'the gateway reported that the refund failed; decide refunded or not-refunded, then start another refund',
          );
        }
        const word = REVIEW_WORDS[body.decision];
        const needsSecond = word !== 'approve';
        const decision = await decideOn(statements, { found, caller, decision: word, reason, needsSecond });
        await audit(statements, { caller, refund, action: `refund.review-${body.decision}`, reason, decision });
        return decision;
      });
      if (!stored.complete) {
        return {
          status: 200,
          data: { refund: refundView(found.refund), decision: 'awaiting-second-approval' as const },
        };
      }
      await start(deps, found, stored);
      const refund = await afterDecision(deps, found, ({ reviewReason }) => reviewReason === null);
      const decision = refund.reviewReason === null ? ('executed' as const) : ('in-progress' as const);
      return { status: 200, data: { refund: refundView(refund), decision } };
    },
  });
}

async function locate(deps: AdminDependencies, caller: OperatorCaller, refundId: bigint): Promise<FoundRefund> {
  const found = await deps.database.withOperator(caller.view, (em) => locateRefund(em, refundId));
  if (found === null) {
    throw notFound('refund');
  }
  return found;
}

/** Locks the payment before the refund, in the same order as everywhere else. */
async function lock(statements: Statements, { scope, refund }: FoundRefund): Promise<RefundRecord> {
  await statements.execute('select 1 from payments where id = ? for update', [refund.paymentId]);
  const locked = await readRefund(statements, scope, refund.id);
  if (locked === null) {
    throw notFound('refund');
  }
  return locked;
}

interface Deciding {
  readonly found: FoundRefund;
  readonly caller: OperatorCaller;
}

async function lockWaiting(statements: Statements, { found, caller }: Deciding): Promise<RefundRecord> {
  const refund = await lock(statements, found);
  if (refund.status !== 'AWAITING_APPROVAL') {
    throw new DomainError('INVALID_OPERATION_STATE', `the refund is ${refund.status}`);
  }
  if (refund.createdByOperatorId === caller.operator.id) {
    throw new DomainError('FORBIDDEN', 'you cannot approve or reject your own refund');
  }
  return refund;
}

/** Checks that the operator who asked for the refund may still do so: their request is one of the two decisions that a refund needs. */
async function requireAsker(statements: Statements, refund: RefundRecord): Promise<void> {
  const { createdByOperatorId: operatorId } = refund;
  if (
    operatorId !== null &&
    !(await operatorMay(statements, { operatorId, permission: 'refund:create', scope: refund }))
  ) {
    throw new DomainError(
      'INVALID_OPERATION_STATE',
      'the operator who started this refund can no longer start refunds: reject it, and start another one if it is still needed',
    );
  }
}

interface DecisionOn extends Deciding {
  readonly decision: DecisionWord;
  readonly reason: string | null;
  readonly needsSecond?: boolean;
}

function decideOn(
  statements: Statements,
  { found, caller, decision, reason, needsSecond = false }: DecisionOn,
): Promise<StoredDecision> {
  return decide(statements, {
    scope: found.scope,
    kind: 'refund',
    paymentId: found.refund.paymentId,
    refundId: found.refund.id,
    unappliedPaymentId: null,
    decision,
    reason,
    operatorId: caller.operator.id,
    // The amount counts towards the operator who asked for the refund.
    amount: null,
    needsSecond,
  });
}

interface Audited {
  readonly caller: OperatorCaller;
  readonly refund: RefundRecord;
  readonly action: string;
  readonly reason?: string | undefined;
  readonly decision?: StoredDecision;
}

async function audit(statements: Statements, { caller, refund, action, reason, decision }: Audited): Promise<void> {
  const { id, applicationId, mode, paymentId, amountMinor, currency, status } = refund;
  await recordAudit(statements, {
    actor: caller.actor,
    action,
    target: { type: 'refund', id },
    application: { id: applicationId, mode },
    before: { status },
    after: { paymentId, amountMinor, currency, ...(decision === undefined ? {} : decisionFacts(decision)) },
    ...(reason === undefined ? {} : { reason }),
  });
}

async function start(
  deps: AdminDependencies,
  { refund, applicationName }: { refund: RefundRecord; scope: Scope; applicationName: string },
  decision?: StoredDecision,
): Promise<void> {
  await deps.dispatch.startRefund(refundHandleOf(refund, applicationName), decision?.id).catch((error: unknown) => {
    deps.log.warn(
      { refund: refund.reference, error: describeError(error) },
      'refund not signalled; the sweeper retries',
    );
  });
}

/** Waits briefly for the workflow to act on a decision, so that the response usually shows the result. */
function afterDecision(
  deps: AdminDependencies,
  { scope, refund }: FoundRefund,
  isDone: (refund: RefundRecord) => boolean,
): Promise<RefundRecord> {
  return settled(async () => {
    const now = await deps.database.inOneTrip(scope, (statements) => readRefund(statements, scope, refund.id));
    if (now === null) {
      throw notFound('refund');
    }
    return now;
  }, isDone);
}
