import { z } from 'zod';
import { BUSINESS_TIME_ZONE } from '../../domain/calendar.ts';
import { headingKey } from '../../domain/payouts/heading.ts';
import { isRejection, mapRecord, type FileRecord } from '../../domain/payouts/map-record.ts';
import type { PayoutMapping } from '../../domain/payouts/mapping.ts';
import type { PayoutLine } from '../../domain/payouts/payout-line.ts';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import { isTimeZone } from '../../domain/payouts/zoned-time.ts';
import { readCursor } from '../cursor.ts';
import { optionalText, readAnswer } from '../json.ts';
import { GatewayFailure, type PayoutPage, type PayoutWindow, type RejectedPayoutLine } from '../port.ts';
import { requireConnected } from './answers.ts';
import type { Call } from './call.ts';

/** Unconfirmed: public programs use this address and these fields; the official pages do not mention them. */
const SETTLEMENT_PATH = '/validator/api/v4/';
const LINES_PER_PAGE = 100;
const PAGES_MAX = 100_000;

const Count = optionalText.refine((text) => /^\d{1,9}$/.test(text)).transform(Number);

const SettlementAnswer = z.looseObject({
  APIConnect: optionalText,
  no_of_trans: optionalText,
  total_pages: optionalText,
  time_zone: optionalText,
  sett: z.array(z.record(z.string(), z.unknown())).max(LINES_PER_PAGE).nullish(),
});

const Totals = z.object({ no_of_trans: Count, total_pages: Count.refine((pages) => pages <= PAGES_MAX) });

const Cursor = z.strictObject({
  page: z.int().min(2).max(PAGES_MAX),
  pages: z.int().min(2).max(PAGES_MAX),
  read: z.int().min(1),
});

/**
 * Reads a page of the settlement records: what was credited, without the transfers to the bank and without fees. Each record is read as a row of the
 * gateway's file would be, so that both sources agree.
 */
export async function readPayouts(
  call: Call,
  store: { id: string; password: string },
  { from, to, after }: PayoutWindow,
): Promise<PayoutPage> {
  const cursor = after === null ? null : readCursor(Cursor, after);
  const page = cursor?.page ?? 1;
  const form = new URLSearchParams({
    store_id: store.id,
    store_passwd: store.password,
    action: 'settlementRecord',
    start_date: from,
    end_date: to,
    page: String(page),
    limit: String(LINES_PER_PAGE),
  });
  const { answer } = await call(SettlementAnswer, { method: 'POST', path: SETTLEMENT_PATH, form });
  requireConnected(answer.APIConnect);
  const { no_of_trans: count, total_pages: pages } = readAnswer(Totals, answer);
  const rows = answer.sett ?? [];
  const read = (cursor?.read ?? 0) + rows.length;
  requireWhole({ page, pages, pagesBefore: cursor?.pages ?? pages, count, rows: rows.length, read });
  return {
    payouts: [],
    ...linesOf(rows, mappingIn(answer.time_zone)),
    next: page < pages ? JSON.stringify({ page: page + 1, pages, read } satisfies z.infer<typeof Cursor>) : null,
  };
}

interface Extent {
  readonly page: number;
  readonly pages: number;
  readonly pagesBefore: number;
  readonly count: number;
  readonly rows: number;
  readonly read: number;
}

/** Whether the count is of the page or of all pages is not known: either may hold at the end. */
function requireWhole({ page, pages, pagesBefore, count, rows, read }: Extent): void {
  if (pages !== pagesBefore) {
    throw new GatewayFailure('ambiguous', 'the settlement records changed while they were read');
  }
  const isLast = page >= pages;
  if (isLast ? count !== rows && count !== read : rows === 0) {
    throw new GatewayFailure('ambiguous', 'the gateway states another number of settlement records than it lists');
  }
}

/** The answer names the time zone of its times. */
function mappingIn(timeZone: string): PayoutMapping {
  if (timeZone !== '' && !isTimeZone(timeZone)) {
    throw new GatewayFailure('ambiguous', 'the gateway states the times of its settlement records in an unknown zone');
  }
  return { ...SHIPPED_MAPPINGS.sslcommerz, timeZone: timeZone === '' ? BUSINESS_TIME_ZONE : timeZone };
}

function linesOf(
  rows: readonly Readonly<Record<string, unknown>>[],
  mapping: PayoutMapping,
): { lines: PayoutLine[]; rejected: RejectedPayoutLine[] } {
  const lines: PayoutLine[] = [];
  const rejected: RejectedPayoutLine[] = [];
  for (const row of rows) {
    const outcome = mapRecord(recordOf(row), mapping);
    if (isRejection(outcome)) {
      rejected.push({ payoutReference: null, lineReference: plainText(row['transactionID']), rejection: outcome });
    } else {
      lines.push(outcome);
    }
  }
  return { lines, rejected };
}

function recordOf(row: Readonly<Record<string, unknown>>): FileRecord {
  return new Map(
    Object.entries(row).flatMap(([name, value]): [string, string][] => {
      const text = plainText(value);
      return text === null ? [] : [[headingKey(name), text]];
    }),
  );
}

/** A number that JSON cannot carry exactly is written with an exponent, which no id and no amount may have. */
function plainText(value: unknown): string | null {
  if (typeof value === 'number') {
    return Math.abs(value) > Number.MAX_SAFE_INTEGER ? value.toExponential() : String(value);
  }
  return typeof value === 'string' ? value : null;
}
