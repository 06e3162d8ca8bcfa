import { createHash, randomBytes } from 'node:crypto';
import { advanceRun } from '../../../core/reconciliation/advance-run.ts';
import { openRun } from '../../../core/reconciliation/store/runs.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../../domain/calendar.ts';
import type { Mode } from '../../../domain/mode.ts';
import { createApplication, openLedger, type LedgerFixture } from '../ledger/ledger-fixture.ts';

export const CALENDAR = calendarIn(BUSINESS_TIME_ZONE);
/** SSLCOMMERZ's settlement records state the net only, so tests of fees use the settings of another gateway. */
export const GATEWAY = 'sslcommerz';

export interface LineGiven {
  readonly kind?: string;
  readonly gatewayTxnId?: string | null;
  readonly attemptReference?: string | null;
  readonly lineReference?: string | null;
  readonly grossMinor?: bigint;
  readonly feeMinor?: bigint;
  readonly taxMinor?: bigint;
  readonly currency?: string;
  readonly originalCurrency?: string | null;
  readonly exchangeRate?: string | null;
  readonly storeId?: string;
  readonly payout?: string | null;
  readonly period?: string;
  /** Who says it: a person's file unless stated. */
  readonly source?: 'lines' | 'api';
}

export interface Result {
  readonly id: string;
  readonly status: string;
  readonly reason: string | null;
  readonly detail: string;
  readonly line: string | null;
  readonly movement: string | null;
  readonly application: string | null;
  readonly booked: Record<string, string> | null;
}

export interface ReconciliationWorld {
  readonly ledger: LedgerFixture;
  readonly applicationId: bigint;
  today(): string;
  /** Stores lines as an import does. Returns their ids. */
  addLines(lines: readonly LineGiven[], mode?: Mode): Promise<string[]>;
  /** Says what the bank received for a payout. */
  receive(payout: string, bankMinor: bigint): Promise<void>;
  /** Runs the reconciliation of a day to its end. */
  run(
    period?: string,
    mode?: Mode,
  ): Promise<{ readonly parts: number; readonly balanced: boolean | null; readonly problem: string | null }>;
  results(): Promise<Result[]>;
  cases(): Promise<{ kind: string; reason: string; state: string; amount: string; resolution: string | null }[]>;
  /** Balance by account, debits minus credits, of all applications; in another currency than taka, its name follows the account's. */
  balances(): Promise<Record<string, string>>;
  close(): Promise<void>;
}

export async function openReconciliation(): Promise<ReconciliationWorld> {
  const ledger = await openLedger();
  const applicationId = await createApplication(ledger.database);
  const query = <Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
    ledger.database.withSystem((em) => em.execute<Row[]>(text, [...values]));
  const deps = {
    database: ledger.database,
    calendar: CALENDAR,
    gateways: { capabilities: () => ({ feeKnown: 'with-the-charge' as const, disputes: 'none' as const }) },
  };
  const today = (): string => CALENDAR.today(new Date());
  return {
    ledger,
    applicationId,
    today,
    async addLines(lines, mode = 'TEST') {
      const ids: string[] = [];
      const files = new Map<string, string>();
      for (const line of lines) {
        const { storeId = 'store', source = 'lines' } = line;
        const known = files.get(`${storeId} ${source}`);
        const [file] =
          known !== undefined
            ? [{ id: known }]
            : await query<{ id: string }>(
                `insert into payout_files (reference, mode, gateway, store_id, kind, format, name, state)
                 values (?, ?, ?, ?, ?, 'csv', 'day.csv', 'IMPORTED') returning id::text`,
                [`pof_${randomBytes(11).toString('hex')}`, mode, GATEWAY, storeId, source],
              );
        files.set(`${storeId} ${source}`, file?.id ?? '');
        ids.push(await addLine(query, { fileId: file?.id ?? '', mode, today: today() }, line));
      }
      return ids;
    },
    async receive(payout, bankMinor) {
      await query(
        `update payouts set status = 'PAID', bank_minor = ?::bigint, needs_booking = true where gateway_reference = ?`,
        [bankMinor, payout],
      );
    },
    async run(period = today(), mode = 'TEST') {
      const run = await ledger.database.withSystem((em) =>
        openRun(em, {
          reference: `rec_${randomBytes(11).toString('hex')}`,
          mode,
          gateway: GATEWAY,
          period,
          operatorId: null,
        }),
      );
      let parts = 0;
      while ((await advanceRun(deps, run.reference)).goesOn) {
        parts += 1;
      }
      const [ended] = await query<{ balanced: boolean | null; problem: string | null }>(
        `select ledger_balanced as balanced, problem from reconciliation_runs where reference = ?`,
        [run.reference],
      );
      return { parts, balanced: ended?.balanced ?? null, problem: ended?.problem ?? null };
    },
    results: () =>
      query<Result>(
        `select id::text, status, reason, detail, line_id::text as line, movement_key as movement, application_id::text as application,
           booked::jsonb as booked from reconciliation_results where not superseded order by coalesce(line_id, 0), movement_key`,
      ),
    cases: () =>
      query(
        `select kind, reason, state, amount_minor::text as amount, resolution from reconciliation_cases order by id`,
      ),
    async balances() {
      const rows = await query<{ name: string; balance: string }>(
        `select a.name || case a.currency when 'BDT' then '' else ' ' || a.currency end as name,
           sum(case a.id when p.debit_account_id then p.amount_minor else -p.amount_minor end)::text as balance
         from ledger_accounts a join ledger_postings p on a.id in (p.debit_account_id, p.credit_account_id) group by 1 order by 1`,
      );
      return Object.fromEntries(
        rows.filter(({ balance }) => balance !== '0').map(({ name, balance }) => [name, balance]),
      );
    },
    close: () => ledger.close(),
  };
}

type Query = <Row extends object>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

async function addLine(
  query: Query,
  { fileId, mode, today }: { readonly fileId: string; readonly mode: Mode; readonly today: string },
  line: LineGiven,
): Promise<string> {
  const {
    kind = 'CHARGE',
    gatewayTxnId = null,
    attemptReference = null,
    lineReference = null,
    grossMinor = 0n,
    feeMinor = 0n,
    taxMinor = 0n,
    currency = 'BDT',
    originalCurrency = null,
    exchangeRate = null,
    storeId = 'store',
    payout = 'P1',
    period = today,
  } = line;
  const netMinor = grossMinor - feeMinor - taxMinor;
  const payoutId =
    payout === null ? null : await addToPayout(query, { payout, mode, storeId, currency, netMinor, period });
  const [row] = await query<{ id: string }>(
    `insert into payout_lines (mode, gateway, store_id, payout_id, file_id, file_line, fingerprint, ordinal, period, kind, payout_reference, line_reference,
       gateway_txn_id, attempt_reference, currency, gross_minor, fee_minor, tax_minor, net_minor, original_currency, exchange_rate, paid_out_on)
     values (?, ?, ?, ?::bigint, ?::bigint, 1, ?, 1, ?::date, ?, ?, ?, ?, ?, ?, ?::bigint, ?::bigint, ?::bigint, ?::bigint, ?, ?, ?::date)
     returning id::text`,
    [
      mode,
      GATEWAY,
      storeId,
      payoutId,
      fileId,
      createHash('sha256').update(randomBytes(8)).digest().subarray(0, 16),
      period,
      kind,
      payout,
      lineReference,
      gatewayTxnId,
      attemptReference,
      currency,
      grossMinor,
      feeMinor,
      taxMinor,
      netMinor,
      originalCurrency,
      exchangeRate,
      period,
    ],
  );
  return row?.id ?? '';
}

async function addToPayout(
  query: Query,
  added: { payout: string; mode: Mode; storeId: string; currency: string; netMinor: bigint; period: string },
): Promise<string> {
  const { payout, mode, storeId, currency, netMinor, period } = added;
  const [row] = await query<{ id: string }>(
    `insert into payouts (reference, mode, gateway, store_id, gateway_reference, currency, arrives_on, lines, lines_minor)
     values (?, ?, ?, ?, ?, ?, ?::date, 1, ?::bigint)
     on conflict (mode, gateway, store_id, gateway_reference, currency) do update
       set lines = payouts.lines + 1, lines_minor = payouts.lines_minor + excluded.lines_minor returning id::text`,
    [`po_${randomBytes(11).toString('hex')}`, mode, GATEWAY, storeId, payout, currency, period, netMinor],
  );
  return row?.id ?? '';
}
