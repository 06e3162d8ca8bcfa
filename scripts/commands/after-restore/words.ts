import type { LostWorkflow, Restarted, RestoreReport } from './put-right.ts';

const LISTED_MAX = 200;
const NOTHING_NEWER =
  'Temporal has nothing newer than the rows. If Temporal was also restored or is new, give the invoice numbers that customers hold: --invoice-number or --invoice-gap';

export function reportInJson(report: RestoreReport): string {
  return JSON.stringify(report, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

/**
 * Returns whether a person must do something: money may have moved without a row that records it, customers hold numbers of lost invoices, or payout
 * files and runs of reconciliation are lost.
 */
export function needsPerson({ lost, skippedNumbers, refunds, lostRuns }: RestoreReport): boolean {
  return (
    skippedNumbers.length > 0 ||
    lostRuns.length > 0 ||
    lost.some(({ money, kind }) => money || kind === 'payout-import') ||
    refunds.some(({ approvalLost }) => approvalLost)
  );
}

export function reportInWords(report: RestoreReport): string {
  const {
    dryRun,
    since,
    workflows,
    sequences,
    skippedNumbers,
    eventNumbers,
    lost,
    payments,
    refunds,
    lateQueries,
    lostRuns,
  } = report;
  const running = lost.filter((workflow) => workflow.running).length;
  const money = lost.filter((workflow) => workflow.money);
  const filesLost = lost.filter(({ kind }) => kind === 'payout-import');
  const approvalsLost = refunds.filter(({ approvalLost }) => approvalLost);
  return [
    dryRun ? 'Nothing was changed (--dry-run). A real run would do this:' : 'Done:',
    ...(report.living.length === 0
      ? []
      : [line('alive', `${report.living.join(', ')}: stop every API and worker process first`)]),
    line('looked at', `${workflows} workflows that are running or were closed since ${since.toISOString()}`),
    line('numbers', `${sequences.length} sequences moved ahead, each by ${gapOf(report)}`),
    line(
      'events',
      dryRun
        ? 'every payment’s and invoice’s next event gets a larger sequence'
        : `the next events of ${eventNumbers} payments and invoices get larger sequences`,
    ),
    line(
      'orphans',
      `${lost.length} workflows have no row; ${running} of them were running and ${dryRun ? 'would be' : 'have been'} terminated`,
    ),
    line('payments', `${payments.length} open payments restart from their rows${endedBefore(payments)}`),
    line('refunds', `${refunds.length} open refunds restart from their rows${endedBefore(refunds)}`),
    line('unapplied', `the gateways are queried again about ${lateQueries.length} attempts of ended payments`),
    line('invoices', dryRun ? 'every open invoice is checked' : `${report.invoices} open invoices are checked`),
    line(
      'payouts',
      `${report.runs.length} runs of reconciliation go on from their rows; the sweeper continues imports`,
    ),
    line('disputes', `the gateways are asked for those that were opened since ${since.toISOString()}`),
    ...skippedNumbers.map(({ applicationId, mode, from, number }) =>
      line(
        'void',
        `application ${applicationId} ${mode}: invoice numbers ${from} to ${number} were assigned but have no invoice`,
      ),
    ),
    ...(lost.length > 0 || skippedNumbers.length > 0 || lostRuns.length > 0 ? [] : [line('note', NOTHING_NEWER)]),
    ...(money.length === 0
      ? []
      : [
          '',
          'Look these up at their gateways: money may have moved without being recorded in a row.',
          ...shortened(money, moneyInWords),
        ]),
    ...(approvalsLost.length === 0
      ? []
      : [
          '',
          'These refunds await approval again, although they had been approved: the gateway may have them already. Look each one up before you decide.',
          ...approvalsLost.map(({ reference }) => `  refund:${reference}`),
        ]),
    ...(filesLost.length === 0
      ? []
      : [
          '',
          'These payout files came after the dump. Upload them again; no row is stored twice. Their names are lost; `sha256sum` shows which they are.',
          ...shortened(filesLost, fileInWords),
        ]),
    ...(lostRuns.length === 0
      ? []
      : [
          '',
          'These days were reconciled after the dump. Upload the files, then run them again: POST /admin/reconciliation/runs?period=DAY&mode=MODE&gateway=GATEWAY',
          ...shortened(lostRuns, ({ workflowId, startedAt }) => [workflowId, `started ${startedAt.toISOString()}`]),
        ]),
    '',
    dryRun ? 'Run it again without --dry-run.' : 'Now start the workers and APIs, then run: npm run verify -- --ask',
  ].join('\n');
}

function gapOf({ sequences }: RestoreReport): string {
  const gaps = sequences.map(({ from, to }) => to - from);
  return String(gaps.reduce((least, gap) => (gap < least ? gap : least), gaps[0] ?? 0n));
}

function endedBefore(rows: readonly Restarted[]): string {
  const ended = rows.filter(({ before }) => before === 'COMPLETED').length;
  return ended === 0 ? '' : `; ${ended} of them ended after the dump was taken`;
}

function moneyInWords(workflow: LostWorkflow): string[] {
  const { workflowId, applicationId, mode, gateway, amountMinor, status, startedAt, details } = workflow;
  return [
    workflowId,
    `application ${applicationId ?? '?'}`,
    mode ?? '?',
    gateway ?? '?',
    details?.amount ?? `${amountMinor ?? '?'} minor units`,
    status ?? '?',
    `started ${startedAt.toISOString()}`,
    `at the gateway ${details === null || details.gatewayReferences.length === 0 ? '?' : details.gatewayReferences.join(', ')}`,
  ];
}

function fileInWords({ workflowId, mode, gateway, file, startedAt }: LostWorkflow): string[] {
  return [
    workflowId,
    mode ?? '?',
    gateway === null ? 'bank statement' : `${gateway}, store ${file?.storeId ?? '?'}`,
    `uploaded ${startedAt.toISOString()}`,
    `SHA-256 ${file?.sha256 ?? '?'}`,
  ];
}

function shortened<Row>(rows: readonly Row[], inWords: (row: Row) => readonly string[]): string[] {
  const more = rows.length > LISTED_MAX ? [`… and ${rows.length - LISTED_MAX} more (--json lists all)`] : [];
  return [...rows.slice(0, LISTED_MAX).map((row) => ['  ', ...inWords(row)].join('  ')), ...more];
}

function line(name: string, text: string): string {
  return `${name.padEnd(12)}${text}`;
}
