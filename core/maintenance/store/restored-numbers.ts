import { sql } from 'kysely';
import type { Mode } from '../../../domain/mode.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf, type TypedStatement } from '../../../database/typed-statements.ts';

/** Counters and sequences that `npm run restore` moves past what customers and workflows have seen. */

export interface InvoiceCounter {
  readonly applicationId: bigint;
  readonly mode: Mode;
  /** The highest number that a customer has received. */
  readonly number: bigint;
}

/** Numbers that were assigned after the dump was taken. */
export interface SkippedNumbers extends InvoiceCounter {
  readonly from: bigint;
}

const APPLICATIONS_OF = statement((db, $: Given<{ ids: readonly bigint[] }>) =>
  db
    .selectFrom('applications')
    .select('id')
    .where('id', '=', (eb) => eb.fn.any($('ids'))),
);

/** Returns the applications of counters that are missing in the database. */
export async function applicationsMissing(
  statements: Statements,
  counters: readonly InvoiceCounter[],
): Promise<bigint[]> {
  const wanted = [...new Set(counters.map(({ applicationId }) => applicationId))];
  const rows = await APPLICATIONS_OF.all(statements, { ids: wanted });
  return wanted.filter((id) => !rows.some((row) => row.id === id));
}

const COUNTERS = statement((db) =>
  db
    .selectFrom('applications as a')
    .crossJoin(sql<{ mode: Mode }>`(values (${sql.lit('TEST')}), (${sql.lit('LIVE')}))`.as<'m'>(sql`m(mode)`))
    .leftJoin('invoice_counters as c', (join) =>
      join.onRef('c.applicationId', '=', 'a.id').onRef('c.mode', '=', 'm.mode'),
    )
    .select((eb) => [
      'a.id as applicationId',
      'm.mode',
      eb.fn.coalesce('c.lastNumber', sql.lit(0)).$castTo<bigint>().as('number'),
    ])
    .orderBy('a.id')
    .orderBy('m.mode'),
);

/** Returns the invoice counters of every application. */
export function invoiceCounters(statements: Statements): Promise<RowOf<typeof COUNTERS>[]> {
  return COUNTERS.all(statements, {});
}

const LAST_NUMBER = statement((db, $: Given<{ applicationId: bigint; mode: Mode }>) =>
  db
    .selectFrom('applications as a')
    .select((eb) =>
      eb.fn
        .coalesce(
          eb
            .selectFrom('invoice_counters')
            .select('lastNumber')
            .whereRef('applicationId', '=', 'a.id')
            .where('mode', '=', $('mode')),
          sql.lit(0),
        )
        .$castTo<bigint>()
        .as('last'),
    )
    .where('a.id', '=', $('applicationId')),
);

/** Returns the counters below a number that was already assigned, with the numbers in between. Applications that are lost are left out. */
export async function countersBehind(
  statements: Statements,
  counters: readonly InvoiceCounter[],
): Promise<SkippedNumbers[]> {
  const behind: SkippedNumbers[] = [];
  for (const { applicationId, mode, number } of counters) {
    const row = await LAST_NUMBER.first(statements, { applicationId, mode });
    if (row !== undefined && row.last < number) {
      behind.push({ applicationId, mode, number, from: row.last + 1n });
    }
  }
  return behind;
}

const RECORD_LOST = statement((db, $: Given<SkippedNumbers>) =>
  db.insertInto('lost_invoice_numbers').values({
    applicationId: $('applicationId'),
    mode: $('mode'),
    firstNumber: $('from'),
    lastNumber: $('number'),
  }),
);

const MOVE_COUNTER = statement((db, $: Given<InvoiceCounter>) =>
  db
    .insertInto('invoice_counters')
    .values({ applicationId: $('applicationId'), mode: $('mode'), lastNumber: $('number') })
    .onConflict((conflict) =>
      conflict.columns(['applicationId', 'mode']).doUpdateSet((eb) => ({
        lastNumber: eb.fn<bigint>('greatest', ['invoice_counters.lastNumber', 'excluded.lastNumber']),
      })),
    ),
);

/**
 * Moves a counter past the lost numbers and records them, so that the ledger's verification knows why no invoice has them. Call it in a transaction.
 */
export async function skipNumbers(statements: Statements, skipped: SkippedNumbers): Promise<void> {
  await RECORD_LOST.all(statements, skipped);
  await MOVE_COUNTER.all(statements, skipped);
}

/** More events than a payment or an invoice can have had since the dump was taken. */
const EVENT_GAP = 1_000;
const ROWS_AT_ONCE = 5_000;

type RaisedPage = TypedStatement<{ after: bigint }, { last: bigint | null; rows: number }>;

function raiseIn(table: 'payments' | 'invoices'): RaisedPage {
  return statement((db, $: Given<{ after: bigint }>) =>
    db
      .with('page', (q) =>
        q.selectFrom(table).select('id').where('id', '>', $('after')).orderBy('id').limit(ROWS_AT_ONCE),
      )
      .with('raised', (q) =>
        q
          .updateTable(table)
          .set((eb) => ({ eventSequence: eb('eventSequence', '+', EVENT_GAP) }))
          .where('id', 'in', (eb) => eb.selectFrom('page').select('id')),
      )
      .selectFrom('page')
      .select((eb) => [
        eb.fn.max<bigint | null>('page.id').as('last'),
        eb.cast<number>(eb.fn.countAll(), 'integer').as('rows'),
      ]),
  );
}

const RAISED = { payments: raiseIn('payments'), invoices: raiseIn('invoices') } as const;

/**
 * Raises the number of the last event of the next payments or invoices after this id, past those of lost events: receivers have seen them, and ignore
 * an event with a smaller number as stale. Returns the last id of the page, or null after the last one.
 */
export async function raiseEventSequences(
  statements: Statements,
  table: keyof typeof RAISED,
  after: bigint,
): Promise<{ readonly last: bigint | null; readonly rows: number }> {
  return (await RAISED[table].first(statements, { after })) ?? { last: null, rows: 0 };
}

export interface MovedSequence {
  readonly name: string;
  readonly from: bigint;
  readonly to: bigint;
}

const APPLICATIONS = 'applications_id_seq';

/** Returns where each id sequence would be moved: `gap` further. The applications' sequence starts at `application` or above. */
export async function sequencesMoved(
  statements: Statements,
  { gap, application }: { readonly gap: bigint; readonly application: bigint },
): Promise<MovedSequence[]> {
  // SQL text, because a system view has no entity.
  const rows = await statements.execute<{ name: string; last: string }[]>(
    `select sequencename::text as name, coalesce(last_value, 0)::text as last from pg_sequences
     where schemaname = 'public' and data_type = 'bigint'::regtype order by sequencename`,
  );
  return rows.map(({ name, last }) => {
    const from = BigInt(last);
    const base = name === APPLICATIONS && application > from ? application : from;
    return { name, from, to: base + gap };
  });
}

/** Moves a sequence forward, never back. Must run as the owner. */
export async function moveSequence(statements: Statements, { name, to }: MovedSequence): Promise<void> {
  // SQL text, because the name of the sequence is a parameter.
  await statements.execute(
    `select setval(format('public.%I', ?::text)::regclass, greatest(?::bigint, (select coalesce(last_value, 0) from pg_sequences
       where schemaname = 'public' and sequencename = ?)))`,
    [name, to, name],
  );
}
