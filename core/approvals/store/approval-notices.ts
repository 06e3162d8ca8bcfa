import { constantSpan, latestOf, now, plus, recordsOf, span } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { ApprovalKind } from '../../../domain/approval.ts';
import type { Grant } from '../../../domain/permissions.ts';
import { GRANTS, grantsOf } from '../../operators/store/grants.ts';

/** One thing that waits, for one operator. */
export interface ApprovalNotice {
  readonly operatorId: bigint;
  readonly kind: ApprovalKind;
  readonly subjectId: bigint;
}

export interface PossibleApprover {
  readonly id: bigint;
  readonly grants: readonly Grant[];
}

/** An operator gets one email about everything that began to wait in this time. */
const EMAIL_EVERY = '15 minutes';
const NOTICES_OF_EMAIL_MAX = 100;

const TOLD = statement((db, $: Given<{ subjects: string }>) =>
  db
    .selectFrom('approval_notices as n')
    .innerJoin(recordsOf($('subjects'), 'w', { kind: 'text', id: 'bigint' }), (join) =>
      join.onRef('w.kind', '=', 'n.kind').onRef('w.id', '=', 'n.subjectId'),
    )
    .select(['n.kind', 'n.subjectId']),
);

/** Returns those of which somebody was told, or is about to be. */
export async function toldOf(
  statements: Statements,
  subjects: readonly { readonly kind: ApprovalKind; readonly id: bigint }[],
): Promise<RowOf<typeof TOLD>[]> {
  const records = subjects.map(({ kind, id }) => ({ kind, id: id.toString() }));
  return TOLD.all(statements, { subjects: JSON.stringify(records) });
}

const OPERATORS = statement((db) =>
  db
    .selectFrom('operators as o')
    .select(['o.id', GRANTS])
    .where('o.status', '=', 'ACTIVE')
    .where('o.passwordHash', 'is not', null),
);

/** Returns the operators who have logged in, or could, with what their roles allow. */
export async function possibleApprovers(statements: Statements): Promise<PossibleApprover[]> {
  return (await OPERATORS.all(statements, {})).map(({ id, grants }) => ({ id, grants: grantsOf(grants) }));
}

const ADD = statement((db, $: Given<{ notices: string }>) =>
  db
    .insertInto('approval_notices')
    .columns(['operatorId', 'kind', 'subjectId', 'emailDueAt'])
    .expression(
      db
        .selectFrom(recordsOf($('notices'), 'w', { operator: 'bigint', kind: 'text', subject: 'bigint' }))
        .select((eb) => [
          'w.operator',
          eb.ref('w.kind').$castTo<ApprovalKind>().as('kind'),
          'w.subject',
          // The greatest of those that are not null.
          latestOf(
            now,
            eb
              .selectFrom('approval_notices as m')
              .select((last) =>
                plus(last.fn.max(last.ref('m.mailedAt').$notNull()), constantSpan(EMAIL_EVERY)).as('at'),
              )
              .whereRef('m.operatorId', '=', 'w.operator')
              .$asScalar(),
          ).as('emailDueAt'),
        ]),
    )
    .onConflict((conflict) => conflict.columns(['operatorId', 'kind', 'subjectId']).doNothing()),
);

/** Schedules emails. Not later than a quarter of an hour after the operator's last one. */
export async function addNotices(statements: Statements, notices: readonly ApprovalNotice[]): Promise<void> {
  const records = notices.map(({ operatorId, kind, subjectId }) => ({
    operator: operatorId.toString(),
    kind,
    subject: subjectId.toString(),
  }));
  await ADD.all(statements, { notices: JSON.stringify(records) });
}

const LOCK_DUE = statement((db) =>
  db
    .selectFrom('approval_notices as n')
    .innerJoin('operators as o', 'o.id', 'n.operatorId')
    .select(['o.id', 'o.email', 'o.status', GRANTS])
    .where('n.emailDueAt', '<=', now)
    .orderBy('n.emailDueAt')
    .limit(1)
    .forUpdate('n')
    .skipLocked(),
);

const TAKE = statement((db, $: Given<{ operatorId: bigint; pauseSeconds: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('approval_notices')
        .select('id')
        .where('operatorId', '=', $('operatorId'))
        .where('emailDueAt', '<=', now)
        .orderBy('id')
        .limit(NOTICES_OF_EMAIL_MAX)
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('approval_notices as n')
    .from('due')
    .set((eb) => ({
      emailTries: eb('n.emailTries', '+', 1),
      emailDueAt: plus(now, span($('pauseSeconds'), 'second')),
    }))
    .whereRef('n.id', '=', 'due.id')
    .returning(['n.id', 'n.kind', 'n.subjectId', 'n.emailTries as tries']),
);

export interface DueEmail {
  readonly operator: PossibleApprover & { readonly email: string; readonly isActive: boolean };
  readonly notices: readonly RowOf<typeof TAKE>[];
}

/**
 * Takes what one operator is to be told, and schedules the next try before this one is made. Returns null if nobody is to be told anything. Must run as
 * the system.
 */
export async function takeDueEmail(
  statements: Statements,
  { pauseSeconds }: { readonly pauseSeconds: number },
): Promise<DueEmail | null> {
  const due = await LOCK_DUE.first(statements, {});
  if (due === undefined) {
    return null;
  }
  const { id, email, status, grants } = due;
  const notices = await TAKE.all(statements, { operatorId: id, pauseSeconds });
  return { operator: { id, email, isActive: status === 'ACTIVE', grants: grantsOf(grants) }, notices };
}

const END = statement((db, $: Given<{ ids: readonly bigint[]; sent: boolean }>) =>
  db
    .updateTable('approval_notices')
    .set((eb) => ({ emailDueAt: null, mailedAt: eb.case().when($('sent')).then(now).end() }))
    .where((eb) => eb('id', '=', eb.fn.any($('ids')))),
);

/** Ends notices: the operator was told, or never will be. */
export async function endNotices(
  statements: Statements,
  { ids, sent }: { readonly ids: readonly bigint[]; readonly sent: boolean },
): Promise<void> {
  await END.all(statements, { ids, sent });
}
