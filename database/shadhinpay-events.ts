import type { Statements } from './statements.ts';

/** Which events of ShadhinPay's contract a business has chosen to hear; null for those that are told by default. */
export async function subscribedEvents(statements: Statements, applicationId: bigint): Promise<string[] | null> {
  const [row] = await statements.execute<{ events: string | null }[]>(
    'select array_to_json(shadhinpay_events)::text as events from applications where id = ?',
    [applicationId],
  );
  return typeof row?.events === 'string' ? (JSON.parse(row.events) as string[]) : null;
}
