import { describe, expect, test } from '@jest/globals';
import { headingKey } from '../../../domain/payouts/heading.ts';
import { isRejection, mapRecord } from '../../../domain/payouts/map-record.ts';
import { PayoutMapping, type PayoutMappingInput } from '../../../domain/payouts/mapping.ts';
import type { PayoutLine } from '../../../domain/payouts/payout-line.ts';
import type { Rejection } from '../../../domain/payouts/rejection.ts';

const BASE: PayoutMappingInput = {
  version: 1,
  format: 'csv',
  columns: {
    kind: { headings: ['Type', 'ধরন'] },
    payoutReference: { headings: ['Payout'] },
    lineReference: { headings: ['Id'] },
    gatewayTxnId: { headings: ['Txn'], optional: true },
    attemptReference: { headings: ['Order'], optional: true },
    currency: { headings: ['Currency'] },
    gross: { headings: ['Gross'] },
    fee: { headings: ['Fee'], blankIsZero: true },
    tax: { headings: ['VAT'], optional: true },
    net: { headings: ['Net'], optional: true },
    originalCurrency: { headings: ['Paid in'], optional: true },
    originalAmount: { headings: ['Paid'], optional: true },
    exchangeRate: { headings: ['Rate'], optional: true },
    occurredAt: { headings: ['Date'] },
    paidOutOn: { headings: ['Paid out'], optional: true },
    description: { headings: ['Text'], optional: true },
  },
  kinds: [
    { words: ['Sale', 'বিক্রয়'], kind: 'CHARGE', direction: 'in' },
    { words: ['Return'], kind: 'REFUND', direction: 'out' },
    { words: ['Correction'], kind: 'ADJUSTMENT' },
  ],
  dateOrder: 'day-first',
};

const ROW = {
  Type: 'Sale',
  Payout: 'PO-7',
  Id: '0001',
  Currency: 'BDT',
  Gross: '1,000.00',
  Fee: '20.00',
  VAT: '3.00',
  Net: '977.00',
  Date: '24/11/2026',
};

function read(cells: Record<string, string>, changes: Partial<PayoutMappingInput> = {}): PayoutLine | Rejection {
  const record = new Map(Object.entries(cells).map(([heading, text]) => [headingKey(heading), text]));
  return mapRecord(record, PayoutMapping.parse({ ...BASE, ...changes }));
}

function line(cells: Record<string, string>, changes: Partial<PayoutMappingInput> = {}): PayoutLine {
  const outcome = read(cells, changes);
  if (isRejection(outcome)) {
    throw new Error(`${outcome.code}: ${outcome.reason}`);
  }
  return outcome;
}

const columnsWithout = (...members: string[]) =>
  Object.fromEntries(Object.entries(BASE.columns).filter(([member]) => !members.includes(member)));

describe('a row becomes a line', () => {
  test('with every member in its place', () => {
    const cells = {
      ...ROW,
      Txn: 'TX9',
      Order: 'attempt1',
      'Paid in': 'usd',
      Rate: '109.5',
      'Paid out': '26/11/2026',
      Text: 'Two\u00A0 shirts',
    };
    expect(line(cells)).toEqual({
      kind: 'CHARGE',
      payoutReference: 'PO-7',
      lineReference: '0001',
      gatewayTxnId: 'TX9',
      attemptReference: 'attempt1',
      currency: 'BDT',
      grossMinor: 100_000n,
      feeMinor: 2_000n,
      taxMinor: 300n,
      netMinor: 97_700n,
      originalCurrency: 'USD',
      exchangeRate: '109.5',
      occurredAt: new Date('2026-11-23T18:00:00Z'),
      paidOutOn: '2026-11-26',
      description: 'Two shirts',
    });
  });

  test.each([
    ['states the rate', { Rate: '109.5', Paid: '1.00' }, 'USD', '109.5'],
    ['states what was paid', { Paid: '9.13' }, 'USD', '109.529025191675794085'],
    ['states what was paid, and that it was taken back', { Paid: '-9.13' }, 'USD', '109.529025191675794085'],
    ['states what was paid in a currency without minor units', { 'Paid in': 'jpy', Paid: '1250' }, 'JPY', '0.8'],
    ['states neither', { Paid: '' }, 'USD', null],
    ['states that nothing was paid', { Paid: '0.00' }, 'USD', null],
    ['states what was paid in its own currency', { 'Paid in': 'bdt', Paid: '1000.00' }, null, null],
  ])('whose conversion %s', (_, cells, originalCurrency, exchangeRate) => {
    // Stripe's report has no column of the rate. The rate that the amounts imply is exact, so that it leads from one to the other.
    expect(line({ ...ROW, 'Paid in': 'usd', ...cells })).toMatchObject({ originalCurrency, exchangeRate });
  });

  test('in which a blank reference is null', () => {
    // An empty reference would match every other empty one.
    const read = line({ ...ROW, Payout: ' ', Id: '', Txn: '\u00A0', Order: '', Text: ' ', Rate: '', Date: '' });
    expect([read.payoutReference, read.lineReference, read.gatewayTxnId, read.attemptReference]).toEqual(
      Array.from({ length: 4 }, () => null),
    );
    expect([read.description, read.exchangeRate, read.occurredAt]).toEqual([null, null, null]);
  });

  test('by headings and words without regard to case and spaces, in either language', () => {
    const { Type: _, Gross: gross, ...rest } = ROW;
    expect(line({ ...rest, ধরন: 'বিক্রয়', ' GROSS ': gross }).kind).toBe('CHARGE');
    expect(line({ ...ROW, Type: ' SALE' }).kind).toBe('CHARGE');
  });

  test('whose signs follow from its kind where the file writes none', () => {
    // A refund that counts as a charge would make a payout twice too large.
    const refund = { ...ROW, Type: 'Return', Fee: '', VAT: '0' };
    expect(line({ ...refund, Net: '1000' })).toMatchObject({ grossMinor: -100_000n, netMinor: -100_000n });
    expect(line({ ...ROW, Type: 'Correction', Gross: '-5', Fee: '', VAT: '0', Net: '-5' })).toMatchObject({
      grossMinor: -500n,
      netMinor: -500n,
    });
    expect(read({ ...refund, Gross: '-1000', Net: '1000' })).toMatchObject({ code: 'BAD_AMOUNT', column: 'Gross' });
  });

  test('whose fee is a cost, however the file signs it', () => {
    const signs = { fee: 'negative', tax: 'negative' } as const;
    expect(line({ ...ROW, Fee: '-20', VAT: '-3' }, { signs })).toMatchObject({ feeMinor: 2_000n, taxMinor: 300n });
    expect(read({ ...ROW, Fee: '-20' })).toMatchObject({ code: 'NET_DIFFERS' });
  });

  test('whose missing amount follows from the others', () => {
    const { Net: _, ...withoutNet } = ROW;
    expect(line(withoutNet).netMinor).toBe(97_700n);
    const columns = columnsWithout('gross');
    const { Gross: __, ...withoutGross } = ROW;
    expect(line(withoutGross, { columns }).grossMinor).toBe(100_000n);
    expect(line({ ...withoutGross, Fee: '' }, { columns })).toMatchObject({ grossMinor: 98_000n, feeMinor: 0n });
  });

  test('with one of credit and debit', () => {
    const columns = {
      ...columnsWithout('gross', 'fee', 'tax', 'net'),
      credit: { headings: ['In'], blankIsZero: true },
      debit: { headings: ['Out'], blankIsZero: true },
    };
    const direct = (In: string, Out: string) => read({ ...ROW, Type: 'Correction', In, Out }, { columns });
    expect(direct('100.00', '')).toMatchObject({ netMinor: 10_000n });
    expect(direct('', '100.00')).toMatchObject({ netMinor: -10_000n });
    expect(direct('0.00', '100.00')).toMatchObject({ netMinor: -10_000n });
    expect(direct('100.00', '1')).toMatchObject({ code: 'BAD_AMOUNT', column: 'Out' });
    expect(direct('', '')).toMatchObject({ code: 'BAD_AMOUNT', column: 'In' });
    expect(direct('', '-100.00')).toMatchObject({ code: 'BAD_AMOUNT', column: 'Out' });
  });

  test("whose date is a spreadsheet's number only in a spreadsheet", () => {
    expect(line({ ...ROW, Date: '46350.5' }, { format: 'xlsx' }).occurredAt).toEqual(new Date('2026-11-24T06:00:00Z'));
    expect(read({ ...ROW, Date: '46350.5' })).toMatchObject({ code: 'BAD_DATE', column: 'Date' });
  });
});

describe('a row is rejected', () => {
  test.each<[string, string | null, Record<string, string>]>([
    ['UNKNOWN_KIND', 'Type', { Type: 'Gift' }],
    ['UNKNOWN_KIND', 'Type', { Type: '' }],
    ['BAD_CURRENCY', 'Currency', { Currency: 'XXX' }],
    ['BAD_CURRENCY', 'Currency', { Currency: '' }],
    ['BAD_CURRENCY', 'Paid in', { 'Paid in': 'Taka' }],
    ['BAD_AMOUNT', 'Gross', { Gross: '' }],
    ['BAD_AMOUNT', 'Gross', { Gross: '1.000,00' }],
    ['BAD_AMOUNT', 'VAT', { VAT: '' }],
    ['BAD_DATE', 'Date', { Date: '11/24/2026' }],
    ['BAD_DATE', 'Paid out', { 'Paid out': 'soon' }],
    ['BAD_RATE', 'Rate', { Rate: '-1' }],
    ['MANGLED_ID', 'Id', { Id: '1.2E+10' }],
    ['MANGLED_ID', 'Payout', { Payout: '12345.0' }],
    ['TOO_LONG', 'Id', { Id: 'x'.repeat(256) }],
    ['TOO_LONG', 'Text', { Text: 'x'.repeat(4097) }],
    ['NET_DIFFERS', 'Net', { Net: '977.01' }],
    ['NET_DIFFERS', 'Net', { Net: '1023.00' }],
  ])('with %s in %p for %p', (code, column, change) => {
    // An operator who corrects the file needs the cell; a line that is half right would hide it.
    expect(read({ ...ROW, ...change })).toMatchObject({ code, column });
  });

  test('with MISSING_COLUMN if it lacks a cell that is not optional', () => {
    const { Gross: _, ...cells } = ROW;
    expect(read(cells)).toMatchObject({ code: 'MISSING_COLUMN', column: 'Gross' });
  });

  test('if its amounts add up to more than can be recorded', () => {
    const most = '90071992547409.91';
    const cells = { ...ROW, Fee: most, VAT: most, Net: most };
    expect(read({ ...cells }, { columns: columnsWithout('gross') })).toMatchObject({ code: 'BAD_AMOUNT' });
    const { Net: _, ...withoutNet } = { ...cells, Gross: '0.00' };
    expect(read(withoutNet)).toMatchObject({ code: 'BAD_AMOUNT' });
  });

  test('without a word of what its cells say', () => {
    // Rejections are stored and logged, and cells hold payers' names.
    const secret = '01712345678';
    for (const column of ['Type', 'Currency', 'Gross', 'Date', 'Rate']) {
      const outcome = read({ ...ROW, [column]: secret.repeat(2) });
      expect(JSON.stringify(isRejection(outcome) ? outcome : {})).not.toContain(secret);
      expect(isRejection(outcome)).toBe(true);
    }
  });
});

describe('a mapping', () => {
  test.each<[string, Partial<PayoutMappingInput>]>([
    ['no kind at all', { columns: columnsWithout('kind') }],
    ['a kind twice', { fixed: { kind: 'CHARGE' } }],
    ['no words of a kind', { kinds: [] }],
    ['a word for two kinds', { kinds: [{ words: ['a', 'A '], kind: 'FEE' }] }],
    ['a currency twice', { fixed: { currency: 'BDT' } }],
    ['no currency at all', { columns: columnsWithout('currency') }],
    ['a currency that does not exist', { columns: columnsWithout('currency'), fixed: { currency: 'XXX' } }],
    ['no amount', { columns: columnsWithout('gross', 'net') }],
    ['gross beside credit', { columns: { ...BASE.columns, credit: { headings: ['In'] } } }],
    ['an unknown time zone', { timeZone: 'Asia/Dacca City' }],
    ['no headings', { columns: { ...BASE.columns, gross: { headings: [] } } }],
    ['a header above the file', { headerRow: 0 }],
  ])('with %s is refused', (_, changes) => {
    // A mapping is checked once, when it is stored, not with each row.
    expect(PayoutMapping.safeParse({ ...BASE, ...changes }).success).toBe(false);
  });

  test('survives being stored as JSON', () => {
    const mapping = PayoutMapping.parse(BASE);
    expect(PayoutMapping.parse(JSON.parse(JSON.stringify(mapping)))).toEqual(mapping);
    expect(mapping).toMatchObject({ timeZone: 'Asia/Dhaka', headerRow: 1, delimiter: null, decimalComma: false });
  });

  test('refuses members that it does not know', () => {
    // A misspelled `decimalComa` would change amounts.
    expect(PayoutMapping.safeParse({ ...BASE, decimalComa: true }).success).toBe(false);
  });
});
