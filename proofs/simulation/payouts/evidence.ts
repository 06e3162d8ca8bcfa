import { verifyLedger } from '../../../core/ledger/verify/verify.ts';
import { readEvidence } from '../../../scripts/commands/read-evidence.ts';
import { payoutEvidence, type PayoutEvidence } from '../../faults/payout-evidence.ts';
import type { Books } from '../../kills/books.ts';
import type { PgliteServer } from '../pglite/server.ts';
import { readEveryRow, readVerdicts } from './books.ts';
import type { PayoutGateway } from './gateway.ts';
import type { FinancePeople } from './people.ts';

/** A file that was uploaded, and what became of it. */
export interface FileEnd {
  readonly reference: string;
  /** Rows of the file as it was sent. */
  readonly rows: number;
  readonly state: string;
  readonly rowsRead: number;
  /** Rows that became a line or an entry, were known, or were rejected. */
  readonly rowsTold: number;
  readonly rejections: number;
}

/** A payout, by what the database adds up itself. */
export interface PayoutSums {
  readonly payout: string;
  readonly linesMinor: string;
  readonly bankMinor: string | null;
  readonly entriesMinor: string | null;
  /** Of its lines, by the status and reason of each. A line that nothing is said of is in none. */
  readonly labelledMinor: string;
  readonly summedMinor: string;
}

/** A workflow and how it ended. */
export interface WorkflowEnd {
  readonly workflowId: string;
  readonly type: string;
  readonly status: string;
  /** Whether somebody asked it to stop. */
  readonly cancelRequested: boolean;
}

/** What a story leaves behind. */
export interface PayoutStoryEvidence {
  readonly payouts: PayoutEvidence;
  /** The gateway's own count of each line that it has paid out and that can be read, by the line's name. */
  readonly paidOut: ReadonlyMap<string, number>;
  readonly stored: ReadonlyMap<string, number>;
  readonly files: readonly FileEnd[];
  readonly sums: readonly PayoutSums[];
  readonly verified: readonly string[];
  readonly runningRuns: readonly string[];
  readonly workflows: readonly WorkflowEnd[];
  /** What was not at rest when the next act began. */
  readonly restless: readonly string[];
  readonly wrong: readonly string[];
  readonly verdicts: Books;
  readonly everyRow: Books;
}

const FILES = `select reference, state, rows_read as "rowsRead", lines_added + lines_known + lines_rejected as "rowsTold",
  (select count(*)::int from payout_file_rejections j where j.file_id = f.id) as rejections from payout_files f where kind <> 'api' order by id`;

const SUMS = `select o.gateway_reference as payout, o.lines_minor::text as "linesMinor", o.bank_minor::text as "bankMinor",
  (select sum(amount_minor)::text from bank_entries b where b.payout_id = o.id) as "entriesMinor",
  (select coalesce(sum(l.minor), 0)::text from (
     select r.status, r.reason, sum(n.net_minor) as minor from payout_lines n join reconciliation_results r on r.line_id = n.id
     where n.payout_id = o.id and r.status in ('MATCHED', 'FLAGGED', 'DEFERRED') group by 1, 2) l) as "labelledMinor",
  (select coalesce(sum(n.net_minor), 0)::text from payout_lines n where n.payout_id = o.id) as "summedMinor"
  from payouts o where itemized order by 1`;

export async function gatherEvidence(
  server: PgliteServer,
  { gateway, people }: { readonly gateway: PayoutGateway; readonly people: FinancePeople },
): Promise<Omit<PayoutStoryEvidence, 'workflows' | 'restless' | 'wrong'>> {
  const run = (<Row extends object>(sql: string, values?: readonly unknown[]) =>
    server.read<Row>(sql, values)) as Parameters<typeof payoutEvidence>[0]['run'];
  const stored = await server.read<{ name: string; times: number }>(
    `select line_reference as name, count(*)::int as times from payout_lines group by 1`,
  );
  const paidOut = new Map<string, number>();
  for (const { id } of gateway.rows) {
    if (id !== null) {
      paidOut.set(id, (paidOut.get(id) ?? 0) + 1);
    }
  }
  const files = await server.read<Omit<FileEnd, 'rows'>>(FILES);
  const { findings } = await verifyLedger(server.database, { readEvidence, witnesses: [] });
  const running = await server.read<{ run: string }>(
    `select gateway || ' ' || period || ', begun ' || created_at || ', at ' || step as run from reconciliation_runs where state = 'RUNNING'`,
  );
  return {
    payouts: await payoutEvidence({ run, close: () => Promise.resolve() }, { unsettled: [], files: [] }),
    paidOut,
    stored: new Map(stored.map(({ name, times }) => [name, times])),
    files: files.map((file) => ({
      ...file,
      rows: people.uploaded.find(({ reference }) => reference === file.reference)?.rows ?? file.rowsRead,
    })),
    sums: await server.read<PayoutSums>(SUMS),
    verified: findings.map(({ check, table, what }) => `${check} ${table} ${what}`),
    runningRuns: running.map(({ run }) => run),
    verdicts: await readVerdicts(server),
    everyRow: await readEveryRow(server),
  };
}
