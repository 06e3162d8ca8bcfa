import { randomBytes } from 'node:crypto';
import type { Statements } from '../../database/statements.ts';
import { statement, type Given } from '../../database/typed-statements.ts';
import { notFound } from '../../domain/errors.ts';
import type { Business } from './port.ts';

const SUBSCRIBED_EVENTS = statement((db, $: Given<{ applicationId: bigint }>) =>
  db.selectFrom('applications').select('shadhinpayEvents').where('id', '=', $('applicationId')),
);

/** Returns the events of ShadhinPay's contract to which a business has subscribed; null for the defaults. */
export async function subscribedEvents(statements: Statements, applicationId: bigint): Promise<string[] | null> {
  return (await SUBSCRIBED_EVENTS.first(statements, { applicationId }))?.shadhinpayEvents ?? null;
}

const NAME_BUSINESS = statement((db, $: Given<{ applicationId: bigint; newClientId: string; newBusinessId: string }>) =>
  db
    .updateTable('applications')
    .set((eb) => ({
      shadhinpayClientId: eb.fn.coalesce('shadhinpayClientId', $('newClientId')),
      shadhinpayBusinessId: eb.fn.coalesce('shadhinpayBusinessId', $('newBusinessId')),
    }))
    .where('id', '=', $('applicationId'))
    .returning((eb) => [
      eb.ref('shadhinpayClientId').$notNull().as('clientId'),
      eb.ref('shadhinpayBusinessId').$notNull().as('businessId'),
    ]),
);

/** Returns the identifiers of an application's business. They are created with the first key and never changed. */
export async function businessOf(statements: Statements, applicationId: bigint): Promise<Business> {
  const business = await NAME_BUSINESS.first(statements, {
    applicationId,
    newClientId: `HM_${randomBytes(4).toString('hex')}`,
    newBusinessId: `HB_${randomBytes(4).toString('hex')}`,
  });
  if (business === undefined) {
    throw notFound('application');
  }
  return business;
}
