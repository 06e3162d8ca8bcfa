import type pg from 'pg';
import { z } from 'zod';
import { BUSINESS_TIME_ZONE } from '../../domain/calendar.ts';
import type { MeasuredStack } from '../measured-stack.ts';
import { SEEDED_FROM } from './seed.ts';

/** Rows of each kind that operators look for. Their number is the same in both stages, as the rows of a page and the entries of a count are. */
const EXCEPTIONS = 50;

/** The searches of operators that the dashboard offers, and what they are called in the report. */
export const OPERATOR_READS = {
  payments: 'operators: payments, newest first',
  byStatus: `operators: ${EXCEPTIONS} partially refunded payments`,
  byAmount: 'operators: payments, largest first',
  byReference: 'operators: a payment by its reference',
  byApplication: 'operators: payments of one application',
  byCustomer: 'operators: payments of a customer of one application',
  callbacks: 'operators: callbacks, newest first',
  forged: `operators: ${EXCEPTIONS} forged callbacks`,
  callbacksOf: 'operators: callbacks by the reference of an attempt',
  events: 'operators: events, newest first',
  parked: `operators: ${EXCEPTIONS} parked events`,
  refunds: 'operators: refunds, newest first',
  failedRefunds: `operators: ${EXCEPTIONS} failed refunds`,
  detail: 'operators: a payment with everything of it, explained',
  report: 'operators: the report of 31 days, by day',
  wideReport: 'operators: the report of 31 days, by day, application and gateway',
} as const;
export type OperatorRead = keyof typeof OPERATOR_READS;

/** Turns some of the seeded rows into what operators search for. */
export async function writeExceptions(database: pg.Pool): Promise<void> {
  const some = (condition: string) =>
    `id in (select id from payments where ${condition} order by id limit ${EXCEPTIONS})`;
  await database.query(`update payments set status = 'PARTIALLY_REFUNDED' where ${some(`status = 'SUCCEEDED'`)}`);
  await database.query(
    `update webhook_events set delivery_status = 'PARKED' where id in (select id from webhook_events order by id limit ${EXCEPTIONS})`,
  );
  await database.query(
    `update gateway_callbacks set outcome = 'FORGED', signature_valid = false
     where id in (select id from gateway_callbacks order by id limit ${EXCEPTIONS})`,
  );
  await database.query(
    `insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, gateway, store_id, gateway_txn_id,
       failure_code, created_by_type, ended_at, created_at)
     select application_id, mode, id, 'ref_' || left(md5('refund' || id), 22), 'FAILED', amount_minor, currency, gateway, 'lenden_test',
       gateway_txn_id, 'DECLINED', 'APP', now(), created_at
     from payments where ${some(`status = 'SUCCEEDED'`)}`,
  );
  // A payment of each application on each of the 30 days before, so that a report that ends with the first seeded day adds up as many summaries in
  // each stage.
  await database.query(
    `insert into payments (application_id, mode, reference, status, amount_minor, currency, customer_reference, gateway, expires_at, next_sweep_at,
       created_at, ended_at)
     select a.id, 'TEST', 'pay_' || md5('reported' || a.id || ' ' || day), 'EXPIRED', 10000, 'BDT', 'reported', 'sslcommerz', now(), now(),
       p.created_at - day * interval '1 day', p.created_at - day * interval '1 day'
     from applications a, payments p, generate_series(1, 30) day where a.name like 'Seeded %' and p.id = ${SEEDED_FROM}`,
  );
  await database.query('vacuum analyze payments, webhook_events, gateway_callbacks, refunds');
}

const LoggedIn = z.object({ data: z.object({ token: z.string() }) });
const Known = z.object({
  id: z.string(),
  reference: z.string(),
  attempt: z.string(),
  applicationId: z.string(),
  customer: z.string(),
  firstDay: z.string(),
});

/** Returns a function for each read, which makes the request that the dashboard makes. */
export async function operatorReads({
  dev,
  database,
}: MeasuredStack): Promise<Record<OperatorRead, () => Promise<void>>> {
  const { api } = dev;
  const { email, password } = dev.operators.find(({ role }) => role === 'Super Admin') ?? { email: '', password: '' };
  const login = await fetch(`${api}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  const { token } = LoggedIn.parse(await login.json()).data;
  const { rows } = await database.query(
    `select p.id::text, p.reference, a.reference as attempt, p.application_id::text as "applicationId", p.customer_reference as customer,
       (select (created_at at time zone '${BUSINESS_TIME_ZONE}')::date::text from payments where id = ${SEEDED_FROM}) as "firstDay"
     from payments p join payment_attempts a on a.payment_id = p.id where p.status = 'SUCCEEDED' order by p.id limit 1`,
  );
  const known = Known.parse(rows[0]);
  const reported = `reports/payments?mode=TEST&to=${known.firstDay}`;
  const get = (path: string) => async (): Promise<void> => {
    const answer = await fetch(`${api}/admin/${path}`, { headers: { authorization: `Bearer ${token}` } });
    const text = await answer.text();
    if (answer.status !== 200) {
      throw new Error(`GET /admin/${path}: ${answer.status} ${text.slice(0, 200)}`);
    }
  };
  return {
    payments: get('payments'),
    byStatus: get('payments?status=PARTIALLY_REFUNDED'),
    byAmount: get('payments?sortBy=amountMinor'),
    byReference: get(`payments?reference=${known.reference}`),
    byApplication: get(`payments?applicationId=${known.applicationId}`),
    byCustomer: get(`payments?applicationId=${known.applicationId}&mode=TEST&customerRefId=${known.customer}`),
    callbacks: get('gateway-callbacks'),
    forged: get('gateway-callbacks?outcome=FORGED'),
    callbacksOf: get(`gateway-callbacks?reference=${known.attempt}`),
    events: get('webhooks'),
    parked: get('webhooks?deliveryStatus=PARKED'),
    refunds: get('refunds'),
    failedRefunds: get('refunds?status=FAILED'),
    detail: get(`payments/${known.id}`),
    report: get(reported),
    wideReport: get(`${reported}&group=application,gateway`),
  };
}
