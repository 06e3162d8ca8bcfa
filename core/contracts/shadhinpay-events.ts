import type { Statements } from '../../database/statements.ts';

/** Returns the events of ShadhinPay's contract to which a business has subscribed; null for the defaults. */
export async function subscribedEvents(statements: Statements, applicationId: bigint): Promise<string[] | null> {
  const [row] = await statements.execute<{ events: string | null }[]>(
    'select array_to_json(shadhinpay_events)::text as events from applications where id = ?',
    [applicationId],
  );
  return typeof row?.events === 'string' ? (JSON.parse(row.events) as string[]) : null;
}
