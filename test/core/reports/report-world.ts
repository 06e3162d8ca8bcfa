import { openDatabase, openOrm, type Database, type PooledDatabase } from '../../../database/connection.ts';
import { readReport, type Report, type ReportRequest } from '../../../core/reports/read-report.ts';
import { summarizeEnded } from '../../../core/reports/sweep.ts';
import { calendarIn, type Calendar } from '../../../domain/calendar.ts';
import type { AppView } from '../../../domain/permissions.ts';
import { createTestDatabase } from '../../support/database.ts';
import { countDirectly, type CountedPayment, type CountedRefund } from './direct-count.ts';

type Row = Record<string, unknown>;

export interface NewPayment {
  readonly applicationId: bigint;
  readonly mode: 'TEST' | 'LIVE';
  readonly currency: string;
  readonly gateway: string | null;
  readonly amountMinor: bigint;
  readonly at: string;
}

/** A database whose payments and refunds are written at times that the test chooses, oldest first, as if it ran for weeks. */
export interface ReportWorld {
  readonly database: PooledDatabase;
  rows(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  application(): Promise<bigint>;
  /** Writes an open payment and returns its id. */
  payment(given: NewPayment): Promise<string>;
  endPayment(
    id: string,
    end: { readonly status: string; readonly at: string; readonly gateway: string | null },
  ): Promise<void>;
  /** Writes a refund that succeeded, of unapplied money if so. */
  refund(
    paymentId: string,
    given: { readonly at: string; readonly amountMinor: bigint; readonly ofUnapplied: boolean },
  ): Promise<string>;
  undoRefund(id: string, at: string): Promise<void>;
  /** Lets everything that ended before this time be summarized, as if every transaction that began before it had ended. */
  completeUntil(at: string): Promise<void>;
  summarize(
    calendar: Calendar,
    options?: { readonly batchMax?: number; readonly database?: Database },
  ): Promise<number>;
  report(calendar: Calendar, request: ReportRequest, view?: AppView): Promise<Report>;
  /** Counts the same from all rows, with none of the product's code. */
  direct(
    timeZone: string,
    request: ReportRequest & { readonly from: string; readonly to: string },
    applications: readonly bigint[],
  ): Promise<unknown[]>;
  /** Begins a transaction as the owner. */
  begin(): Promise<{ execute(sql: string, values?: readonly unknown[]): Promise<unknown>; commit(): Promise<void> }>;
  /** Ends the transaction that keeps everything from being complete. */
  release(): Promise<void>;
  close(): Promise<void>;
}

export async function openReportWorld(): Promise<ReportWorld> {
  const { url, drop } = await createTestDatabase();
  const database = await openDatabase({ url, poolSize: 5 });
  const owner = await openOrm({ url, role: 'owner', poolSize: 3 });
  // As long as it is open, nothing is complete but by the test.
  const held = owner.em.fork();
  await held.begin();
  await held.execute('select 1');
  // Without triggers and foreign keys: a refund of unapplied money then needs no unapplied payment.
  const rows = (sql: string, values: readonly unknown[] = []): Promise<Row[]> =>
    owner.em.fork().transactional(async (em) => {
      await em.execute('set local session_replication_role = replica');
      return em.execute<Row[]>(sql, [...values]);
    });
  const idOf = async (sql: string, values: readonly unknown[]): Promise<string> => {
    const [row] = await rows(`${sql} returning id::text`, values);
    return String(row?.['id']);
  };
  return {
    database,
    rows,
    application: async () => BigInt(await idOf(`insert into applications (name) values ('Shop')`, [])),
    payment: ({ applicationId, mode, currency, gateway, amountMinor, at }) =>
      idOf(
        `insert into payments (application_id, mode, reference, amount_minor, currency, customer_reference, gateway, gateway_choices, expires_at,
           next_sweep_at, created_at)
         values (?, ?, 'pay_' || gen_random_uuid(), ?, ?, 'c', ?::text, '{bkash}', now(), now(), ?::timestamptz)`,
        [applicationId, mode, amountMinor, currency, gateway, at],
      ),
    async endPayment(id, { status, at, gateway }) {
      await rows(
        `update payments set status = ?, ended_at = ?::timestamptz, gateway = ?::text,
           paid_at = case when ? = 'SUCCEEDED' then ?::timestamptz end, fee_minor = case when ? = 'SUCCEEDED' then amount_minor / 40 end
         where id = ?::bigint and ended_at is null`,
        [status, at, gateway, status, at, status, id],
      );
    },
    refund: (paymentId, { at, amountMinor, ofUnapplied }) =>
      idOf(
        `insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, gateway, store_id, gateway_txn_id,
           created_by_type, ended_at, succeeded_at, unapplied_payment_id)
         select application_id, mode, id, 'ref_' || left(md5(random()::text), 22), 'SUCCEEDED', ?, currency, gateway, 's', 't', 'APP',
           ?::timestamptz, ?::timestamptz, case when ? then 1 end
         from payments where id = ?::bigint`,
        [amountMinor, at, at, ofUnapplied, paymentId],
      ),
    async undoRefund(id, at) {
      await rows(
        `update refunds set status = 'FAILED', ended_at = ?::timestamptz where id = ?::bigint and status = 'SUCCEEDED'`,
        [at, id],
      );
    },
    async completeUntil(at) {
      await rows(`update report_progress set complete_until = ?::timestamptz`, [at]);
    },
    summarize: (calendar, { database: through = database, ...options } = {}) =>
      summarizeEnded({ database: through, calendar }, options),
    report: (calendar, request, view = 'every-app') =>
      database.withOperator(view, (em) => readReport(em, calendar, request)),
    async direct(timeZone, request, applications) {
      const ids = [`{${applications.join(',')}}`];
      const payments = await rows(
        `select application_id::text as application, mode, currency, gateway, status, amount_minor::text as amount, fee_minor::text as fee,
           created_at as created, paid_at as paid, ceil(extract(epoch from paid_at - created_at))::float8 as seconds from payments
         where application_id = any(?::bigint[])`,
        ids,
      );
      const refunds = await rows(
        `select application_id::text as application, mode, currency, gateway, amount_minor::text as amount, succeeded_at as succeeded
         from refunds where status = 'SUCCEEDED' and unapplied_payment_id is null and application_id = any(?::bigint[])`,
        ids,
      );
      return countDirectly(timeZone, request, {
        payments: payments as unknown as CountedPayment[],
        refunds: refunds as unknown as CountedRefund[],
      });
    },
    async begin() {
      const em = owner.em.fork();
      await em.begin();
      await em.execute('select 1');
      return { execute: (sql, values = []) => em.execute(sql, [...values]), commit: () => em.commit() };
    },
    release: () => held.rollback(),
    async close() {
      if (held.isInTransaction()) {
        await held.rollback();
      }
      await owner.close();
      await database.close();
      await drop();
    },
  };
}

export const DHAKA = calendarIn('Asia/Dhaka');

/** Runs transactions that fail at the nth statement, as when their process dies there. */
export function dyingAt(database: Database, nth: number): Database {
  return {
    ...database,
    withSystem: (work) =>
      database.withSystem((em) => {
        let statements = 0;
        return work(
          new Proxy(em, {
            get(target, name) {
              const value: unknown = Reflect.get(target, name);
              if (name !== 'execute' || typeof value !== 'function') {
                return value;
              }
              return async (...given: unknown[]): Promise<unknown> => {
                statements += 1;
                const result: unknown = await Reflect.apply(value, target, given);
                if (statements === nth) {
                  throw new Error('the process died');
                }
                return result;
              };
            },
          }),
        );
      }),
  };
}
