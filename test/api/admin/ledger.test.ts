import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { recordVerification, type Verification } from '../../../core/ledger/proof.ts';
import { sealBatch } from '../../../core/ledger/seal.ts';
import { postReversal, postTransaction } from '../../../core/ledger/store.ts';
import { paymentPosting, refundPosting, type LedgerTransaction } from '../../../domain/ledger.ts';
import type { Mode } from '../../../domain/mode.ts';
import { until } from '../../support/until.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
let shop: Registration;
let other: Registration;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: '=Shop' });
  other = await world.api.register({ name: 'Other' });
  await world.addOperator({ email: 'owner@example.com' });
  await world.addOperator({ email: 'scoped@example.com', role: 'Finance', applicationId: shop.applicationId });
  for (const name of ['owner', 'scoped']) {
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
  await charge(shop, { reference: 'pay_1', grossMinor: 10_000n, feeMinor: 250n });
  await charge(shop, { reference: 'pay_2', grossMinor: 5_000n, feeMinor: 0n });
  await refund(shop, { reference: 'ref_1', amountMinor: 4_000n });
  await charge(shop, { reference: 'pay_3', grossMinor: 700n, feeMinor: 0n, currency: 'USD' });
  await charge(shop, { reference: 'pay_4', grossMinor: 999n, feeMinor: 0n, mode: 'TEST' });
  await charge(other, { reference: 'pay_5', grossMinor: 30_000n, feeMinor: 1_000n });
});
afterAll(() => world.close());

interface Charged {
  readonly reference: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly currency?: string;
  readonly mode?: Mode;
}

function charge({ applicationId }: Registration, { mode = 'LIVE', currency = 'BDT', ...charged }: Charged) {
  return post(paymentPosting({ applicationId, mode, currency, gateway: 'sslcommerz', ...charged }));
}

function refund({ applicationId }: Registration, refunded: { reference: string; amountMinor: bigint }) {
  const owner = { applicationId, mode: 'LIVE', currency: 'BDT' } as const;
  return post(refundPosting({ ...owner, gateway: 'sslcommerz', late: false, ...refunded }));
}

function post(transaction: LedgerTransaction): Promise<unknown> {
  return world.database.withScope(transaction, async (statements) => {
    await postTransaction(statements, transaction);
    // The next one has another time, to the millisecond.
    await sleep(5);
  });
}

const get = (path: string, as = 'owner'): Promise<Answer> =>
  world.send({ path: `/admin/ledger${path}`, headers: bearer(tokens[as] ?? '') });

interface Account {
  readonly id: number;
  readonly account: string;
  readonly currency: string;
  readonly balanceMinor: string;
}
const accountsOf = async (query: string, as = 'owner'): Promise<Account[]> =>
  (await get(`/accounts?${query}&order=ASC`, as)).data as Account[];
async function payable(as = 'owner'): Promise<Account> {
  const query = `applicationId=${shop.applicationId}&currency=BDT&account=app:payable`;
  const [found] = await accountsOf(query, as);
  if (found === undefined) {
    throw new Error('the shop is owed nothing');
  }
  return found;
}

describe('the proof', () => {
  const proof = async (as?: string): Promise<unknown> => (await get('/proof', as)).data;
  const chain = {
    lastSealId: 1n,
    sealedTransactions: 6n,
    witnesses: 3,
    queriedCharges: null,
  } as const;
  const record = (findings: Verification['findings']) =>
    world.database.withSystem((em) => recordVerification(em, { ...chain, findings, findingCount: findings.length }));

  test('says since when nothing is sealed, then how far the chain reaches', async () => {
    const [first] = await world.api.sql<{ at: string }>(
      `select to_char(min(created_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at from ledger_transactions`,
    );
    expect(await proof()).toEqual({ seal: null, unsealedSince: first?.at, verification: null });
    // A transaction in another database of the server can delay sealing.
    await until(async () => {
      const { head } = await world.database.withSystem((em) => sealBatch(em, { transactionsMax: 100 }));
      return head.totalTransactions === 6n;
    });
    expect(await proof()).toMatchObject({
      seal: { transactions: 6, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      unsealedSince: null,
    });
  });

  test('says what the last verification found, and names the row only to whoever sees every application', async () => {
    await record([{ check: 'chain', table: 'ledger_postings', id: '7', what: 'was changed' }]);
    const found = { findingCount: 1, sealNumber: 1, transactions: 6, witnesses: 3, queriedCharges: null };
    expect(await proof()).toMatchObject({
      verification: { ...found, firstFinding: 'ledger_postings 7 was changed' },
    });
    expect(await proof('scoped')).toMatchObject({ verification: { ...found, firstFinding: null } });
    await record([]);
    expect(await proof()).toMatchObject({ verification: { findingCount: 0, firstFinding: null } });
  });
});

describe('the trial balance', () => {
  test('adds up each account of LIVE by currency, and both sides are equal', async () => {
    expect((await get('/trial-balance')).data).toEqual({
      mode: 'LIVE',
      at: null,
      currencies: [
        {
          currency: 'BDT',
          debitMinor: '50250',
          creditMinor: '50250',
          balanced: true,
          accounts: [
            row('app:payable', 'credit', [4_000, 45_000, 41_000]),
            row('gateway:fees', 'debit', [1_250, 0, 1_250]),
            row('gateway:sslcommerz:clearing', 'debit', [45_000, 5_250, 39_750]),
          ],
        },
        {
          currency: 'USD',
          debitMinor: '700',
          creditMinor: '700',
          balanced: true,
          accounts: [
            row('app:payable', 'credit', [0, 700, 700]),
            row('gateway:sslcommerz:clearing', 'debit', [700, 0, 700]),
          ],
        },
      ],
    });
  });

  test('of TEST, of one application or of one currency has nothing else in it', async () => {
    const sums = async (query: string, as?: string) =>
      ((await get(`/trial-balance?${query}`, as)).data as { currencies: { currency: string; debitMinor: string }[] })
        .currencies;
    expect(await sums('mode=TEST')).toMatchObject([{ currency: 'BDT', debitMinor: '999' }]);
    expect(await sums(`applicationId=${other.applicationId}`)).toMatchObject([
      { currency: 'BDT', debitMinor: '31000' },
    ]);
    expect(await sums('currency=USD')).toMatchObject([{ currency: 'USD', debitMinor: '700' }]);
    // An operator of one application must not learn what others take.
    expect(await sums('currency=BDT', 'scoped')).toMatchObject([{ currency: 'BDT', debitMinor: '19250' }]);
    expect(await sums(`applicationId=${other.applicationId}`, 'scoped')).toEqual([]);
  });

  test('of an instant before everything is empty', async () => {
    expect((await get('/trial-balance?at=2020-01-01')).data).toEqual({
      mode: 'LIVE',
      at: '2020-01-01',
      currencies: [],
    });
  });

  test('shows a ledger that somebody has changed', async () => {
    // The books must not look right when one side is missing.
    const [{ id } = { id: '' }] = await world.api.sql<{ id: string }>(
      `select id::text from ledger_postings where application_id = ? order by id limit 1`,
      [other.applicationId],
    );
    await world.api.sql('alter table ledger_postings disable trigger user');
    await world.api.sql('alter table ledger_postings drop constraint ledger_postings_credit_account_id_fkey');
    await world.api.sql(`update ledger_postings set credit_account_id = 0 where id = ?`, [id]);
    expect((await get('/trial-balance?currency=BDT')).data).toMatchObject({
      currencies: [{ currency: 'BDT', balanced: false }],
    });
    await world.api.sql(
      `update ledger_postings p set credit_account_id = a.id from ledger_accounts a
       where p.id = ? and a.name = 'app:payable' and a.application_id = p.application_id and a.mode = p.mode and a.currency = p.currency`,
      [id],
    );
    await world.api.sql('alter table ledger_postings enable trigger user');
    expect((await get('/trial-balance?currency=BDT')).data).toMatchObject({ currencies: [{ balanced: true }] });
  });
});

function row(account: string, normalSide: string, [debitMinor, creditMinor, balanceMinor]: readonly number[]) {
  return {
    account,
    normalSide,
    debitMinor: String(debitMinor),
    creditMinor: String(creditMinor),
    balanceMinor: String(balanceMinor),
  };
}

describe('accounts', () => {
  test('say what each application is owed, in the view only', async () => {
    const owed = (as: string) => accountsOf('currency=BDT&account=app:payable', as);
    expect((await owed('owner')).map(({ balanceMinor }) => balanceMinor)).toEqual(['11000', '30000']);
    expect((await owed('scoped')).map(({ balanceMinor }) => balanceMinor)).toEqual(['11000']);
    const [, foreign] = await owed('owner');
    for (const path of ['', '/entries', '/entries/export']) {
      expect(await get(`/accounts/${foreign?.id ?? 0}${path}`, 'scoped')).toMatchObject({ status: 404 });
    }
  });

  test('have the balance of a past instant', async () => {
    const { id } = await payable();
    // Rows keep their time, so the past is read as it was.
    const [{ at } = { at: '' }] = await world.api.sql<{ at: string }>(
      `select to_char(p.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at from ledger_postings p
       join ledger_transactions t on t.id = p.transaction_id where t.cause_id = 'pay_2' and p.credit_account_id = ?`,
      [id],
    );
    expect((await get(`/accounts/${id}?at=${new Date(Date.parse(at)).toISOString()}`)).data).toMatchObject({
      creditMinor: '15000',
      debitMinor: '0',
    });
    expect((await get(`/accounts/${id}`)).data).toMatchObject({ balanceMinor: '11000' });
    expect((await get(`/accounts/${id}?at=2020-01-01`)).data).toMatchObject({ balanceMinor: '0' });
  });
});

describe('the statement of an account', () => {
  test('lists every posting with its cause, newest first', async () => {
    const { id } = await payable();
    const { data, pagination } = await get(`/accounts/${id}/entries?size=2`);
    expect(data).toMatchObject([
      {
        kind: 'refund',
        cause: { type: 'refund', id: 'ref_1' },
        otherAccount: 'gateway:sslcommerz:clearing',
        debitMinor: '4000',
        creditMinor: '0',
      },
      { kind: 'charge', cause: { type: 'payment', id: 'pay_2' }, debitMinor: '0', creditMinor: '5000' },
    ]);
    expect(pagination).toMatchObject({ totalElements: 3 });
    const rest = await get(`/accounts/${id}/entries?size=2&cursor=${pagination?.nextCursor ?? ''}`);
    expect(rest.data).toMatchObject([{ cause: { id: 'pay_1' }, creditMinor: '10000' }]);
    expect((await get(`/accounts/${id}/entries?to=2020-01-01`)).data).toEqual([]);
  });

  test('is exported with opening, running and closing balance, and without formulas', async () => {
    const { id } = await payable();
    const { text, headers } = await get(`/accounts/${id}/entries/export`);
    expect(headers['content-type']).toBe('text/csv; charset=utf-8');
    const lines = text.trimEnd().split('\r\n');
    expect(lines[0]).toBe(
      'id,createdAt,transactionId,kind,causeType,causeId,otherAccount,debit,credit,balance,currency',
    );
    expect(lines.slice(1).map((line) => line.split(',').slice(3))).toEqual([
      ['opening balance', '', '', '', '', '', '0.00', 'BDT'],
      ['charge', 'payment', 'pay_1', 'gateway:sslcommerz:clearing', '0.00', '100.00', '100.00', 'BDT'],
      ['charge', 'payment', 'pay_2', 'gateway:sslcommerz:clearing', '0.00', '50.00', '150.00', 'BDT'],
      ['refund', 'refund', 'ref_1', 'gateway:sslcommerz:clearing', '40.00', '0.00', '110.00', 'BDT'],
      ['closing balance', '', '', '', '', '', '110.00', 'BDT'],
    ]);
    const [audited] = await world.api.sql(
      `select actor, application_id::text as application from audit_logs where action = 'ledger.exported' and target_id = ?`,
      [String(id)],
    );
    expect(audited).toEqual({ actor: 'owner@example.com', application: String(shop.applicationId) });
  });

  test('of a later period opens with what was there before', async () => {
    const { id } = await payable();
    const { text } = await get(`/accounts/${id}/entries/export?from=2099-01-01`);
    const lines = text.trimEnd().split('\r\n').slice(1);
    expect(lines.map((line) => line.split(',')[9])).toEqual(['110.00', '110.00']);
  });

  test('shows a correction as a reversal of what it corrects', async () => {
    const wrong = paymentPosting({
      applicationId: BigInt(other.applicationId),
      mode: 'TEST',
      currency: 'BDT',
      gateway: 'bkash',
      reference: 'pay_6',
      grossMinor: 100n,
      feeMinor: 0n,
    });
    await post(wrong);
    await world.database.withScope(wrong, (statements) => postReversal(statements, wrong));
    const [account] = await accountsOf('mode=TEST&account=gateway:bkash:clearing');
    expect(account).toMatchObject({ balanceMinor: '0' });
    const { data } = await get(`/accounts/${account?.id ?? 0}/entries`);
    const [reversal, charged] = data as { reversesId: number | null; transactionId: number }[];
    expect(reversal?.reversesId).toBe(charged?.transactionId);
    expect(charged?.reversesId).toBeNull();
  });
});

test('sums larger than a JSON integer are exact', async () => {
  // Text keeps every digit. A number would be rounded by most clients, or refused by us.
  const grossMinor = BigInt(Number.MAX_SAFE_INTEGER);
  for (const reference of ['pay_7', 'pay_8']) {
    await charge(other, { reference, grossMinor, feeMinor: 0n, currency: 'EUR' });
  }
  const balanceMinor = (2n * grossMinor).toString();
  const [account] = await accountsOf('currency=EUR&account=app:payable');
  expect(account).toMatchObject({ balanceMinor });
  expect((await get('/trial-balance?currency=EUR')).data).toMatchObject({
    currencies: [{ debitMinor: balanceMinor, creditMinor: balanceMinor, balanced: true }],
  });
});
