import type { NormalSide } from '../../../domain/ledger.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { EntityManager } from '../../../database/connection.ts';
import type { Statements } from '../../../database/statements.ts';

export interface AccountBalance {
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly currency: string;
  readonly account: string;
  readonly normalSide: NormalSide;
  readonly debitsMinor: bigint;
  readonly creditsMinor: bigint;
  /** Positive on the account's normal side. */
  readonly balanceMinor: bigint;
}

interface BalanceRow {
  readonly applicationId: string;
  readonly mode: Mode;
  readonly currency: string;
  readonly account: string;
  readonly normalSide: NormalSide;
  readonly debits: string;
  readonly credits: string;
}

const ACCOUNTS_MAX = 10_000;

/**
 * Returns the balance of every account that the session can see, summed from one snapshot. No stored balance exists that could be wrong or contended.
 * One account costs two index-only scans of its own postings.
 * @throws RangeError for more than 10,000 accounts: filter by application
 */
export async function accountBalances(
  em: Statements,
  filter: { readonly applicationId?: bigint; readonly mode?: Mode; readonly currency?: string } = {},
): Promise<AccountBalance[]> {
  const rows = await em.execute<BalanceRow[]>(
    `select a.application_id::text as "applicationId", a.mode, a.currency, a.name as account, a.normal_side as "normalSide",
       (select coalesce(sum(p.amount_minor), 0) from ledger_postings p where p.debit_account_id = a.id)::text as debits,
       (select coalesce(sum(p.amount_minor), 0) from ledger_postings p where p.credit_account_id = a.id)::text as credits
     from ledger_accounts a
     where (?::bigint is null or a.application_id = ?::bigint) and (?::text is null or a.mode = ?) and (?::text is null or a.currency = ?)
     order by a.application_id, a.mode, a.currency, a.name
     limit ${ACCOUNTS_MAX + 1}`,
    [filter.applicationId, filter.applicationId, filter.mode, filter.mode, filter.currency, filter.currency].map(
      (value) => value ?? null,
    ),
  );
  if (rows.length > ACCOUNTS_MAX) {
    throw new RangeError(`more than ${ACCOUNTS_MAX} accounts: filter by application`);
  }
  return rows.map(({ debits, credits, ...row }) => {
    const debitsMinor = BigInt(debits);
    const creditsMinor = BigInt(credits);
    return {
      ...row,
      applicationId: BigInt(row.applicationId),
      debitsMinor,
      creditsMinor,
      balanceMinor: row.normalSide === 'debit' ? debitsMinor - creditsMinor : creditsMinor - debitsMinor,
    };
  });
}

export interface TrialBalanceLine {
  readonly mode: Mode;
  readonly currency: string;
  readonly postings: bigint;
  readonly debitsMinor: bigint;
  readonly creditsMinor: bigint;
}

interface TrialBalanceRow {
  readonly mode: Mode;
  readonly currency: string;
  readonly postings: string;
  readonly debits: string;
  readonly credits: string;
}

/**
 * Returns the totals of all debit and all credit accounts per mode and currency, from one snapshot. A side counts only accounts of its mode and
 * currency, so the totals differ if an account was deleted or moved despite the constraints.
 */
export async function trialBalance(em: EntityManager): Promise<TrialBalanceLine[]> {
  const rows = await em.execute<TrialBalanceRow[]>(
    `with sums as (
       select debit_account_id, credit_account_id, mode, currency, count(*) as postings, sum(amount_minor) as amount
       from ledger_postings group by 1, 2, 3, 4)
     select s.mode, s.currency, sum(s.postings)::text as postings,
       coalesce(sum(s.amount) filter (where d.id is not null), 0)::text as debits,
       coalesce(sum(s.amount) filter (where c.id is not null), 0)::text as credits
     from sums s
       left join ledger_accounts d on d.id = s.debit_account_id and d.mode = s.mode and d.currency = s.currency
       left join ledger_accounts c on c.id = s.credit_account_id and c.mode = s.mode and c.currency = s.currency
     group by s.mode, s.currency order by s.mode, s.currency`,
  );
  return rows.map(({ mode, currency, postings, debits, credits }) => ({
    mode,
    currency,
    postings: BigInt(postings),
    debitsMinor: BigInt(debits),
    creditsMinor: BigInt(credits),
  }));
}
