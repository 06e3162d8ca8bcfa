import { z } from 'zod';
import { BUSINESS_TIME_ZONE } from '../calendar.ts';
import { isCurrency } from '../currency.ts';
import { DATE_ORDERS } from './date-text.ts';
import { headingKey } from './heading.ts';
import { PAYOUT_LINE_KINDS } from './payout-line.ts';
import { isTimeZone } from './zoned-time.ts';

const Word = z.string().trim().min(1).max(200);

/** Where a member of a line is in the file: the first of these headings that the file has. */
const Column = z.strictObject({
  headings: z.array(Word).min(1).max(20),
  /** A file without the column is read all the same, and the member is null. */
  optional: z.boolean().default(false),
});

/** An amount's column. A blank cell is refused unless `blankIsZero`. */
const AmountColumn = Column.extend({ blankIsZero: z.boolean().default(false) });

const Columns = z.strictObject({
  kind: Column.optional(),
  payoutReference: Column.optional(),
  lineReference: Column.optional(),
  gatewayTxnId: Column.optional(),
  attemptReference: Column.optional(),
  currency: Column.optional(),
  gross: AmountColumn.optional(),
  /** Money to us and money from us in columns of their own, as banks write: gross is credit − debit, and neither is negative. */
  credit: AmountColumn.optional(),
  debit: AmountColumn.optional(),
  fee: AmountColumn.optional(),
  tax: AmountColumn.optional(),
  net: AmountColumn.optional(),
  /** What the payer paid, before the gateway converted it. With the amount, the row implies the rate where no column states it. */
  originalCurrency: Column.optional(),
  originalAmount: Column.optional(),
  /** 1 of the original currency is so much of the line's. */
  exchangeRate: Column.optional(),
  occurredAt: Column.optional(),
  paidOutOn: Column.optional(),
  description: Column.optional(),
});

/**
 * - `as-written`: gross and net carry their own sign.
 * - `in`, `out`: gross and net are written without a sign and move to us or from us; a negative one is refused.
 */
const Direction = z.enum(['as-written', 'in', 'out']);

const KindWords = z.strictObject({
  words: z.array(Word).min(1).max(50),
  kind: z.enum(PAYOUT_LINE_KINDS),
  direction: Direction.default('as-written'),
});

/** How a cost that we pay is written: `positive` (2.50 was taken) or `negative` (−2.50). */
const CostSign = z.enum(['positive', 'negative']);

const Fixed = z.strictObject({
  currency: z.string().refine(isCurrency, 'is not an ISO 4217 currency').nullable().default(null),
  kind: z.enum(PAYOUT_LINE_KINDS).nullable().default(null),
  /** The kind of a row whose amount is negative. Null: the same. */
  negativeKind: z.enum(PAYOUT_LINE_KINDS).nullable().default(null),
  direction: Direction.default('as-written'),
});

const Totals = z.strictObject({ headings: Column.shape.headings, words: z.array(Word).min(1).max(20) });

/**
 * How the columns of a payout file become lines. It is stored as JSON and numbered by `version`, so that a file is read again as it was read first.
 * Headings and words are compared without regard to case and spaces.
 */
export const PayoutMapping = z
  .strictObject({
    version: z.literal(1),
    format: z.enum(['csv', 'xlsx']),
    /** Null: whichever of comma, semicolon and tab makes the most known headings of the header row. */
    delimiter: z.enum([',', ';', '\t']).nullable().default(null),
    /** The physical line of the headings, from 1. What stands above is not read. */
    headerRow: z.int().min(1).max(100).default(1),
    columns: Columns,
    kinds: z.array(KindWords).max(50).default([]),
    fixed: Fixed.default({ currency: null, kind: null, negativeKind: null, direction: 'as-written' }),
    dateOrder: z.enum(DATE_ORDERS),
    timeZone: z.string().max(64).refine(isTimeZone, 'is not a known time zone').default(BUSINESS_TIME_ZONE),
    decimalComma: z.boolean().default(false),
    signs: z.strictObject({ fee: CostSign.default('positive'), tax: CostSign.default('positive') }).default({
      fee: 'positive',
      tax: 'positive',
    }),
    /** Rows without any text are not lines. If false, they are rejected. */
    skipEmptyRows: z.boolean().default(true),
    /** Rows at the end of the file whose cell in this column is one of these words are sums, not lines. */
    totals: Totals.nullable().default(null),
  })
  .superRefine((mapping, context) => {
    for (const message of contradictionsOf(mapping)) {
      context.addIssue({ code: 'custom', message });
    }
  });
export type PayoutMapping = z.infer<typeof PayoutMapping>;
/** The mapping as it is written, with defaults left out. */
export type PayoutMappingInput = z.input<typeof PayoutMapping>;
export type MappedColumns = PayoutMapping['columns'];
export type MappedMember = keyof MappedColumns;
export type MappedDirection = z.infer<typeof Direction>;

interface Parts {
  readonly columns: z.infer<typeof Columns>;
  readonly kinds: readonly z.infer<typeof KindWords>[];
  readonly fixed: z.infer<typeof Fixed>;
}

function contradictionsOf({ columns, kinds, fixed }: Parts): string[] {
  const words = kinds.flatMap((entry) => entry.words.map(headingKey));
  const split = columns.credit !== undefined || columns.debit !== undefined;
  const checks: readonly (readonly [boolean, string])[] = [
    [
      (columns.kind === undefined) === (fixed.kind === null),
      'State the kind by a column or as a fixed value, not both.',
    ],
    [columns.kind !== undefined && kinds.length === 0, 'A column of the kind needs words.'],
    [new Set(words).size < words.length, 'A word stands for two kinds.'],
    [
      (columns.currency === undefined) === (fixed.currency === null),
      'State the currency by a column or as a fixed value, not both.',
    ],
    [fixed.kind === null && fixed.negativeKind !== null, 'A kind of negative rows needs a fixed kind of the others.'],
    [split && columns.gross !== undefined, 'Credit and debit are the gross: map either them or the gross.'],
    [!split && columns.gross === undefined && columns.net === undefined, 'Map a gross or a net amount.'],
  ];
  return checks.filter(([wrong]) => wrong).map(([, message]) => message);
}
