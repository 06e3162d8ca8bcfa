import { expressionBuilder, sql } from 'kysely';
import { recordsOf, rowOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { BankStatement } from '../../../domain/payouts/bank-entry.ts';

interface StatementsToAdd {
  readonly mode: Mode;
  readonly fileId: bigint;
  /** A JSON array. */
  readonly statements: string;
}

const ADD = statement((db, $: Given<StatementsToAdd>) => {
  const source = db.selectFrom(
    recordsOf($('statements'), 'w', {
      number: 'integer',
      account: 'text',
      currency: 'text',
      opening: 'bigint',
      openedon: 'date',
      closing: 'bigint',
      closedon: 'date',
    }),
  );
  const eb = expressionBuilder(source);
  const row = rowOf('bank_statements', {
    mode: $('mode'),
    fileId: eb.cast<bigint>($('fileId'), 'bigint'),
    number: eb.ref('w.number'),
    account: eb.ref('w.account'),
    currency: eb.ref('w.currency'),
    openingMinor: eb.ref('w.opening'),
    openedOn: eb.ref('w.openedon'),
    closingMinor: eb.ref('w.closing'),
    closedOn: eb.ref('w.closedon'),
  });
  return db
    .insertInto('bank_statements')
    .columns(row.columns)
    .expression(source.select(row.values).orderBy('w.number'))
    .onConflict((conflict) => conflict.columns(['fileId', 'number']).doNothing());
});

/** Stores the balances of a file's statements. Stored again, they stay as they are. */
export async function addStatements(
  em: Statements,
  { statements, ...file }: Omit<StatementsToAdd, 'statements'> & { readonly statements: readonly BankStatement[] },
): Promise<void> {
  const records = statements.map((one, index) => ({
    number: index + 1,
    account: one.account,
    currency: one.currency,
    opening: one.openingMinor.toString(),
    openedon: one.openedOn,
    closing: one.closingMinor.toString(),
    closedon: one.closedOn,
  }));
  await ADD.all(em, { ...file, statements: JSON.stringify(records) });
}

/**
 * Statement `b` of the same account may stand before `s`: its file was imported to its end, of one file and day the earlier one counts, and it is no
 * second copy of `s`.
 */
const MAY_PRECEDE = sql<boolean>`(b.mode, b.account, b.currency) = (s.mode, s.account, s.currency)
  and b.closed_on <= s.opened_on
  and g.state = 'IMPORTED'
  and (b.file_id <> s.file_id or b.number < s.number or b.closed_on < s.closed_on)
  and (b.opened_on, b.closed_on, b.opening_minor, b.closing_minor) is distinct from (s.opened_on, s.closed_on, s.opening_minor, s.closing_minor)`;

/**
 * Banks date an opening balance with the day of the statement or with that of the closing balance before. So what closed on that day counts, and what
 * closed last before it.
 */
const CLOSED_JUST_BEFORE = sql<boolean>`(b.closed_on = s.opened_on or b.closed_on = (
  select max(o.closed_on) from bank_statements o join payout_files q on q.id = o.file_id
  where (o.mode, o.account, o.currency) = (s.mode, s.account, s.currency) and o.closed_on < s.opened_on and q.state = 'IMPORTED'))`;

const GAPS_MAX = 20;

const GAPS = statement((db, $: Given<{ ids: string }>) =>
  db
    .selectFrom('payout_files as f')
    .innerJoinLateral(
      (of) =>
        of
          .selectFrom('bank_statements as s')
          .innerJoinLateral(
            (before) =>
              before
                .selectFrom('bank_statements as b')
                .innerJoin('payout_files as g', 'g.id', 'b.fileId')
                .select(['b.closedOn', 'b.closingMinor'])
                .where(MAY_PRECEDE)
                .orderBy('b.closedOn', 'desc')
                .orderBy('b.id', 'desc')
                .limit(1)
                .as('last'),
            (join) => join.onTrue(),
          )
          .select([
            's.number',
            's.account',
            's.currency',
            's.openingMinor',
            's.openedOn',
            'last.closingMinor as beforeMinor',
            'last.closedOn as beforeOn',
          ])
          .whereRef('s.fileId', '=', 'f.id')
          .where((eb) =>
            eb.not(
              eb.exists(
                eb
                  .selectFrom('bank_statements as b')
                  .innerJoin('payout_files as g', 'g.id', 'b.fileId')
                  .select('b.id')
                  .where(MAY_PRECEDE)
                  .whereRef('b.closingMinor', '=', 's.openingMinor')
                  .where(CLOSED_JUST_BEFORE),
              ),
            ),
          )
          .orderBy('s.number')
          .limit(GAPS_MAX)
          .as('gap'),
      (join) => join.onTrue(),
    )
    .select(['f.id as fileId'])
    .selectAll('gap')
    .where((eb) => sql<boolean>`${eb.ref('f.id')} = any(${$('ids')}::bigint[])`)
    .where('f.state', '=', 'IMPORTED')
    .orderBy('f.id')
    .orderBy('gap.number'),
);

/** A statement that does not open with the balance with which the one before it closed. */
export type StatementGap = RowOf<typeof GAPS>;

/**
 * Returns the first gaps before statements of imported files, as things are now: a file that comes later may close one. The first statement of an
 * account has nothing before it, and no gap.
 */
export async function statementGaps(em: Statements, fileIds: readonly bigint[]): Promise<StatementGap[]> {
  return fileIds.length === 0 ? [] : GAPS.all(em, { ids: `{${fileIds.join(',')}}` });
}
