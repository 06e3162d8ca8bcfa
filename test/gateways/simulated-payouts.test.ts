import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readCamt053 } from '../../core/payouts/files/camt053.ts';
import { readMt940 } from '../../core/payouts/files/mt940.ts';
import { readPayoutLines } from '../../core/payouts/files/payout-lines.ts';
import { minorFromDecimalText } from '../../domain/money.ts';
import type { PayoutMapping } from '../../domain/payouts/mapping.ts';
import { bookingsOfGroup } from '../../domain/payouts/booking.ts';
import { judge } from '../../domain/payouts/judge.ts';
import type { MatchSettings, Movement, StoredLine } from '../../domain/payouts/matching.ts';
import type { PayoutLine } from '../../domain/payouts/payout-line.ts';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import { attemptReference, refundReference } from '../../domain/references.ts';
import type { Charge, PayoutPage } from '../../gateways/port.ts';
import { all, inChunks } from '../core/payouts/files/bytes.ts';
import { opened, orderOf, queryUntilCharged, REFUND, refundUntilEnded } from './contract.ts';
import { openBkash, openNagad, openSslcommerz, openStripe, type SimulatedWorld } from './worlds.ts';

/*
 * Payments are made through the adapters, the simulators pay them out, and the product's own readers read what they say: by file, by API and on the
 * bank's statement.
 */

interface Row {
  readonly name: string;
  open(): Promise<SimulatedWorld>;
  /** Where the control API is. */
  readonly base: string;
  readonly mapping: PayoutMapping;
  /** The file leaves out the fee, or puts the tax on it into it. */
  readonly states: 'net' | 'fee-with-tax' | 'fee-and-tax';
  readonly refunds: boolean;
  readonly api: boolean;
}

const ROWS: readonly Row[] = [
  {
    name: 'SSLCOMMERZ',
    open: openSslcommerz,
    base: '',
    mapping: SHIPPED_MAPPINGS.sslcommerz,
    states: 'net',
    refunds: true,
    api: true,
  },
  {
    name: 'bKash',
    open: openBkash,
    base: 'bkash/',
    mapping: SHIPPED_MAPPINGS.bkash,
    states: 'fee-with-tax',
    refunds: true,
    api: false,
  },
  {
    name: 'Nagad',
    open: openNagad,
    base: 'nagad/',
    mapping: SHIPPED_MAPPINGS.nagad,
    states: 'fee-and-tax',
    refunds: false,
    api: false,
  },
  {
    name: 'Stripe',
    open: openStripe,
    base: 'stripe/',
    mapping: SHIPPED_MAPPINGS.stripe,
    states: 'fee-with-tax',
    refunds: true,
    api: true,
  },
];

/** What the control API tells. */
interface ToldLine {
  readonly lineId: string;
  readonly kind: string;
  readonly tranId: string;
  readonly bankTranId: string;
  readonly currency: string;
  readonly gross: string;
  readonly fee: string;
  readonly tax: string;
  readonly net: string;
  readonly payout?: string;
}
interface ToldPayout {
  readonly id: string;
  readonly on: string;
  readonly currency: string;
  readonly amount: string;
  readonly bankReference: string;
}
interface Told {
  readonly payouts: readonly ToldPayout[];
  readonly faults: readonly {
    readonly fault: string;
    readonly expected: ToldLine | null;
    readonly stated: readonly ToldLine[];
    readonly payout?: string;
  }[];
  readonly notPlanted: Readonly<Record<string, number>>;
}

const minor = (text: string, currency: string): bigint => {
  const size = minorFromDecimalText(text.replace('-', ''), currency, 'exact');
  if (size === null) {
    throw new Error(`the simulator told no amount: ${text}`);
  }
  return text.startsWith('-') ? -size : size;
};

async function pagesOf(
  readPayouts: NonNullable<SimulatedWorld['gateway']['readPayouts']>,
  window: { readonly from: string; readonly to: string },
): Promise<PayoutPage[]> {
  const pages: PayoutPage[] = [];
  for (let after: string | null = null; pages.length === 0 || after !== null;) {
    const page: PayoutPage = await readPayouts({ ...window, after });
    pages.push(page);
    after = page.next;
  }
  return pages;
}

describe.each(ROWS)('$name', ({ open, base, mapping, states, refunds, api }) => {
  let world: SimulatedWorld;
  let charges: Charge[] = [];
  beforeAll(async () => {
    world = await open();
  });
  afterAll(() => world.close());

  /** Makes charges through the adapter, two of them of one amount in the same moment. */
  async function sell(amounts: readonly bigint[]): Promise<Charge[]> {
    const sold: Charge[] = [];
    for (const amountMinor of amounts) {
      const order = { ...orderOf(), attemptReference: attemptReference(), amount: { amountMinor, currency: 'BDT' } };
      const { reference, sessionKey } = await opened(world, order);
      await world.payer(reference, 'pay');
      sold.push(await queryUntilCharged(world, reference, sessionKey));
    }
    return sold;
  }

  const payOut = async (body: object = {}): Promise<Told> =>
    (await world.control('POST', `${base}payouts`, { spreadDays: 3, ...body })) as Told;
  const linesOf = async ({ id }: ToldPayout): Promise<ToldLine[]> =>
    ((await world.control('GET', `${base}payouts/${id}`)) as { lines: ToldLine[] }).lines;
  const download = async (path: string): Promise<Uint8Array> => {
    const answer = await fetch(`${world.url}/__sim/${path}`);
    expect(answer.status).toBe(200);
    return new Uint8Array(await answer.arrayBuffer());
  };
  const fileOf = (payouts: readonly ToldPayout[], query = '', name = 'lines.csv'): Promise<Uint8Array[]> =>
    Promise.all(payouts.map(({ id }) => download(`${base}payouts/files/${name}?payout=${id}${query}`)));

  /** Whatever separates the cells: spreadsheets save with others than the gateway's export has. */
  async function readFiles(files: readonly Uint8Array[], format: 'csv' | 'xlsx' = 'csv') {
    const read = [];
    for (const file of files) {
      read.push(...(await all(readPayoutLines(inChunks(file, 1_000), { ...mapping, delimiter: null, format }))));
    }
    return read;
  }

  /** A line in short, as far as the file or API can tell it. */
  const shortRead = (line: PayoutLine): string =>
    [line.gatewayTxnId ?? line.attemptReference, line.grossMinor, line.feeMinor, line.taxMinor, line.netMinor].join(
      ' ',
    );
  const shortTold = (line: ToldLine, how: Row['states'] = states): string => {
    const [gross = 0n, fee = 0n, tax = 0n, net = 0n] = [line.gross, line.fee, line.tax, line.net].map((text) =>
      minor(text, line.currency),
    );
    const reference = mapping === SHIPPED_MAPPINGS.bkash ? line.lineId : line.bankTranId;
    const amounts = how === 'net' ? [net, 0n, 0n] : how === 'fee-with-tax' ? [gross, fee + tax, 0n] : [gross, fee, tax];
    return [reference, ...amounts, net].join(' ');
  };

  test('pays out every charge and refund once, each payout adds up, and the bank shows it', async () => {
    charges = await sell([10_000n, 10_000n, 25_050n, 99_999n]);
    const [refunded] = charges;
    if (refunds && refunded !== undefined) {
      const { gatewayTxnId, validationId } = refunded;
      const amount = { amountMinor: 4_000n, currency: 'BDT' };
      await refundUntilEnded(world, {
        ...REFUND,
        refundReference: refundReference(),
        gatewayTxnId,
        validationId,
        amount,
      });
    }
    const { payouts } = await payOut();
    const told = (await Promise.all(payouts.map(linesOf))).flat();
    expect(
      told
        .filter(({ kind }) => kind === 'charge')
        .map(({ bankTranId }) => bankTranId)
        .toSorted(),
    ).toEqual(charges.map(({ gatewayTxnId }) => gatewayTxnId).toSorted());
    expect(told.filter(({ kind }) => kind === 'refund')).toHaveLength(refunds ? 1 : 0);
    for (const payout of payouts) {
      const nets = (await linesOf(payout)).map(({ net, currency }) => minor(net, currency));
      expect(nets.reduce((sum, net) => sum + net, 0n)).toBe(minor(payout.amount, payout.currency));
    }
    const entries = payouts.map(({ on, amount, currency, bankReference }) => ({
      bookedOn: on,
      amountMinor: minor(amount, currency),
      bankReference,
    }));
    const [camt] = await readCamt053(inChunks(await download('bank/statement.xml'), 1_000));
    const [swift] = await readMt940(inChunks(await download('bank/statement.sta'), 1_000));
    expect(camt?.entries).toMatchObject(entries);
    expect(swift?.entries).toMatchObject(entries);
    expect(camt?.entries[0]?.remittance).toContain(payouts[0]?.id);
    expect(swift?.entries[0]?.remittance).toContain(payouts[0]?.id);
  });

  test.each([
    ['as it is', '', 'csv'],
    ['in UTF-16 with tabs', '&encoding=utf-16le&delimiter=%09', 'csv'],
    ['with a byte order mark and semicolons', '&encoding=utf-8-bom&delimiter=%3B', 'csv'],
    ['in Bangla, where there is Bangla', '&headings=bn', 'csv'],
    ['as a spreadsheet', '', 'xlsx'],
  ] as const)('has a file that our reader reads, %s', async (_name, query, format) => {
    // The words and columns of the file are those of the mapping that is shipped.
    const payouts = (await world.control('GET', `${base}payouts`)) as ToldPayout[];
    const told = (await Promise.all(payouts.map(linesOf))).flat();
    const read = await readFiles(await fileOf(payouts, query, `lines.${format}`), format);
    expect(read.filter(({ kind }) => kind === 'rejected')).toEqual([]);
    const lines = read.flatMap((one) => (one.kind === 'line' ? one.line : []));
    expect(lines.map(shortRead)).toEqual(told.map((line) => shortTold(line)));
    const ours = new Map(charges.map((charge) => [charge.gatewayTxnId, charge.attemptReference]));
    for (const { kind, gatewayTxnId, attemptReference } of lines) {
      if (kind === 'CHARGE' && attemptReference !== null) {
        expect(attemptReference).toBe(ours.get(gatewayTxnId ?? ''));
      }
    }
  });

  test.each(['missing', 'duplicated', 'late', 'amount', 'currency', 'foreign', 'split', 'fee', 'negative'])(
    'can be told to make the fault %s, and the file shows what is told',
    async (fault) => {
      // A judge compares what Lenden finds with what the simulator says that it planted.
      if (fault === 'currency' && (base === '' || base === 'bkash/')) {
        await expect(payOut({ faults: { currency: 1 } })).rejects.toThrow('400');
        return;
      }
      await sell([20_000n, 20_000n]);
      const made = await payOut({ faults: { [fault]: 1 }, seed: fault });
      expect([made.faults.map((one) => one.fault), made.notPlanted]).toEqual([[fault], {}]);
      const [planted] = made.faults;
      const told = (await Promise.all(made.payouts.map(linesOf))).flat();
      const counts: Readonly<Record<string, number>> = { missing: 0, duplicated: 2, split: 2 };
      expect(planted?.stated).toHaveLength(counts[fault] ?? 1);
      expect(planted?.expected === null).toBe(fault === 'foreign' || fault === 'negative');
      const read = await readFiles(await fileOf(made.payouts));
      expect(read.filter(({ kind }) => kind === 'rejected')).toEqual([]);
      const lines = read.flatMap((one) => (one.kind === 'line' ? one.line : []));
      expect(lines.map(shortRead)).toEqual(told.map((line) => shortTold(line)));
    },
  );

  test('can be told to cut a file short, and the reader names the line', async () => {
    await sell([20_000n]);
    const { payouts, faults } = await payOut({ faults: { truncated: 1 }, seed: 'truncated' });
    expect(faults).toMatchObject([{ fault: 'truncated', payout: payouts[0]?.id }]);
    const read = await readFiles(await fileOf(payouts.slice(0, 1)));
    expect(read.at(-1)).toMatchObject({ kind: 'rejected' });
  });

  test('answers by its API what its file says, if it has one', async () => {
    const payouts = (await world.control('GET', `${base}payouts`)) as ToldPayout[];
    const { readPayouts } = world.gateway;
    expect([readPayouts !== undefined, world.gateway.capabilities.payouts === 'file']).toEqual([api, !api]);
    if (readPayouts === undefined) {
      return;
    }
    const days = payouts.map(({ on }) => on).toSorted();
    const window = { from: days[0] ?? '', to: days.at(-1) ?? '' };
    const pages = await pagesOf(readPayouts, window);
    expect(pages.flatMap(({ rejected }) => rejected)).toEqual([]);
    const lines = pages.flatMap((page) => page.lines);
    const told = (await Promise.all(payouts.map(linesOf))).flat();
    const exact = base === '' ? 'net' : 'fee-and-tax';
    const byReference = base === '' ? told.map((line) => ({ ...line, bankTranId: line.tranId })) : told;
    expect(lines.map(shortRead).toSorted()).toEqual(byReference.map((line) => shortTold(line, exact)).toSorted());
    const stated = pages.flatMap((page) => page.payouts);
    const expected = payouts.map(({ id, on, amount, currency, bankReference }) => ({
      payoutReference: id,
      arrivesOn: on,
      amountMinor: minor(amount, currency),
      bankReference,
      status: 'PAID',
      itemized: true,
    }));
    const byId = (left: { payoutReference: string }, right: { payoutReference: string }): number =>
      left.payoutReference < right.payoutReference ? -1 : 1;
    expect(stated.toSorted(byId)).toMatchObject(base === '' ? [] : expected.toSorted(byId));
    expect(await readPayouts({ from: '2020-01-01', to: '2020-01-31', after: null })).toMatchObject({ lines: [] });
  });

  test('has its payouts on the statement of the bank, and nothing else', async () => {
    const [camt] = await readCamt053(inChunks(await download('bank/statement.xml'), 1_000));
    const payouts = (await world.control('GET', `${base}payouts`)) as ToldPayout[];
    const inTaka = payouts.filter(({ currency }) => currency === 'BDT');
    expect(camt?.closingMinor).toBe(inTaka.reduce((sum, { amount }) => sum + minor(amount, 'BDT'), 0n));
    expect(camt?.entries).toHaveLength(inTaka.length);
    const days = inTaka.map(({ on }) => on).toSorted();
    const later = await download(`bank/statement.sta?from=${days.at(-1) ?? ''}`);
    const [swift] = await readMt940(inChunks(later, 1_000));
    expect([swift?.closingMinor, (swift?.entries ?? []).length < inTaka.length]).toEqual([camt?.closingMinor, true]);
  });
});

describe('a charge that Stripe converts', () => {
  let world: SimulatedWorld;
  beforeAll(async () => {
    world = await openStripe();
  });
  afterAll(() => world.close());

  test('and its refund match by file and by API, and settle in the currency in which the payer paid', async () => {
    await world.script('settles-in-usd');
    const order = {
      ...orderOf(),
      attemptReference: attemptReference(),
      amount: { amountMinor: 1_234_567n, currency: 'BDT' },
    };
    const { reference, sessionKey } = await opened(world, order);
    await world.payer(reference, 'pay');
    const charge = await queryUntilCharged(world, reference, sessionKey);
    const { gatewayTxnId, validationId } = charge;
    const amount = { amountMinor: 400_000n, currency: 'BDT' };
    const ours = refundReference();
    await refundUntilEnded(world, { ...REFUND, refundReference: ours, gatewayTxnId, validationId, amount });
    const movement: Movement = {
      kind: 'CHARGE',
      key: 'charge',
      storeId: 'store',
      gatewayTxnId,
      attemptReference: charge.attemptReference,
      refundReference: null,
      gatewayRefundId: null,
      currency: 'BDT',
      amountMinor: charge.grossMinor ?? 0n,
      feeMinor: charge.feeMinor,
      reversed: false,
      disputedMinor: null,
      happenedOn: '2026-11-22',
    };
    const refunded: Movement = {
      ...movement,
      kind: 'REFUND',
      key: 'refund',
      refundReference: ours,
      amountMinor: amount.amountMinor,
      feeMinor: 0n,
    };
    const { payouts } = (await world.control('POST', 'stripe/payouts', {})) as Told;
    const inDollars = payouts.filter(({ currency }) => currency === 'USD');
    const byFile: PayoutLine[] = [];
    for (const { id } of inDollars) {
      const file = new Uint8Array(
        await (await fetch(`${world.url}/__sim/stripe/payouts/files/lines.csv?payout=${id}`)).arrayBuffer(),
      );
      for (const one of await all(
        readPayoutLines(inChunks(file, 1_000), { ...SHIPPED_MAPPINGS.stripe, format: 'csv' }),
      )) {
        byFile.push(...(one.kind === 'line' ? [one.line] : []));
      }
    }
    const days = inDollars.map(({ on }) => on).toSorted();
    const window = { from: days[0] ?? '', to: days.at(-1) ?? '' };
    const { readPayouts = () => Promise.reject(new Error('Stripe has an API')) } = world.gateway;
    const byApi = (await pagesOf(readPayouts, window)).flatMap(({ lines }) => lines);
    for (const read of [byFile, byApi]) {
      const lines = read.map((line, index): StoredLine => ({
        ...line,
        id: BigInt(index),
        storeId: 'store',
        word: null,
      }));
      const books = { movements: [movement, refunded], lines, pendingReferences: new Set<string>() };
      const { lines: verdicts } = judge(books, { asOf: '2026-11-24', settings: MATCH });
      expect(verdicts.map(({ status, detail }) => `${status} ${detail}`)).toEqual([
        'MATCHED CONVERTED',
        'MATCHED CONVERTED',
      ]);
      for (const [of, coveredMinor] of [
        [movement, 1_234_567n],
        [refunded, -400_000n],
      ] as const) {
        const judged = verdicts.flatMap((verdict) => {
          const line = lines.find(({ id }) => id === verdict.lineId);
          return verdict.movementKey === of.key && line !== undefined ? [{ line, verdict, accepted: false }] : [];
        });
        const [booking] = bookingsOfGroup(of, judged).values();
        expect(booking?.converted).toEqual({ currency: 'BDT', amountMinor: coveredMinor });
      }
    }
  });
});

const MATCH: MatchSettings = {
  tolerance: { amountMinor: 0n, feeMinor: 0n },
  statesNetOnly: false,
  agreedFee: null,
  rates: [],
  expectedWithinDays: 10,
  businessDays: { weeklyHolidays: [0, 6], holidays: [] },
};
