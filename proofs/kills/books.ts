import type pg from 'pg';

/** What the database knows of payouts, one line of text for each row, without ids, drawn references and times. */
export type Books = readonly string[];

const LEFT_OUT = `'{id,reference,created_at,updated_at,finished_at,next_sweep_at,resolved_at,consumed_at,seconded_at,application_id,
  booked_application_id,store_application_id,operator_id,file_id,payout_id,line_id,run_id,case_id,result_id,mapping_id}'::text[]`;

const LINE_KEY = `encode(n.fingerprint, 'hex') || '/' || n.ordinal`;

const ROWS: Readonly<Record<string, string>> = {
  // What is left of an upload that broke off is removed by the sweeper. Each try of reading an API is a source of its own, and known lines are left out.
  file: `select to_jsonb(f) - ${LEFT_OUT} from payout_files f where f.kind <> 'api' and f.state <> 'UPLOADING'`,
  rejection: `select to_jsonb(j) - ${LEFT_OUT} || jsonb_build_object('file', f.name)
    from payout_file_rejections j join payout_files f on f.id = j.file_id where f.kind <> 'api'`,
  line: `select to_jsonb(n) - ${LEFT_OUT} || jsonb_build_object('file', f.name, 'payout', o.gateway_reference)
    from payout_lines n join payout_files f on f.id = n.file_id left join payouts o on o.id = n.payout_id`,
  payout: `select to_jsonb(o) - ${LEFT_OUT} || jsonb_build_object('app', a.name)
    from payouts o left join applications a on a.id = o.store_application_id`,
  'bank entry': `select to_jsonb(b) - ${LEFT_OUT} || jsonb_build_object('payout', o.gateway_reference)
    from bank_entries b left join payouts o on o.id = b.payout_id`,
  result: `select to_jsonb(r) - ${LEFT_OUT} || jsonb_build_object('line', ${LINE_KEY}, 'app', a.name, 'books', k.name)
    from reconciliation_results r left join payout_lines n on n.id = r.line_id
      left join applications a on a.id = r.application_id left join applications k on k.id = r.booked_application_id`,
  case: `select to_jsonb(c) - ${LEFT_OUT} || jsonb_build_object('line', ${LINE_KEY}, 'movement', r.movement_key, 'payout', o.gateway_reference, 'app', a.name)
    from reconciliation_cases c left join reconciliation_results r on r.id = c.result_id left join payout_lines n on n.id = r.line_id
      left join payouts o on o.id = c.payout_id left join applications a on a.id = c.application_id`,
  'case entry': `select to_jsonb(y) - ${LEFT_OUT} || jsonb_build_object('line', ${LINE_KEY}, 'movement', r.movement_key, 'payout', o.gateway_reference)
    from reconciliation_case_entries y join reconciliation_cases c on c.id = y.case_id left join reconciliation_results r on r.id = c.result_id
      left join payout_lines n on n.id = r.line_id left join payouts o on o.id = c.payout_id`,
  booking: `select to_jsonb(b) - ${LEFT_OUT} || jsonb_build_object('app', a.name, 'payout', o.gateway_reference)
    from payout_bookings b join applications a on a.id = b.application_id left join payouts o on o.id = b.payout_id`,
  'ledger entry': `select jsonb_build_object('app', a.name, 'mode', t.mode, 'currency', t.currency, 'kind', t.kind, 'cause', t.cause_type,
      'of', case t.cause_type when 'payout' then coalesce(o.gateway_reference, 'no payout') else t.cause_id end,
      'postings', (select jsonb_agg(format('%s -> %s %s', d.name, c.name, p.amount_minor) order by d.name, c.name, p.amount_minor)
        from ledger_postings p join ledger_accounts d on d.id = p.debit_account_id join ledger_accounts c on c.id = p.credit_account_id
        where p.transaction_id = t.id))
    from ledger_transactions t join applications a on a.id = t.application_id
      left join payout_bookings b on t.cause_type = 'payout' and b.id::text = t.cause_id left join payouts o on o.id = b.payout_id`,
};

/** Reads the books as the owner, who sees every row. */
export async function readBooks(client: pg.Client): Promise<Books> {
  const books: string[] = [];
  for (const [kind, sql] of Object.entries(ROWS)) {
    const { rows } = await client.query<{ row: string }>(`select s.row::text as row from (${sql}) s (row)`);
    books.push(...rows.map(({ row }) => `${kind} ${row}`));
  }
  return books.toSorted();
}

/** How many rows of each kind. */
export function countsOf(books: Books): Record<string, number> {
  return Object.fromEntries(
    Object.keys(ROWS).map((kind) => [kind, books.filter((line) => line.startsWith(`${kind} {`)).length]),
  );
}

/** Returns each row that one of the books has more often than the other, with its sign. Equal books have none. */
export function differencesOf(undisturbed: Books, killed: Books): string[] {
  const surplus = new Map<string, number>();
  undisturbed.forEach((line) => surplus.set(line, (surplus.get(line) ?? 0) + 1));
  killed.forEach((line) => surplus.set(line, (surplus.get(line) ?? 0) - 1));
  return [...surplus]
    .filter(([, count]) => count !== 0)
    .map(
      ([line, count]) =>
        `${count > 0 ? `missing after the kills` : 'only after the kills'} (${Math.abs(count)} times): ${line}`,
    );
}
