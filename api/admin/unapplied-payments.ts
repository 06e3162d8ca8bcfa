import { z } from 'zod';
import { decide, decisionFacts, needsSecond } from '../../core/decisions/store/decisions.ts';
import { recordAudit } from '../../core/operators/store/audit.ts';
import { listRows } from '../../database/lists.ts';
import { locateUnappliedPayment, type FoundUnappliedPayment } from '../../core/operators/store/money.ts';
import { readPayment } from '../../core/payments/store/payments.ts';
import { lateRefundRuledOut } from '../../core/refunds/store/refund-bounds.ts';
import type { Mode } from '../../domain/mode.ts';
import type { PaymentStatus } from '../../domain/payment.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { refundBoundsIn } from '../../gateways/refund-bounds.ts';
import { describeError } from '../../runtime/logger.ts';
import { paymentHandleOf } from '../../core/dispatch.ts';
import { IdParams } from '../http/fields.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { OperatorCaller } from './caller.ts';
import type { AdminDependencies } from './dependencies.ts';
import { UnappliedDecisionBody, UnappliedPaymentDetail, UnappliedPaymentsQuery } from './money-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { settled } from './settled.ts';

const TAG = 'Unapplied money';

/** Returns the routes for unapplied payments: an operator refunds each one or lets the application keep it. */
export function unappliedPaymentAdminRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), decideOne(deps)];
}

type LateStatus = 'HELD' | 'REFUNDING' | 'REFUNDED' | 'KEPT';

interface LateRow {
  id: string;
  payment_id: string;
  payment_reference: string;
  payment_status: PaymentStatus;
  application_id: string;
  application_name: string;
  mode: Mode;
  status: LateStatus;
  kind: 'late' | 'overpayment';
  gross_minor: string;
  fee_minor: string;
  currency: string;
  gateway: string;
  gateway_txn_id: string;
  decision: 'refund' | 'keep' | null;
  awaits_second: boolean | null;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = `l.id, l.payment_id, p.reference as payment_reference, p.status as payment_status, l.application_id, a.name as application_name,
  l.mode, l.status, l.kind, l.gross_minor, l.fee_minor, l.currency, l.gateway, l.gateway_txn_id, d.decision,
  d.needs_second and d.second_operator_id is null as awaits_second, l.created_at, l.updated_at`;
const FROM = `unapplied_payments l join payments p on p.id = l.payment_id join applications a on a.id = l.application_id
  left join decisions d on d.unapplied_payment_id = l.id and d.consumed_at is null`;

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/unapplied-payments',
    operationId: 'listUnappliedPayments',
    tag: TAG,
    summary: 'List unapplied payments',
    permission: 'payment:read',
    query: UnappliedPaymentsQuery,
    response: { status: 200, schema: z.array(UnappliedPaymentDetail), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { rows, total, nextCursor } = await deps.database.withOperator(caller.view, (em) =>
        listRows<LateRow>(em, {
          columns: COLUMNS,
          from: FROM,
          conditions: [
            ['l.application_id = ?', query.applicationId],
            ['l.mode = ?', query.mode],
            ['l.status = ?', query.status],
            ['l.payment_id = ?', query.paymentId],
          ],
          orderBy: slice.sortBy === 'amountMinor' ? ['l.gross_minor', 'l.id'] : ['l.created_at', 'l.id'],
          slice,
        }),
      );
      return { status: 200, data: rows.map(lateView), pagination: paginationOf(slice, { total, nextCursor }) };
    },
  });
}

function decideOne(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/unapplied-payments/{id}',
    operationId: 'decideUnappliedPayment',
    tag: TAG,
    summary: 'Refund or keep an unapplied payment; above the application’s threshold two operators must agree',
    permission: 'payment:review',
    sensitive: true,
    params: IdParams,
    body: UnappliedDecisionBody,
    response: { status: 200, schema: UnappliedPaymentDetail },
    errors: ['RESOURCE_NOT_FOUND', 'FORBIDDEN', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => {
      const found = await deps.database.withOperator(caller.view, (em) => locateUnappliedPayment(em, params.id));
      if (found === null) {
        throw notFound('unapplied payment');
      }
      const complete = await write(deps, { found, caller, unappliedPaymentId: params.id, ...body });
      const row = await settled(
        () => read(deps, caller, params.id),
        ({ status }) => !complete || status !== 'HELD',
      );
      return { status: 200, data: lateView(row) };
    },
  });
}

interface Deciding {
  readonly found: FoundUnappliedPayment;
  readonly caller: OperatorCaller;
  readonly unappliedPaymentId: bigint;
  readonly decision: 'refund' | 'keep';
  readonly reason: string;
}

/** Returns false while a second operator has to decide the same. */
async function write(
  deps: AdminDependencies,
  { found, caller, unappliedPaymentId, decision, reason }: Deciding,
): Promise<boolean> {
  const { scope, paymentId, attemptReference, applicationName } = found;
  const { payment, stored } = await deps.database.inTransaction(scope, async (statements) => {
    await statements.execute('select 1 from payments where id = ? for update', [paymentId]);
    const [late] = await statements.execute<{ status: LateStatus; gross_minor: string; currency: string }[]>(
      'select status, gross_minor, currency from unapplied_payments where id = ?',
      [unappliedPaymentId],
    );
    const own = await readPayment(statements, scope, paymentId);
    if (late === undefined || own === null) {
      throw notFound('unapplied payment');
    }
    if (late.status !== 'HELD') {
      throw new DomainError('INVALID_OPERATION_STATE', `the unapplied payment is ${late.status}`);
    }
    const ruledOut =
      decision === 'refund'
        ? await lateRefundRuledOut(statements, unappliedPaymentId, refundBoundsIn(deps.gateways))
        : null;
    if (ruledOut !== null) {
      throw new DomainError('INVALID_OPERATION_STATE', ruledOut);
    }
    const amount = { amountMinor: BigInt(late.gross_minor), currency: late.currency };
    const { id: operatorId } = caller.operator;
    const result = await decide(statements, {
      scope,
      kind: 'unapplied-payment',
      paymentId,
      refundId: null,
      unappliedPaymentId,
      decision,
      reason,
      operatorId,
      amount,
      needsSecond: await needsSecond(statements, { scope, operatorId, paymentId, amount, decision }),
    });
    await recordAudit(statements, {
      actor: caller.actor,
      action: `unapplied-payment.${decision}`,
      target: { type: 'unapplied-payment', id: unappliedPaymentId },
      application: { id: scope.applicationId, mode: scope.mode },
      before: { status: late.status },
      after: { amountMinor: late.gross_minor, ...decisionFacts(result) },
      reason,
    });
    return { payment: own, stored: result };
  });
  if (stored.complete) {
    await deps.dispatch
      .decideUnappliedPayment(paymentHandleOf(payment, applicationName), { attemptReference, decisionId: stored.id })
      .catch((error: unknown) => {
        deps.log.warn(
          { payment: payment.reference, error: describeError(error) },
          'decision not signalled; the sweeper retries',
        );
      });
  }
  return stored.complete;
}

async function read(deps: AdminDependencies, { view }: OperatorCaller, id: bigint): Promise<LateRow> {
  const [row] = await deps.database.withOperator(view, (em) =>
    em.execute<LateRow[]>(`select ${COLUMNS} from ${FROM} where l.id = ?`, [id]),
  );
  if (row === undefined) {
    throw notFound('unapplied payment');
  }
  return row;
}

function lateView(row: LateRow) {
  return {
    id: toJsonInteger(BigInt(row.id)),
    paymentId: toJsonInteger(BigInt(row.payment_id)),
    paymentReference: row.payment_reference,
    paymentStatus: row.payment_status,
    applicationId: toJsonInteger(BigInt(row.application_id)),
    applicationName: row.application_name,
    mode: row.mode,
    status: row.status,
    kind: row.kind === 'overpayment' ? ('OVERPAYMENT' as const) : ('LATE' as const),
    amountMinor: toJsonInteger(BigInt(row.gross_minor)),
    feeMinor: toJsonInteger(BigInt(row.fee_minor)),
    currency: row.currency,
    gateway: row.gateway,
    gatewayTxnId: row.gateway_txn_id,
    decision: row.decision === null ? null : { decision: row.decision, awaitsSecondPerson: row.awaits_second === true },
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  };
}
