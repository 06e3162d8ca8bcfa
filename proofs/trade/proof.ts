import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { z } from 'zod';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { addDays } from '../../domain/plain-date.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import { TRADING_GATEWAYS, type TradingGateway } from './gateways.ts';
import { logIn, type ApiOperator } from './operator.ts';
import { mappingOf, payOut, sell } from './sales.ts';
import { control } from './simulators.ts';
import { until } from './until.ts';

export interface Trade {
  readonly dev: DevFile;
  readonly directory: string;
  readonly masterKey: string;
  /** At each gateway. */
  readonly payments: number;
  readonly days: number;
  readonly seed: string;
  readonly say: (line: string) => void;
}

const MATCHED_SHARE_MIN = 0.995;
const LAST_PAYOUT_AFTER_DAYS = 14;
const Summary = z.object({
  matched: z.int(),
  missingInSettlement: z.int(),
  missingInternal: z.int(),
  amountMismatch: z.int(),
  deferred: z.int(),
  ledgerBalanced: z.boolean(),
  state: z.string(),
});
const File = z.object({ reference: z.string(), state: z.string(), linesRejected: z.int() });
const Uploaded = z.object({ file: File });
const Payouts = z.array(
  z.object({
    reference: z.string(),
    gateway: z.string(),
    residualMinor: z.string().nullable(),
    bankMinor: z.string().nullable(),
  }),
);
const Trial = z.object({
  currencies: z.array(
    z.object({ currency: z.string(), accounts: z.array(z.object({ account: z.string(), balanceMinor: z.string() })) }),
  ),
});

/** Returns what is wrong. */
export async function proveTrade(trade: Trade): Promise<string[]> {
  const { dev, payments, say } = trade;
  for (const gateway of TRADING_GATEWAYS) {
    await sell(trade, gateway);
  }
  say(`${payments} payments at each of ${TRADING_GATEWAYS.length} gateways, a tenth of them refunded in part.`);
  const operator = await logIn(dev);
  const today = calendarIn(BUSINESS_TIME_ZONE).today(new Date());
  const until = addDays(today, LAST_PAYOUT_AFTER_DAYS);
  const from = addDays(today, -trade.days);
  for (const gateway of TRADING_GATEWAYS) {
    const payouts = await payOut(dev, gateway, { until, seed: trade.seed, spreadDays: trade.days });
    say(`${gateway.name} made ${payouts} payouts.`);
    await uploadFile(trade, operator, gateway);
  }
  for (const gateway of TRADING_GATEWAYS) {
    await reconcile(trade, operator, { gateway: gateway.name, from, until });
  }
  await uploadStatement(trade, operator);
  const unexplainedMinor = await confirmProposals(trade, operator);
  for (const gateway of TRADING_GATEWAYS) {
    await operator.post(`/admin/reconciliation/runs?period=${today}&gateway=${gateway.name}`);
  }
  return [...(await judge(operator, { from, until, unexplainedMinor, say })), ...(await verified(trade))];
}

async function uploadFile({ dev }: Trade, operator: ApiOperator, gateway: TradingGateway): Promise<void> {
  const { name, storeId, mapping } = gateway;
  if (mapping === null) {
    return;
  }
  const query = new URLSearchParams(gateway.merchant);
  const bytes = await control(dev, `${gateway.control}/payouts/files/lines.csv?${query}`);
  await operator.post('/admin/payout-mappings', {
    gateway: name,
    mapping: mappingOf(mapping),
  });
  const { file } = Uploaded.parse(
    await operator.upload(
      `/admin/payout-files?mode=LIVE&gateway=${name}&storeId=${storeId}&format=csv&name=${name}.csv`,
      new Uint8Array(await bytes.arrayBuffer()),
    ),
  );
  await imported(operator, file.reference);
}

async function imported(operator: ApiOperator, reference: string): Promise<void> {
  let file = File.parse(await operator.get(`/admin/payout-files/${reference}`));
  await until(async () => {
    file = File.parse(await operator.get(`/admin/payout-files/${reference}`));
    return !['UPLOADED', 'IMPORTING'].includes(file.state);
  });
  if (file.state !== 'IMPORTED' || file.linesRejected > 0) {
    throw new Error(`the file ${reference} is ${file.state} with ${file.linesRejected} rejected rows`);
  }
}

async function uploadStatement({ dev }: Trade, operator: ApiOperator): Promise<void> {
  const bytes = await control(dev, '/bank/statement.xml');
  const { file } = Uploaded.parse(
    await operator.upload(
      '/admin/payout-files?mode=LIVE&kind=statement&format=camt053&name=statement.xml',
      new Uint8Array(await bytes.arrayBuffer()),
    ),
  );
  await imported(operator, file.reference);
}

const Entries = z.array(
  z.object({ id: z.int(), amountMinor: z.int(), bookedOn: z.string(), candidates: z.array(z.string()) }),
);

/**
 * Does what a person does with entries that name no payout: takes the proposal, where there is only one. Returns the sum of the entries that no payout
 * explains, because the file of their gateway names none.
 */
async function confirmProposals({ say }: Trade, operator: ApiOperator): Promise<number> {
  const entries = Entries.parse(await operator.get('/admin/bank-entries?mode=LIVE&matched=false&paginate=false'));
  await operator.stepUp();
  let confirmed = 0;
  let leftMinor = 0;
  for (const { amountMinor, bookedOn, candidates } of entries) {
    const [only] = candidates;
    if (only !== undefined && candidates.length === 1) {
      await operator.post(`/admin/payouts/${only}/bank-amount`, {
        amountMinor,
        arrivedOn: bookedOn,
        reason: 'The bank statement has one entry of this amount on this day.',
      });
      confirmed += 1;
    } else {
      leftMinor += amountMinor;
    }
  }
  say(`${entries.length} bank entries name no payout; a person confirms ${confirmed} of them.`);
  return leftMinor;
}

async function reconcile(
  { say }: Trade,
  operator: ApiOperator,
  { gateway, from, until: last }: { readonly gateway: string; readonly from: string; readonly until: string },
): Promise<void> {
  let runs = 0;
  for (let day = from; day <= last; day = addDays(day, 1)) {
    const summary = Summary.parse(await operator.post(`/admin/reconciliation/runs?period=${day}&gateway=${gateway}`));
    if (summary.state !== 'COMPLETED' || !summary.ledgerBalanced) {
      throw new Error(`the run of ${gateway} on ${day} is ${summary.state}, balanced: ${summary.ledgerBalanced}`);
    }
    runs += 1;
  }
  say(`${gateway}: ${runs} days reconciled.`);
}

async function judge(
  operator: ApiOperator,
  {
    from,
    until: last,
    unexplainedMinor,
    say,
  }: { from: string; until: string; unexplainedMinor: number; say: Trade['say'] },
): Promise<string[]> {
  const problems: string[] = [];
  const counts = { MATCHED: 0, FLAGGED: 0, DEFERRED: 0 };
  for (const status of ['MATCHED', 'FLAGGED', 'DEFERRED'] as const) {
    counts[status] = await total(operator, `/admin/reconciliation/results?mode=LIVE&status=${status}`);
  }
  const all = counts.MATCHED + counts.FLAGGED + counts.DEFERRED;
  say(`${counts.MATCHED} of ${all} matched, ${counts.FLAGGED} flagged, ${counts.DEFERRED} deferred.`);
  if (counts.MATCHED / all < MATCHED_SHARE_MIN) {
    problems.push(`only ${counts.MATCHED} of ${all} results match`);
  }
  const payouts = Payouts.parse(await operator.get(`/admin/payouts?mode=LIVE&from=${from}&to=${last}&paginate=false`));
  const open = payouts.filter(({ residualMinor, bankMinor }) => residualMinor !== '0' || bankMinor === null);
  say(`${payouts.length} payouts, ${open.length} that do not add up.`);
  problems.push(...open.map(({ reference, residualMinor }) => `payout ${reference} has the residual ${residualMinor}`));
  const trial = Trial.parse(await operator.get('/admin/ledger/trial-balance'));
  for (const { currency, accounts } of trial.currencies) {
    say(`${currency}: ${accounts.map(({ account, balanceMinor }) => `${account} ${balanceMinor}`).join(', ')}`);
    // bKash's file names no payouts, so what the bank received from it stays in transit, to the unit.
    const left = accounts.filter(
      ({ account, balanceMinor }) =>
        /:(clearing|transit|unexplained|differences)$/.test(account) &&
        balanceMinor !== String(account === 'gateway:bkash:transit' ? unexplainedMinor : 0),
    );
    problems.push(...left.map(({ account, balanceMinor }) => `${account} in ${currency} holds ${balanceMinor}`));
  }
  return problems;
}

async function total(operator: ApiOperator, path: string): Promise<number> {
  const rows = z.array(z.unknown()).parse(await operator.get(`${path}&paginate=false`));
  return rows.length;
}

function verified({ directory }: Trade): Promise<string[]> {
  const script = resolve(import.meta.dirname, '../../scripts/commands/verify.ts');
  return new Promise((settle) => {
    execFile(process.execPath, [script, '--directory', directory], { timeout: 300_000 }, (error, stdout, stderr) => {
      settle(error === null ? [] : [`npm run verify: ${stdout}${stderr}`.trim().slice(0, 1_000)]);
    });
  });
}
