import { expressionBuilder, sql } from 'kysely';
import { constantSpan, later, latestOf, now, plus, timeOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { OPEN_STATUSES, REVIEW_REJECTED, type PaymentStatus } from '../../../domain/payment.ts';
import type { PaymentHandle } from '../../dispatch.ts';

/** What the sweeper needs to know about a payment. */
export interface SweptPayment {
  readonly handle: PaymentHandle;
  readonly status: PaymentStatus;
  readonly underReview: boolean;
  readonly cancelRequested: boolean;
  /** The payer has chosen a gateway whose page was not opened. */
  readonly choiceWaits: boolean;
}

const of = expressionBuilder<Tables & { p: Tables['payments'] }, 'p'>();

/** Columns of `payments p` and `applications a` that `sweptPaymentOf` reads. */
export const SWEPT_PAYMENT = [
  'p.reference',
  'p.applicationId',
  'a.name as applicationName',
  'p.mode',
  'p.amountMinor',
  'p.currency',
  'p.gateway',
  'p.status',
  'p.cancelRequestedAt',
  'p.reviewReason',
  'p.invoiceId',
  of
    .and([
      of('p.gatewayChoices', 'is not', null),
      of('p.expiresAt', '>', timeOf(of.ref('p.clockOffset'))),
      of.exists(
        of
          .selectFrom('payment_attempts as waiting')
          .select('waiting.id')
          .whereRef('waiting.paymentId', '=', 'p.id')
          .where('waiting.supersededAt', 'is', null)
          .where('waiting.sessionKey', 'is', null),
      ),
    ])
    .$castTo<boolean>()
    .as('choiceWaits'),
] as const;

/** A payment with a running workflow is next swept when it should have ended. */
export const AFTER_EXPIRY = latestOf(later('5 minutes'), plus(sql.ref('expiresAt'), constantSpan('1 minute')));

const TAKE_DUE = statement((db, $: Given<{ max: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('payments')
        .select('id')
        .where('status', 'in', OPEN_STATUSES)
        .where('nextSweepAt', '<=', now)
        .orderBy('nextSweepAt')
        .limit($('max'))
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('payments as p')
    .from(['due', 'applications as a'])
    .set({ nextSweepAt: later('1 minute') })
    .whereRef('p.id', '=', 'due.id')
    .whereRef('a.id', '=', 'p.applicationId')
    .returning(SWEPT_PAYMENT),
);

export function sweptPaymentOf(row: RowOf<typeof TAKE_DUE>): SweptPayment {
  return {
    handle: {
      reference: row.reference,
      applicationId: row.applicationId,
      applicationName: row.applicationName,
      mode: row.mode,
      amount: { amountMinor: row.amountMinor, currency: row.currency },
      gateway: row.gateway,
      invoiceId: row.invoiceId,
    },
    status: row.status,
    underReview: row.reviewReason !== null,
    cancelRequested: row.cancelRequestedAt !== null,
    choiceWaits: row.choiceWaits,
  };
}

/** Takes open payments that are due for a check, and postpones their next one by a minute. */
export async function takeDuePayments(statements: Statements, max: number): Promise<SweptPayment[]> {
  return (await TAKE_DUE.all(statements, { max })).map(sweptPaymentOf);
}

const POSTPONE = statement((db, $: Given<{ references: readonly string[] }>) =>
  db
    .updateTable('payments')
    .set((eb) => ({
      nextSweepAt: latestOf(later('5 minutes'), plus(eb.ref('expiresAt'), constantSpan('1 minute'))),
    }))
    .where('reference', '=', (eb) => eb.fn.any($('references')))
    .where('status', 'in', OPEN_STATUSES),
);

/** Postpones the next check of payments whose workflow runs until they should have ended. */
export async function postponeUntilExpiry(statements: Statements, references: readonly string[]): Promise<void> {
  await POSTPONE.all(statements, { references });
}

const FIND_OPEN = statement((db, $: Given<{ reference: string }>) =>
  db.selectFrom('payments').select('id').where('reference', '=', $('reference')).where('status', 'in', OPEN_STATUSES),
);

export async function isPaymentOpen(statements: Statements, reference: string): Promise<boolean> {
  return (await FIND_OPEN.first(statements, { reference })) !== undefined;
}

const READ_UNFINISHED = statement((db, $: Given<{ references: readonly string[] }>) =>
  db
    .selectFrom('payments as p')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select(SWEPT_PAYMENT)
    .where('p.reference', '=', (eb) => eb.fn.any($('references')))
    .where((eb) => eb.or([eb('p.status', 'in', OPEN_STATUSES), eb('p.failureCode', '=', REVIEW_REJECTED)])),
);

/** Returns those whose workflow still has work to do: open ones, and those rejected under review, whose money it still has to look for. */
export async function readUnfinishedPayments(
  statements: Statements,
  references: readonly string[],
): Promise<SweptPayment[]> {
  return (await READ_UNFINISHED.all(statements, { references })).map(sweptPaymentOf);
}
