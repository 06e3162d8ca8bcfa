import { later, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import { OPEN_REFUND_STATUSES, type RefundStatus } from '../../../domain/refund.ts';
import { refundHandleOf, type RefundHandle } from '../../dispatch.ts';

/** A refund within JSON, where 64-bit integers are text. */
interface SweptRefundJson {
  readonly reference: string;
  readonly applicationId: string;
  readonly applicationName: string;
  readonly mode: Mode;
  readonly amountMinor: string;
  readonly currency: string;
  readonly gateway: string;
  readonly status: RefundStatus;
}

export function sweptRefundOf({ applicationName, ...refund }: SweptRefundJson): RefundHandle {
  const applicationId = BigInt(refund.applicationId);
  const amountMinor = BigInt(refund.amountMinor);
  return refundHandleOf({ ...refund, applicationId, amountMinor }, applicationName);
}

const TAKE_DUE = statement((db, $: Given<{ max: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('refunds')
        .select('id')
        .where('status', 'in', OPEN_REFUND_STATUSES)
        .where('nextSweepAt', '<=', now)
        .orderBy('nextSweepAt')
        .limit($('max'))
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('refunds as r')
    .from(['due', 'applications as a'])
    .set({ nextSweepAt: later('10 minutes') })
    .whereRef('r.id', '=', 'due.id')
    .whereRef('a.id', '=', 'r.applicationId')
    .returning([
      'r.reference',
      'r.applicationId',
      'a.name as applicationName',
      'r.mode',
      'r.amountMinor',
      'r.currency',
      'r.gateway',
      'r.status',
    ]),
);

/** Takes open refunds that are due for a check, and postpones their next one by ten minutes. */
export async function takeDueRefunds(statements: Statements, max: number): Promise<RefundHandle[]> {
  return (await TAKE_DUE.all(statements, { max })).map(({ applicationName, ...refund }) =>
    refundHandleOf(refund, applicationName),
  );
}

const FIND_OPEN = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom('refunds')
    .select('id')
    .where('reference', '=', $('reference'))
    .where('status', 'in', OPEN_REFUND_STATUSES),
);

export async function isRefundOpen(statements: Statements, reference: string): Promise<boolean> {
  return (await FIND_OPEN.first(statements, { reference })) !== undefined;
}
