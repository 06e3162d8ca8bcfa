import type { Json } from '../http/openapi/schemas.ts';

const AT = '2026-11-04T06:00:00.000Z';
const FILE = 'pof_3f9KZtQ0aXw7LrVb2mNs8D';
const PAYOUT = 'po_7f9KZtQ0aXw7LrVb2mNs8D';

const mapping = {
  version: 1,
  format: 'csv',
  columns: {
    attemptReference: { headings: ['tran_id'] },
    net: { headings: ['Amount'] },
    paidOutOn: { headings: ['Settled on'] },
  },
  fixed: { currency: 'BDT', kind: 'CHARGE' },
  dateOrder: 'day-first',
};

const file = {
  reference: FILE,
  mode: 'LIVE',
  gateway: 'sslcommerz',
  storeId: 'shop0live',
  storeApplicationId: null,
  kind: 'lines',
  format: 'csv',
  name: 'settlement-2026-11-03.csv',
  mappingId: 4,
  uploadedBy: 'Asha Rahman',
  createdAt: AT,
  bytes: 48_211,
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  state: 'IMPORTED',
  problem: null,
  warnings: [],
  rowsRead: 412,
  linesAdded: 409,
  linesKnown: 2,
  linesRejected: 1,
  finishedAt: AT,
} satisfies Json;

const said = {
  kind: 'CHARGE',
  payoutReference: null,
  lineReference: null,
  gatewayTxnId: '251103120000abcDEF',
  attemptReference: 'LrVb2mNs8D3f9KZtQ0aX',
  currency: 'BDT',
  grossMinor: 10_000,
  feeMinor: 250,
  taxMinor: 0,
  netMinor: 9_750,
  originalCurrency: null,
  exchangeRate: null,
  occurredAt: '2026-11-02T08:30:00.000Z',
  paidOutOn: '2026-11-03',
  description: null,
};

const rejection = {
  line: 17,
  code: 'BAD_AMOUNT',
  column: 'Amount',
  reason: 'The cell is no amount in BDT: it is empty.',
};

const payout = {
  reference: PAYOUT,
  mode: 'LIVE',
  gateway: 'sslcommerz',
  storeId: 'shop0live',
  storeApplicationId: null,
  gatewayReference: '2026-11-03',
  currency: 'BDT',
  status: 'PAID',
  arrivesOn: '2026-11-03',
  lines: 409,
  linesMinor: '3987750',
  statedMinor: null,
  bankMinor: '3987500',
  residualMinor: '-250',
  itemized: true,
  createdAt: AT,
  updatedAt: AT,
} satisfies Json;

/** Examples of payouts and their files by schema name. */
export const PAYOUT_EXAMPLES: Readonly<Record<string, Json>> = {
  PayoutFile: file,
  UploadedPayoutFile: { file, alreadyKnown: false },
  PayoutRejection: rejection,
  PayoutMappingVersion: { id: 4, gateway: 'sslcommerz', storeId: null, version: 2, mapping, createdAt: AT },
  ShippedPayoutMapping: { name: 'sslcommerz', mapping },
  SavePayoutMapping: { gateway: 'sslcommerz', storeId: null, mapping },
  PayoutPreview: {
    headings: ['tran_id', 'Amount', 'Settled on'],
    lines: [{ line: 2, ...said }],
    rejections: [rejection],
    problem: null,
    fitting: [],
  },
  Payout: payout,
  PayoutDetail: {
    ...payout,
    bankReference: null,
    kinds: [
      {
        kind: 'CHARGE',
        lines: 409,
        grossMinor: '4090000',
        feeMinor: '102250',
        taxMinor: '0',
        netMinor: '3987750',
      },
    ],
    pendingChanges: [],
  },
  PayoutLine: { id: 8_211, file: FILE, fileLine: 2, ordinal: 1, period: '2026-11-03', ...said },
  PayoutBankAmount: { amountMinor: 3_987_500, arrivedOn: '2026-11-03', reason: 'Two payouts came in one transfer' },
  BankEntry: {
    id: 96,
    mode: 'LIVE',
    file: FILE,
    account: 'BD00LEND0000001234567890',
    currency: 'BDT',
    amountMinor: 3_987_500,
    bookedOn: '2026-11-03',
    valueOn: '2026-11-03',
    bankReference: 'FT26307XYZ12',
    remittance: 'SSLCOMMERZ SETTLEMENT',
    payout: null,
    candidates: [PAYOUT],
  },
};
