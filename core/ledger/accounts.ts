import { expressionBuilder, sql } from 'kysely';
import type { Scope } from '../../database/connection.ts';
import { rowOf } from '../../database/expressions.ts';
import type { Statements } from '../../database/statements.ts';
import { statement, type Given } from '../../database/typed-statements.ts';
import { normalSideOf, type LedgerTransaction, type NormalSide } from '../../domain/ledger.ts';

/** The scope and currency whose accounts a transaction uses. */
export interface AccountsOf extends Scope {
  readonly currency: string;
}

interface WantedAccount {
  readonly name: string;
  readonly side: NormalSide;
}

/** Inserted in a fixed order, so that two first postings of one application cannot deadlock. */
const INSERT_ACCOUNTS = statement((db, $: Given<AccountsOf & { accounts: string }>) => {
  const source = db
    .selectFrom(sql<WantedAccount>`jsonb_to_recordset(${$('accounts')}::jsonb)`.as<'w'>(sql`w(name text, side text)`))
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('ledger_accounts as a')
            .select('a.id')
            .where('a.applicationId', '=', $('applicationId'))
            .where('a.mode', '=', $('mode'))
            .where('a.currency', '=', $('currency'))
            .whereRef('a.name', '=', 'w.name'),
        ),
      ),
    )
    .orderBy('w.name');
  const eb = expressionBuilder(source);
  const row = rowOf('ledger_accounts', {
    applicationId: eb.cast<bigint>($('applicationId'), 'bigint'),
    mode: $('mode'),
    currency: $('currency'),
    name: eb.ref('w.name'),
    normalSide: eb.ref('w.side'),
  });
  return db
    .insertInto('ledger_accounts')
    .columns(row.columns)
    .expression(source.select(row.values))
    .onConflict((conflict) => conflict.columns(['applicationId', 'mode', 'currency', 'name']).doNothing());
});

export async function insertMissingAccounts(statements: Statements, transaction: LedgerTransaction): Promise<void> {
  const { applicationId, mode, currency } = transaction;
  const accounts = accountNames(transaction).map((name): WantedAccount => ({ name, side: normalSideOf(name) }));
  await INSERT_ACCOUNTS.all(statements, { applicationId, mode, currency, accounts: JSON.stringify(accounts) });
}

/** Returns the names of the accounts in a transaction's postings. */
export function accountNames({ postings }: LedgerTransaction): string[] {
  return [...new Set(postings.flatMap(({ debit, credit }) => [debit, credit]))].sort();
}
