import { sql, type Kysely, type SelectQueryBuilder } from 'kysely';
import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { InboxCount, InboxKind } from '../../../domain/inbox.ts';
import type { Mode } from '../../../domain/mode.ts';
import { OPEN_STATUSES } from '../../../domain/payment.ts';
import {
  APPLICATION_CHANGES,
  OPERATOR_CHANGES,
  RECONCILIATION_CHANGES,
  type ChangeKind,
} from '../../../domain/pending-change.ts';
import { OPEN_REFUND_STATUSES } from '../../../domain/refund.ts';
import { COMPLETE } from '../../decisions/store/complete.ts';
import { IS_CORRECTED } from '../../manual-payments/store/newest-submission.ts';

/** Counting ends here, so that a receiver that has been dead for months costs no more than one that failed today. */
export const COUNTED_MAX = 10_000;

interface Waiting {
  readonly applicationId: bigint | null;
  readonly since: Date;
}

/** The tables of the inner query do not matter to the outer one. */
type WaitingRows = Pick<SelectQueryBuilder<Tables, keyof Tables, Waiting>, 'as'>;

/** Counts what waits, by application and age. */
function counted(db: Kysely<Tables>, rows: WaitingRows) {
  return db
    .selectFrom(rows.as('w'))
    .leftJoin('applications as a', 'a.id', 'w.applicationId')
    .select((eb) => {
      const aged = (condition: ReturnType<typeof sql<boolean>>) =>
        eb.cast<number>(eb.fn.countAll().filterWhere(condition), 'integer');
      return [
        'w.applicationId',
        'a.name as applicationName',
        eb.cast<number>(eb.fn.countAll(), 'integer').as('count'),
        eb.fn.min('w.since').$notNull().as('oldestSince'),
        aged(sql<boolean>`w.since > now() - interval '1 hour'`).as('hour'),
        aged(sql<boolean>`w.since <= now() - interval '1 hour' and w.since > now() - interval '1 day'`).as('day'),
        aged(sql<boolean>`w.since <= now() - interval '1 day' and w.since > now() - interval '7 days'`).as('week'),
        aged(sql<boolean>`w.since <= now() - interval '7 days'`).as('older'),
      ];
    })
    .groupBy(['w.applicationId', 'a.name'])
    .orderBy('w.applicationId');
}

interface Wanted {
  readonly mode: Mode;
  /** Who asks. What they have asked for themselves waits for another person. */
  readonly operatorId: bigint;
  readonly limit: number;
}

const REFUND_APPROVAL = statement((db, $: Given<Wanted>) =>
  counted(
    db,
    db
      .selectFrom('refunds')
      .select(['applicationId', 'createdAt as since'])
      .where('status', '=', 'AWAITING_APPROVAL')
      .where('createdByOperatorId', 'is distinct from', $('operatorId'))
      .where('reviewReason', 'is', null)
      .where('mode', '=', $('mode'))
      .orderBy('createdAt')
      .limit($('limit')),
  ),
);

const PAYMENT_REVIEW = statement((db, $: Given<Wanted>) =>
  counted(
    db,
    db
      .selectFrom('payments')
      .select((eb) => ['applicationId', eb.ref('reviewSince').$notNull().as('since')])
      .where('reviewReason', 'is not', null)
      .where('mode', '=', $('mode'))
      .orderBy('reviewSince')
      .limit($('limit')),
  ),
);

/** Also a refund that counts as successful: its gateway reported a failure afterwards. */
const REFUND_REVIEW = statement((db, $: Given<Wanted>) =>
  counted(
    db,
    db
      .selectFrom('refunds')
      .select((eb) => ['applicationId', eb.ref('reviewSince').$notNull().as('since')])
      .where('reviewReason', 'is not', null)
      .where('mode', '=', $('mode'))
      .orderBy('reviewSince')
      .limit($('limit')),
  ),
);

const UNAPPLIED_PAYMENT = statement((db, $: Given<Wanted>) =>
  counted(
    db,
    db
      .selectFrom('unapplied_payments')
      .select(['applicationId', 'createdAt as since'])
      .where('status', '=', 'HELD')
      .where('mode', '=', $('mode'))
      .orderBy('id')
      .limit($('limit')),
  ),
);

/** The newest submission of each open payment, unless enough people have decided on it. */
const MANUAL_SUBMISSION = statement((db, $: Given<Wanted>) =>
  counted(
    db,
    db
      .selectFrom('manual_submissions as s')
      .innerJoin('payments as p', 'p.id', 's.paymentId')
      .select(['s.applicationId', 's.createdAt as since'])
      .where('p.status', 'in', OPEN_STATUSES)
      .where('s.mode', '=', $('mode'))
      .where((eb) => eb.not(IS_CORRECTED))
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('decisions as d')
              .select('d.id')
              .whereRef('d.manualSubmissionId', '=', 's.id')
              .where(COMPLETE),
          ),
        ),
      )
      .orderBy('s.createdAt')
      .limit($('limit')),
  ),
);

const PAYOUT_CASE = statement((db, $: Given<Wanted>) =>
  counted(
    db,
    db
      .selectFrom('reconciliation_cases')
      .select(['applicationId', 'createdAt as since'])
      .where('state', '<>', 'RESOLVED')
      .where('mode', '=', $('mode'))
      .orderBy('createdAt')
      .limit($('limit')),
  ),
);

const PARKED_EVENT = statement((db, $: Given<Wanted>) =>
  counted(
    db,
    db
      .selectFrom('webhook_events')
      .select(['applicationId', 'createdAt as since'])
      .where('deliveryStatus', '=', 'PARKED')
      .where('mode', '=', $('mode'))
      .orderBy('id')
      .limit($('limit')),
  ),
);

const DISABLED_ENDPOINT = statement((db, $: Given<Wanted>) =>
  counted(
    db,
    db
      .selectFrom('webhook_endpoints')
      .select((eb) => ['applicationId', eb.ref('disabledAt').$notNull().as('since')])
      .where('disabledAt', 'is not', null)
      .where('mode', '=', $('mode'))
      .orderBy('disabledAt')
      .limit($('limit')),
  ),
);

/** A change of both modes is shown in each. */
const CHANGES = statement((db, $: Given<Wanted & { kinds: readonly ChangeKind[] }>) =>
  counted(
    db,
    db
      .selectFrom('pending_changes')
      .select(['applicationId', 'createdAt as since'])
      .where('status', '=', 'PENDING')
      .where('expiresAt', '>', now)
      .where('proposedByOperatorId', '<>', $('operatorId'))
      .where((eb) => eb('kind', '=', eb.fn.any($('kinds'))))
      .where((eb) => eb.or([eb('mode', 'is', null), eb('mode', '=', $('mode'))]))
      .orderBy('createdAt')
      .limit($('limit')),
  ),
);

/** The sweeper looks at what is due every half minute. What it has not looked at for ten, it cannot. */
const OVERDUE_SWEEP = statement((db, $: Given<Wanted>) => {
  const overdue = sql<boolean>`next_sweep_at <= now() - interval '10 minutes'`;
  const payments = db
    .selectFrom('payments')
    .select(['applicationId', 'nextSweepAt as since'])
    .where('status', 'in', OPEN_STATUSES)
    .where('mode', '=', $('mode'))
    .where(overdue);
  const refunds = db
    .selectFrom('refunds')
    .select(['applicationId', 'nextSweepAt as since'])
    .where('status', 'in', OPEN_REFUND_STATUSES)
    .where('mode', '=', $('mode'))
    .where(overdue);
  const callbacks = db
    .selectFrom('gateway_callbacks')
    .select((eb) => [eb.ref('applicationId').$notNull().as('applicationId'), 'nextSweepAt as since'])
    .where('consumedAt', 'is', null)
    .where('paymentId', 'is not', null)
    .where('mode', '=', $('mode'))
    .where(overdue);
  const events = db
    .selectFrom('webhook_events')
    .select((eb) => ['applicationId', eb.ref('nextSweepAt').$notNull().as('since')])
    .where('deliveryStatus', '<>', 'DELIVERED')
    .where('nextSweepAt', 'is not', null)
    .where('mode', '=', $('mode'))
    .where(overdue);
  return counted(
    db,
    payments.unionAll(refunds).unionAll(callbacks).unionAll(events).orderBy('since').limit($('limit')),
  );
});

type CountedRow = RowOf<typeof REFUND_APPROVAL>;

const STATEMENTS = {
  REFUND_APPROVAL,
  PAYMENT_REVIEW,
  REFUND_REVIEW,
  UNAPPLIED_PAYMENT,
  MANUAL_SUBMISSION,
  PAYOUT_CASE,
  PARKED_EVENT,
  DISABLED_ENDPOINT,
  OVERDUE_SWEEP,
} as const;

/** Counts what of one kind waits for an operator in their view, by application, of at most the oldest `COUNTED_MAX`. */
export async function countWaiting(
  statements: Statements,
  kind: InboxKind,
  asked: Omit<Wanted, 'limit'>,
): Promise<InboxCount[]> {
  return (await rowsOf(statements, kind, { ...asked, limit: COUNTED_MAX })).map(
    ({ hour, day, week, older, ...count }) => ({
      ...count,
      ages: [hour, day, week, older],
    }),
  );
}

function rowsOf(statements: Statements, kind: InboxKind, wanted: Wanted): Promise<readonly CountedRow[]> {
  switch (kind) {
    case 'PENDING_CHANGE':
      return CHANGES.all(statements, { ...wanted, kinds: APPLICATION_CHANGES });
    case 'PENDING_OPERATOR_CHANGE':
      return CHANGES.all(statements, { ...wanted, kinds: OPERATOR_CHANGES });
    case 'PENDING_RECONCILIATION_CHANGE':
      return CHANGES.all(statements, { ...wanted, kinds: RECONCILIATION_CHANGES });
    default:
      return STATEMENTS[kind].all(statements, wanted);
  }
}
