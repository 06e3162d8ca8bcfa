import { expressionBuilder, type Kysely } from 'kysely';
import { notFound } from '../../../domain/errors.ts';
import { now } from '../../../database/expressions.ts';
import { list, type ListPage, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

/** Applications `a` with their webhook endpoints of LIVE, `w`, and TEST, `t`. */
function withEndpoints(db: Kysely<Tables>) {
  return db
    .selectFrom('applications as a')
    .innerJoin('webhook_endpoints as w', (join) => join.onRef('w.applicationId', '=', 'a.id').on('w.mode', '=', 'LIVE'))
    .innerJoin('webhook_endpoints as t', (join) =>
      join.onRef('t.applicationId', '=', 'a.id').on('t.mode', '=', 'TEST'),
    );
}

function applications(db: Kysely<Tables>) {
  return withEndpoints(db)
    .select([
      'a.id',
      'a.name',
      'a.status',
      'w.url as webhookUrl',
      'w.disabledAt as webhookDisabledAt',
      'w.disabledReason as webhookDisabledReason',
      't.disabledAt as testWebhookDisabledAt',
      't.disabledReason as testWebhookDisabledReason',
      'a.refundApprovalThresholdMinor',
      'a.refundApprovalThresholds',
      'a.receiptsEnabled',
      'a.minAmountMinor',
      'a.maxAmountMinor',
      'a.expiryMinutes',
      'a.rateLimitPerMinute',
      'a.unappliedPaymentPolicy',
      'a.refundedInvoices',
      'a.returnOrigins',
      'a.gatewaysAllowed',
      'a.checkoutGateways',
      'a.shadhinpayEvents',
      'a.shadhinpayClientId',
      'a.shadhinpayBusinessId',
      'a.createdAt',
      'a.updatedAt',
    ])
    .select((eb) =>
      // Null: events of TEST go to `webhookUrl`.
      eb.case().when(eb.not('t.followsLive')).then(eb.ref('t.url')).end().as('testWebhookUrl'),
    );
}

interface ApplicationFilter {
  readonly status: 'ACTIVE' | 'DISABLED' | undefined;
  /** A part of it. */
  readonly name: string | undefined;
}

const LIST = list((db, $: Given<ValuesOf<ApplicationFilter>>) => {
  const eb = expressionBuilder(withEndpoints(db));
  return {
    rows: applications(db),
    conditions: {
      status: eb('a.status', '=', $('status')),
      name: eb(
        eb.fn<number>('strpos', [eb.fn('lower', ['a.name']), eb.fn('lower', [eb.cast($('name'), 'text')])]),
        '>',
        0,
      ),
    },
    orders: { createdAt: ['a.createdAt', 'a.id'] },
  };
});

export function listApplications(
  statements: Statements,
  { slice, ...filter }: ApplicationFilter & { readonly slice: ListSlice },
): Promise<ListPage<ApplicationRow>> {
  return LIST.page(statements, { filter, sortBy: 'createdAt', slice });
}

const READ = statement((db, $: Given<{ id: bigint }>) => applications(db).where('a.id', '=', $('id')));

/** An application with its webhook endpoints, as operators see it. Contains no secret. */
export type ApplicationRow = RowOf<typeof READ>;

/** Throws RESOURCE_NOT_FOUND if the operator's view has no such application. */
export async function readApplication(statements: Statements, id: bigint): Promise<ApplicationRow> {
  const row = await READ.first(statements, { id });
  if (row === undefined) {
    throw notFound('application');
  }
  return row;
}

const SET_STATUS = statement((db, $: Given<{ id: bigint; status: 'ACTIVE' | 'DISABLED' }>) =>
  db
    .updateTable('applications')
    .set({ status: $('status'), updatedAt: now })
    .where('id', '=', $('id'))
    .returning('id'),
);

/** Throws RESOURCE_NOT_FOUND. */
export async function setApplicationStatus(
  statements: Statements,
  id: bigint,
  status: 'ACTIVE' | 'DISABLED',
): Promise<void> {
  if ((await SET_STATUS.first(statements, { id, status })) === undefined) {
    throw notFound('application');
  }
}
