import { expressionBuilder, sql, type Expression, type QueryCreator } from 'kysely';
import type { DeliveryStatus } from '../../../domain/webhook.ts';
import { later } from '../../../database/expressions.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { Tables } from '../../../database/tables.ts';

/** One row, `endpoint`, that says whether events of an application can be sent at present. */
export function endpointOf(
  q: QueryCreator<Tables>,
  { applicationId, mode }: { readonly applicationId: Expression<bigint>; readonly mode: Expression<Mode> },
) {
  return q
    .selectNoFrom((eb) =>
      eb
        .exists(
          eb
            .selectFrom('webhook_endpoints')
            .select('applicationId')
            .where('applicationId', '=', eb.cast<bigint>(applicationId, 'bigint'))
            .where('mode', '=', mode)
            .where('url', 'is not', null)
            .where('disabledAt', 'is', null),
        )
        .$castTo<boolean>()
        .as('usable'),
    )
    .as('endpoint');
}

/** Columns of a new event: it is parked if the endpoint is not usable. */
export function deliveryBy(usable: Expression<boolean>) {
  const eb = expressionBuilder<Tables>();
  return {
    deliveryStatus: eb
      .case()
      .when(usable)
      .then(sql.lit<DeliveryStatus>('PENDING'))
      .else(sql.lit<DeliveryStatus>('PARKED'))
      .end(),
    lastError: eb.case().when(eb.not(usable)).then('NO_ENDPOINT').end(),
    nextSweepAt: eb.case().when(usable).then(later('30 seconds')).end(),
  };
}
