import type pg from 'pg';
import { readBooks, type Books } from '../../kills/books.ts';
import type { PgliteServer } from '../pglite/server.ts';

/**
 * What is said in the end of each line, payment, refund and payout, whatever was said before. It has no ids and times, and not which of several equal
 * lines came first.
 */
const VERDICTS: Readonly<Record<string, string>> = {
  line: `select jsonb_build_object('line', encode(n.fingerprint, 'hex'), 'status', r.status, 'reason', r.reason, 'of', r.movement_key,
      'payout', o.gateway_reference, 'net', n.net_minor)
    from payout_lines n left join reconciliation_results r on r.line_id = n.id left join payouts o on o.id = n.payout_id`,
  movement: `select jsonb_build_object('movement', r.movement_key, 'status', r.status, 'reason', r.reason)
    from reconciliation_results r where r.line_id is null and not r.superseded`,
  payout: `select jsonb_build_object('payout', gateway_reference, 'currency', currency, 'status', status, 'lines', lines, 'sum', lines_minor, 'bank', bank_minor)
    from payouts`,
  case: `select jsonb_build_object('kind', c.kind, 'reason', c.reason, 'amount', c.amount_minor, 'line', encode(n.fingerprint, 'hex'),
      'movement', r.movement_key, 'payout', o.gateway_reference)
    from reconciliation_cases c left join reconciliation_results r on r.id = c.result_id left join payout_lines n on n.id = r.line_id
      left join payouts o on o.id = c.payout_id where c.state <> 'RESOLVED'`,
  balance: `select jsonb_build_object('app', p.name, 'account', a.name, 'currency', a.currency,
      'minor', sum(case a.id when g.debit_account_id then g.amount_minor else -g.amount_minor end))
    from ledger_accounts a join applications p on p.id = a.application_id join ledger_postings g on a.id in (g.debit_account_id, g.credit_account_id)
    group by p.name, a.name, a.currency
    having sum(case a.id when g.debit_account_id then g.amount_minor else -g.amount_minor end) <> 0`,
};

export async function readVerdicts(server: PgliteServer): Promise<Books> {
  const verdicts: string[] = [];
  for (const [kind, sql] of Object.entries(VERDICTS)) {
    const rows = await server.read<{ row: string }>(`select s.row::text as row from (${sql}) s (row)`);
    verdicts.push(...rows.map(({ row }) => `${kind} ${row}`));
  }
  return verdicts.toSorted();
}

/** Reads every row of payouts, also what was said before. */
export function readEveryRow(server: PgliteServer): Promise<Books> {
  const client = { query: async (sql: string) => ({ rows: await server.read(sql) }) };
  return readBooks(client as unknown as pg.Client);
}
