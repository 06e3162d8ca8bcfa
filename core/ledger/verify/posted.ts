import type { Finding } from './findings.ts';
import type { LedgerTransaction, Posting } from '../../../domain/ledger.ts';
import type { Mode } from '../../../domain/mode.ts';

/** A ledger transaction as `postedJson` reads it. */
export interface PostedTransaction {
  readonly id: string;
  readonly applicationId: string;
  readonly mode: Mode;
  readonly currency: string;
  readonly reversedBy: string | null;
  readonly postings: readonly PostedPosting[] | null;
}

export interface PostedPosting {
  readonly id: string;
  readonly debit: string | null;
  readonly credit: string | null;
  readonly amount: string;
}

/**
 * Returns a SQL expression for the ledger transaction `alias` with its postings as one JSON value. Amounts and ids are text, since JSON numbers are
 * not exact.
 */
export function postedJson(alias: string): string {
  return `jsonb_build_object('id', ${alias}.id::text, 'applicationId', ${alias}.application_id::text, 'mode', ${alias}.mode,
    'currency', ${alias}.currency,
    'reversedBy', (select r.id::text from ledger_transactions r where r.reverses_id = ${alias}.id limit 1),
    'postings', (select jsonb_agg(jsonb_build_object('id', po.id::text, 'debit', da.name, 'credit', ca.name,
        'amount', po.amount_minor::text) order by po.id)
      from ledger_postings po
        left join ledger_accounts da on da.id = po.debit_account_id
        left join ledger_accounts ca on ca.id = po.credit_account_id
      where po.transaction_id = ${alias}.id))`;
}

export interface Difference {
  readonly table: 'ledger_transactions' | 'ledger_postings';
  readonly id: string;
  readonly what: string;
}

/** Returns the first difference between a stored ledger transaction and the expected one, or null. */
export function differenceFrom(expected: LedgerTransaction, posted: PostedTransaction): Difference | null {
  const owner = `${expected.applicationId} ${expected.mode} ${expected.currency}`;
  const postedOwner = `${posted.applicationId} ${posted.mode} ${posted.currency}`;
  if (owner !== postedOwner) {
    return inTransaction(posted, `belongs to ${postedOwner}, but its cause belongs to ${owner} (app, mode, currency)`);
  }
  const postings = posted.postings ?? [];
  for (const [index, posting] of postings.entries()) {
    const wanted = expected.postings[index];
    if (wanted === undefined) {
      return inPosting(posting, `is a posting that its cause does not explain: ${textOf(posting)}`);
    }
    if (textOf(posting) !== expectedText(wanted)) {
      return inPosting(posting, `is ${textOf(posting)}, but its cause requires ${expectedText(wanted)}`);
    }
  }
  const missing = expected.postings[postings.length];
  return missing === undefined ? null : inTransaction(posted, `lacks a posting: ${expectedText(missing)}`);
}

function inTransaction(posted: PostedTransaction, what: string): Difference {
  return { table: 'ledger_transactions', id: posted.id, what };
}

function inPosting(posting: PostedPosting, what: string): Difference {
  return { table: 'ledger_postings', id: posting.id, what };
}

function textOf({ debit, credit, amount }: PostedPosting): string {
  return `debit ${debit ?? '?'}, credit ${credit ?? '?'}, ${amount}`;
}

function expectedText({ debit, credit, amountMinor }: Posting): string {
  return `debit ${debit}, credit ${credit}, ${amountMinor}`;
}

type Bad = Omit<Finding, 'check'>;

/** Returns what is wrong with a stored transaction compared to `expected`, or null. A reversed one counts as wrong. */
export function postedFinding({
  name,
  posted,
  expected,
  bad,
}: {
  readonly name: string;
  readonly posted: PostedTransaction;
  readonly expected: () => LedgerTransaction;
  readonly bad: (what: string) => Bad;
}): Bad | null {
  let transaction: LedgerTransaction;
  try {
    transaction = expected();
  } catch {
    return bad('has a gross amount and a fee that cannot be posted');
  }
  const difference = differenceFrom(transaction, posted);
  if (difference !== null) {
    return { ...difference, what: `${difference.what} (${name})` };
  }
  return posted.reversedBy === null
    ? null
    : {
        table: 'ledger_transactions',
        id: posted.id,
        what: `of ${name} was reversed by transaction ${posted.reversedBy}`,
      };
}
