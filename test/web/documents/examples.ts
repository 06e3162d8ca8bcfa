import { deflateSync, crc32 } from 'node:zlib';
import { planned, stateOf } from '../../../domain/installments.ts';
import { totalsOf, type InvoiceLine, type TaxRate } from '../../../domain/invoice-totals.ts';
import type { InvoiceDocument, ReceiptDocument } from '../../../web/documents/document.ts';
import { readLogo, type Logo } from '../../../web/documents/logo.ts';

const vat: TaxRate = { name: 'VAT', basisPoints: 1500n };

interface Sold {
  readonly description: string;
  readonly qty: bigint;
  readonly unitAmountMinor: bigint;
  readonly line?: Partial<InvoiceLine>;
}

/** Returns the amounts of an invoice that the domain computes. */
export function billed(sold: readonly Sold[], taxes: readonly TaxRate[] = []) {
  const lines = sold.map(({ qty, unitAmountMinor, line }) => ({
    qty,
    unitAmountMinor,
    discount: null,
    taxes: [],
    ...line,
  }));
  const totals = totalsOf({ lines, discount: null, taxes, rounding: 'HALF_UP' });
  return {
    lines: sold.map(({ description, qty, unitAmountMinor }, index) => ({
      description,
      qty,
      unitAmountMinor,
      ...(totals.lines[index] ?? { lineTotalMinor: 0n, discountMinor: 0n, taxMinor: 0n }),
    })),
    subtotalMinor: totals.subtotalMinor,
    discountMinor: totals.discountMinor,
    taxes: totals.taxes,
    totalMinor: totals.totalMinor,
  };
}

/** Returns a PNG of one colour, so that no image file is needed. */
export function png({ width, height, rgb = [11, 107, 79] }: { width: number; height: number; rgb?: number[] }): Buffer {
  const row = Buffer.from([0, ...Array.from({ length: width }, () => rgb).flat()]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return pngOf([
    ['IHDR', header],
    ['IDAT', deflateSync(Buffer.concat(Array.from({ length: height }, () => row)))],
    ['IEND', Buffer.alloc(0)],
  ]);
}

export function pngOf(chunks: readonly (readonly [string, Buffer])[]): Buffer {
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    ...chunks.map(([type, data]) => {
      const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(data.length);
      const sum = Buffer.alloc(4);
      sum.writeUInt32BE(crc32(body));
      return Buffer.concat([length, body, sum]);
    }),
  ]);
}

export function logoOf(bytes: Uint8Array): Logo {
  const logo = readLogo(bytes);
  if (typeof logo === 'string') {
    throw new Error(`no logo: ${logo}`);
  }
  return logo;
}

const branding = {
  companyName: 'Rupali Books & Stationery',
  companyAddress: '14/2 Nilkhet Road\nDhaka 1205, Bangladesh',
  contactDetails: 'accounts@rupali.example · +880 1700 000000\nBIN 000123456-0101',
  footerNote: 'Thank you for buying from Rupali. Goods can be returned within 14 days.',
  accentColor: '#0b6b4f',
  logo: null,
};

const customer = {
  reference: 'cust_8123',
  name: 'Nusrat Jahan',
  address: 'House 7, Road 11\nDhanmondi, Dhaka 1209',
};

const short = billed(
  [
    { description: 'Three novels, hard cover', qty: 3n, unitAmountMinor: 125_000n },
    { description: 'Desk lamp with dimmer', qty: 1n, unitAmountMinor: 345_050n },
    { description: 'Delivery within Dhaka', qty: 1n, unitAmountMinor: 12_000n },
  ],
  [vat],
);

export const shortInvoice: InvoiceDocument = {
  language: 'en',
  mode: 'LIVE',
  branding,
  number: 'INV-000042',
  status: 'PAID',
  issueDate: '2026-11-21',
  dueDate: '2026-12-05',
  customer,
  ...short,
  paidMinor: short.totalMinor,
  dueMinor: 0n,
  installments: [],
  notes: null,
  payableUrl: 'https://pay.rupali.example/pay/inv_7Hq2mX9vKcT4nB8sLdR1wE',
  currency: 'BDT',
};

const long = billed(
  Array.from({ length: 60 }, (_, index) => ({
    description: `Module ${index + 1}: lessons and marked work`,
    qty: BigInt((index % 4) + 1),
    unitAmountMinor: BigInt(85_000 + index * 1_375),
    line: {
      discount: index % 5 === 0 ? { basisPoints: 1000n } : null,
      taxes: index % 3 === 0 ? [{ name: 'VAT', basisPoints: 750n }] : [],
    },
  })),
);
const installments = planned(long.totalMinor, { count: 12, every: 'MONTH', firstDueDate: '2026-08-15' });
const longPaid = long.totalMinor / 12n + long.totalMinor / 6n + 250_000n;

export const installmentsInvoice: InvoiceDocument = {
  language: 'en',
  mode: 'TEST',
  branding: {
    ...branding,
    companyName: 'Open Institute of Dhaka',
    accentColor: '#3b4cca',
    footerNote: 'Open Institute of Dhaka · registered charity 1234',
  },
  number: 'INV-000107',
  status: 'OVERDUE',
  issueDate: '2026-08-01',
  dueDate: '2027-07-15',
  customer: { ...customer, name: 'Tanvir Ahmed Chowdhury' },
  ...long,
  paidMinor: longPaid,
  dueMinor: long.totalMinor - longPaid,
  installments: stateOf(installments, longPaid, '2026-11-21'),
  notes:
    'Each installment is due on its day; an unpaid one keeps the next module closed.\nQuestions: fees@open.example',
  payableUrl: 'https://pay.open.example/pay/inv_4nB8sLdR1wE7Hq2mX9vKcT',
  currency: 'BDT',
};

const bangla = billed(
  [
    { description: 'উপন্যাস: শ্রীকান্ত, প্রথম খণ্ড', qty: 2n, unitAmountMinor: 45_000n },
    { description: 'বিজ্ঞান ও জ্ঞানকোষ, ছাত্রছাত্রীদের সংস্করণ', qty: 1n, unitAmountMinor: 12_34_567n },
    {
      description: 'রাষ্ট্রবিজ্ঞান পরীক্ষার প্রস্তুতি (Model Test)',
      qty: 12n,
      unitAmountMinor: 1_05_000n,
      line: { discount: { basisPoints: 500n } },
    },
  ],
  [{ name: 'মূল্য সংযোজন কর', basisPoints: 750n }],
);

export const banglaInvoice: InvoiceDocument = {
  language: 'bn',
  mode: 'LIVE',
  branding: {
    companyName: 'রূপালী বই বিতান',
    companyAddress: '১৪/২ নীলক্ষেত রোড\nঢাকা ১২০৫',
    contactDetails: 'accounts@rupali.example · ০১৭০০ ০০০০০০',
    footerNote: 'রূপালীর সঙ্গে থাকার জন্য ধন্যবাদ।',
    accentColor: '#a3261b',
    logo: null,
  },
  number: 'INV-000043',
  status: 'PARTIALLY_PAID',
  issueDate: '2026-11-21',
  dueDate: '2027-01-21',
  customer: { reference: 'cust_8124', name: 'মোছাঃ ফাতেমা খাতুন', address: 'ব্রাহ্মণবাড়িয়া সদর\nব্রাহ্মণবাড়িয়া ৩৪০০' },
  ...bangla,
  paidMinor: 10_00_000n,
  dueMinor: bangla.totalMinor - 10_00_000n,
  installments: stateOf(
    planned(bangla.totalMinor, { count: 3, every: 'MONTH', firstDueDate: '2026-11-21' }),
    10_00_000n,
    '2026-11-21',
  ),
  notes: 'দ্বিতীয় কিস্তি ব্যাংকের মাধ্যমেও দেওয়া যাবে।',
  payableUrl: 'https://pay.rupali.example/pay/inv_9vKcT4nB8sLdR1wE7Hq2mX',
  currency: 'BDT',
};

export const receipt: ReceiptDocument = {
  language: 'en',
  mode: 'LIVE',
  branding,
  number: 'RCP-000311',
  paidAt: new Date('2026-11-21T08:05:00Z'),
  timeZone: 'Asia/Dhaka',
  customer,
  description: 'First installment of INV-000107',
  paymentReference: 'pay_7Hq2mX9vKcT4nB8sLdR1wE',
  gatewayName: 'SSLCOMMERZ',
  gatewayTransactionId: 'c0ffee2026112114051234',
  amountMinor: 10_35_050n,
  refundedMinor: 0n,
  invoice: { number: 'INV-000107', totalMinor: 50_00_000n, paidMinor: 10_35_050n, dueMinor: 39_64_950n },
  url: 'https://pay.rupali.example/checkout/pay_7Hq2mX9vKcT4nB8sLdR1wE',
  currency: 'BDT',
};
