import { expressionBuilder, sql, type AliasableExpression, type Expression, type QueryCreator } from 'kysely';
import { FIRST_ATTEMPT_LEASE_MS, type DeliveryStatus } from '../../../domain/webhook.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { Scope } from '../../../database/connection.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

/** Why the events of an application cannot be sent at present. */
export type EndpointTrouble = 'NO_ENDPOINT' | 'ENDPOINT_DISABLED';

/** One row about the endpoint of an application, `w`, whether or not it exists: `trouble` is null if events can be sent to it. */
export function endpointOf(
  q: QueryCreator<Tables>,
  { applicationId, mode }: { readonly applicationId: Expression<bigint>; readonly mode: Expression<Mode> },
) {
  return q
    .selectFrom(q.selectNoFrom((eb) => eb.lit(1).as('one')).as('one'))
    .leftJoin('webhook_endpoints as w', (join) =>
      join.on((eb) =>
        eb.and([eb('w.applicationId', '=', eb.cast<bigint>(applicationId, 'bigint')), eb('w.mode', '=', mode)]),
      ),
    )
    .select((eb) =>
      eb
        .case()
        .when('w.url', 'is', null)
        .then(sql.lit<EndpointTrouble>('NO_ENDPOINT'))
        .when('w.disabledAt', 'is not', null)
        .then(sql.lit<EndpointTrouble>('ENDPOINT_DISABLED'))
        .end()
        .as('trouble'),
    );
}

const TROUBLE = statement((db, $: Given<Scope>) =>
  endpointOf(db, { applicationId: $('applicationId'), mode: $('mode') }),
);

/** Returns why the events of an application cannot be sent at present, or null if they can be. */
export async function readEndpointTrouble(
  statements: Statements,
  { applicationId, mode }: Scope,
): Promise<EndpointTrouble | null> {
  return (await TROUBLE.first(statements, { applicationId, mode }))?.trouble ?? null;
}

/**
 * When the lease of a first attempt that begins now ends, in the row's `next_sweep_at`. It counts from the statement, since its transaction may have waited
 * for locks before. In whole milliseconds, so that a process can name it exactly.
 */
export const leaseUntil = sql<Date>`date_trunc('milliseconds', clock_timestamp()) + interval ${sql.lit(`${FIRST_ATTEMPT_LEASE_MS / 1_000} seconds`)}`;

/** Columns of a new event: it is parked if its endpoint has trouble. */
export function deliveryBy(trouble: AliasableExpression<EndpointTrouble | null>) {
  const eb = expressionBuilder<Tables>();
  const usable = eb(trouble, 'is', null);
  return {
    deliveryStatus: eb
      .case()
      .when(usable)
      .then(sql.lit<DeliveryStatus>('PENDING'))
      .else(sql.lit<DeliveryStatus>('PARKED'))
      .end(),
    lastError: trouble,
    nextSweepAt: eb.case().when(usable).then(leaseUntil).end(),
  };
}
