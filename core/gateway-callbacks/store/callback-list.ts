import { expressionBuilder } from 'kysely';
import type { CallbackOutcome } from '../../../database/entities/payment.ts';
import { list, type ListPage, type ListRow, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Given } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';

export interface CallbackFilter {
  readonly mode?: Mode | undefined;
  readonly outcome?: CallbackOutcome | undefined;
  readonly reference?: string | undefined;
  readonly matchedPaymentId?: bigint | undefined;
  readonly gateway?: string | undefined;
  readonly signatureValid?: boolean | undefined;
}

const LIST = list((db, $: Given<ValuesOf<CallbackFilter>>) => {
  const callbacks = db.selectFrom('gateway_callbacks as c');
  const eb = expressionBuilder(callbacks);
  return {
    rows: callbacks.select([
      'c.id',
      'c.gateway',
      'c.mode',
      'c.kind',
      'c.reference',
      'c.paymentId',
      'c.signatureValid',
      'c.outcome',
      'c.note',
      'c.repeats',
      'c.rawPayload',
      'c.createdAt',
    ]),
    conditions: {
      mode: eb('c.mode', '=', $('mode')),
      outcome: eb('c.outcome', '=', $('outcome')),
      // Callbacks of an attempt are found by its payment: an index over the references of all callbacks would cost every payment.
      reference: eb.and([
        eb('c.reference', '=', $('reference')),
        eb.or([
          eb('c.paymentId', 'is', null),
          eb(
            'c.paymentId',
            '=',
            eb.selectFrom('payment_attempts as t').select('t.paymentId').where('t.reference', '=', $('reference')),
          ),
        ]),
      ]),
      matchedPaymentId: eb('c.paymentId', '=', $('matchedPaymentId')),
      gateway: eb('c.gateway', '=', $('gateway')),
      signatureValid: eb('c.signatureValid', '=', $('signatureValid')),
    },
    orders: { id: ['c.id'] },
  };
});

export type ListedCallback = ListRow<typeof LIST>;

/** Returns a page of the callbacks in an operator's view. */
export function listCallbacks(
  statements: Statements,
  { filter, slice }: { readonly filter: CallbackFilter; readonly slice: ListSlice },
): Promise<ListPage<ListedCallback>> {
  return LIST.page(statements, { filter, sortBy: 'id', slice });
}
