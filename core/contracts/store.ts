import { randomBytes } from 'node:crypto';
import type { Statements } from '../../database/statements.ts';
import { notFound } from '../../domain/errors.ts';
import type { Business } from './port.ts';

/** Returns the events of ShadhinPay's contract to which a business has subscribed; null for the defaults. */
export async function subscribedEvents(statements: Statements, applicationId: bigint): Promise<string[] | null> {
  const [row] = await statements.execute<{ events: string | null }[]>(
    'select array_to_json(shadhinpay_events)::text as events from applications where id = ?',
    [applicationId],
  );
  return typeof row?.events === 'string' ? (JSON.parse(row.events) as string[]) : null;
}

/** Returns the identifiers of an application's business. They are created with the first key and never changed. */
export async function businessOf(statements: Statements, applicationId: bigint): Promise<Business> {
  const [row] = await statements.execute<{ client_id: string; business_id: string }[]>(
    `update applications set shadhinpay_client_id = coalesce(shadhinpay_client_id, ?),
       shadhinpay_business_id = coalesce(shadhinpay_business_id, ?)
     where id = ?::bigint returning shadhinpay_client_id as client_id, shadhinpay_business_id as business_id`,
    [`HM_${randomBytes(4).toString('hex')}`, `HB_${randomBytes(4).toString('hex')}`, applicationId],
  );
  if (row === undefined) {
    throw notFound('application');
  }
  return { clientId: row.client_id, businessId: row.business_id };
}
