import type { Finding } from '../../core/ledger/verify/findings.ts';
import type { LedgerReport } from '../../core/ledger/verify/verify.ts';
import { toDecimalText } from '../../domain/money.ts';

/** Everything that `npm run verify` found; bigints become decimal text in JSON. */
export interface VerifyReport extends Omit<LedgerReport, 'findings' | 'findingCount'> {
  readonly ok: boolean;
  readonly findingCount: number;
  readonly findings: readonly Finding[];
  readonly notices: readonly string[];
  /** Number of heads compared that the sealer recorded in Temporal; null if Temporal was not asked. */
  readonly witnesses: number | null;
  /** Number of heads from log files compared; null without --heads. */
  readonly heads: number | null;
  /** Number of charges queried at the gateways; null without --ask. */
  readonly asked: number | null;
}

export function reportInJson(report: VerifyReport): string {
  return JSON.stringify(report, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

/** The sealer runs every 30 s, so an older unsealed tail means that it is not running. */
export const TAIL_SECONDS_MAX = 60;

export function reportInWords(report: VerifyReport): string {
  const { chain, unsealed, trialBalance, findings, findingCount } = report;
  return [
    line(
      'chain',
      `${count(chain.seals, 'seal')}, ${count(chain.sealedTransactions, 'transaction')}, ${count(chain.sealedRows, 'row')}; ` +
        `head ${chain.head.sealId} ${chain.head.hash.slice(0, 16)}…`,
    ),
    line(
      'witness',
      report.witnesses === null ? 'not asked' : `${count(report.witnesses, 'head')} recorded by the sealer compared`,
    ),
    ...(report.heads === null ? [] : [line('heads', `${count(report.heads, 'logged head')} compared`)]),
    line(
      'unsealed',
      unsealed.oldestSeconds === null
        ? 'nothing'
        : `${count(unsealed.transactions, 'transaction')}, the oldest ${Math.round(unsealed.oldestSeconds)} s old`,
    ),
    ...trialBalance.map(({ mode, currency, postings, debitsMinor, creditsMinor }) => {
      const [debits, credits] = [debitsMinor, creditsMinor].map((amountMinor) => decimal(amountMinor, currency));
      return line(
        'balance',
        `${mode} ${currency}: debits ${debits} ${debits === credits ? '=' : '≠'} credits ${credits}, ${count(postings, 'posting')}`,
      );
    }),
    line(
      'payments',
      `${report.paidPayments} paid, ${report.unappliedPayments} unapplied and ${report.refunds} refunds compared with ledger and stored evidence; ${report.invoices} invoices compared with their payments`,
    ),
    line('gateway', report.asked === null ? 'not queried (use --ask)' : `queried for ${count(report.asked, 'charge')}`),
    ...report.notices.map((notice) => line('note', notice)),
    '',
    ...(findingCount === 0
      ? ['No findings: the ledger is proven.']
      : [`FOUND ${findingCount}, the first bad row first:`, ...findings.map(inWords)]),
    ...(findingCount > findings.length ? [`… and ${findingCount - findings.length} more`] : []),
  ].join('\n');
}

function inWords({ check, table, id, what }: Finding, index: number): string {
  return `${String(index + 1).padStart(3)}. [${check}] ${table} ${id} ${what}`;
}

function line(name: string, text: string): string {
  return `${name.padEnd(10)}${text}`;
}

function count(number: bigint | number, noun: string): string {
  return `${number} ${noun}${BigInt(number) === 1n ? '' : 's'}`;
}

/** An unknown currency is reported as a finding elsewhere, but its amount must still be shown here. */
function decimal(amountMinor: bigint, currency: string): string {
  try {
    return toDecimalText({ amountMinor, currency });
  } catch {
    return `${amountMinor} (minor units)`;
  }
}
