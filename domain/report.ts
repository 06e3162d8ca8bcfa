/** The lengths of the periods that a report has one row for. */
export const REPORT_SPANS = ['hour', 'day'] as const;
export type ReportSpan = (typeof REPORT_SPANS)[number];

/** The longest window of a report, in days. */
export const REPORT_DAYS_MAX = { hour: 31, day: 400 } as const satisfies Readonly<Record<ReportSpan, number>>;

/**
 * The steps to which the time from a payment's creation to its success is rounded up, in seconds; the last one stands for anything longer. Percentiles
 * of rounded times need only a count for each step, and these counts can be added up.
 */
export const TIME_TO_PAY_STEPS: readonly number[] = [
  1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 60, 75, 90, 105, 120, 150, 180, 240, 300, 420, 600, 900,
  1_200, 1_800, 2_700, 3_600, 5_400, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 259_200, 604_800, 1_209_600,
  2_592_000,
];

/**
 * Returns how many of the ended payments succeeded, as decimal text with four digits after the point, rounded half up: 15 of 16 is `0.9375`. Null if
 * none ended.
 */
export function successRate({
  succeeded,
  ended,
}: {
  readonly succeeded: bigint;
  readonly ended: bigint;
}): string | null {
  if (ended === 0n) {
    return null;
  }
  const tenThousandths = (2n * succeeded * RATE_SCALE + ended) / (2n * ended);
  const digits = tenThousandths.toString().padStart(5, '0');
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`;
}

const RATE_SCALE = 10_000n;
