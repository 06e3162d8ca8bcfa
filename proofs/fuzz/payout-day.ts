import { z } from 'zod';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import { addDays } from '../../domain/plain-date.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import { logIn, type ApiOperator, type Person } from '../trade/operator.ts';
import { until } from '../trade/until.ts';
import type { Subject } from './subject.ts';

const GATEWAY = 'sslcommerz';
const STORE = 'lenden_live';
const PAYOUTS = 4;
/** How many cases there are for each operation that uses one up: the first request succeeds, later ones meet what it left. */
const CASES_EACH = 25;
const HEADINGS = 'transactionID,bank_tran_id,tran_date,sett_date,cr_amount';
const CASE = '/admin/reconciliation/cases/{reference}';
const File = z.object({ file: z.object({ reference: z.string() }) });
const State = z.object({ state: z.string(), linesRejected: z.int() });
const Referenced = z.array(z.object({ reference: z.string() }));
const Runs = z.array(z.object({ runId: z.string() }));

/**
 * Uploads a file of lines that belong to no payment, and reconciles it, so that each line is an open case. In some cases the accountant has proposed
 * something, or is the owner. Returns the references for the operations that take one.
 */
export async function openPayoutDay(dev: DevFile, accountant: Person): Promise<Subject['known']> {
  const operator = await logIn(dev, accountant);
  const today = calendarIn(BUSINESS_TIME_ZONE).today(new Date());
  const file = await importFile(operator, today);
  await operator.post(`/admin/reconciliation/runs?period=${today}&gateway=${GATEWAY}`);
  const cases = await openCases(operator);
  const take = (): string[] => cases.splice(0, CASES_EACH);
  const [toSecond, toWithdraw, toRelease] = [take(), take(), take()];
  for (const reference of [...toSecond, ...toWithdraw]) {
    await operator.post(`/admin/reconciliation/cases/${reference}/actions`, { action: 'accept', reason: 'Not ours' });
  }
  for (const reference of toRelease) {
    await operator.post(`/admin/reconciliation/cases/${reference}/assign`, {});
  }
  return {
    '/admin/payout-files/{reference}': [file],
    '/admin/payouts/{reference}': referencesOf(await operator.get('/admin/payouts')),
    '/admin/reconciliation/runs/{reference}': Runs.parse(await operator.get('/admin/reconciliation/runs')).map(
      ({ runId }) => runId,
    ),
    [CASE]: cases,
    [`${CASE}/release`]: toRelease,
    [`${CASE}/actions/second`]: toSecond,
    [`${CASE}/actions/withdraw`]: toWithdraw,
  };
}

async function importFile(operator: ApiOperator, today: string): Promise<string> {
  await operator.post('/admin/payout-mappings', { gateway: GATEWAY, mapping: SHIPPED_MAPPINGS.sslcommerz });
  const lines = Array.from({ length: 5 * CASES_EACH }, (_, index) => rowOf(index, today));
  const { file } = File.parse(
    await operator.upload(
      `/admin/payout-files?mode=LIVE&gateway=${GATEWAY}&storeId=${STORE}&format=csv&name=strangers.csv`,
      Buffer.from([HEADINGS, ...lines, `UNREADABLE,,${today},${today},much`, ''].join('\r\n')),
    ),
  );
  await until(async () => {
    const { state, linesRejected } = State.parse(await operator.get(`/admin/payout-files/${file.reference}`));
    if (state === 'REFUSED' || linesRejected > 1) {
      throw new Error(`the file of strangers is ${state} with ${linesRejected} rejected rows`);
    }
    return state === 'IMPORTED';
  });
  return file.reference;
}

function rowOf(index: number, today: string): string {
  const name = `STRANGER${String(index).padStart(12, '0')}`;
  const paidOutOn = addDays(today, -(index % PAYOUTS));
  return `${name},B${name},${paidOutOn} 10:00:00,${paidOutOn},${100 + index}.00`;
}

async function openCases(operator: ApiOperator): Promise<string[]> {
  let found: string[] = [];
  await until(async () => {
    found = referencesOf(
      await operator.get('/admin/reconciliation/cases?state=OPEN&reason=MISSING_INTERNALLY&size=100'),
    );
    return found.length >= 4 * CASES_EACH;
  });
  return found;
}

function referencesOf(data: unknown): string[] {
  return Referenced.parse(data).map(({ reference }) => reference);
}
