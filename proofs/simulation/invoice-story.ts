import { refundPlans, type RefundPlan } from './money-story.ts';
import { paymentPlan, type PaymentPlan } from './payment-story.ts';
import type { Random } from './random.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** By then all payers in a rush have reached the gateway's page. */
const MEETING_MS = 20_000;

/** When an invoice is due, in days from the day on which the plan is set. */
export type SchedulePlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'day'; readonly inDays: number }
  /** Shares of the total in basis points, one for each day. */
  | { readonly kind: 'parts'; readonly inDays: readonly number[]; readonly shares: readonly number[] }
  | {
      readonly kind: 'plan';
      readonly inDays: number;
      readonly count: number;
      readonly every: 'WEEK' | 'TWO_WEEKS' | 'MONTH';
    };

export const INVOICE_SHARES = ['asked', 'all', 'part'] as const;
export type InvoiceShare = (typeof INVOICE_SHARES)[number];

/** A payment of an invoice, through the app or on the invoice's page. */
export interface InvoicePaymentPlan {
  readonly afterMs: number;
  readonly share: InvoiceShare;
  /** Percentage of the amount due, if only a part is paid. */
  readonly percent: number;
  readonly onPage: boolean;
  readonly payment: PaymentPlan;
  readonly refunds: readonly RefundPlan[];
}

export const INVOICE_ACTS = ['look', 'void', 'pause', 'resume', 'new due dates', 'edit', 'delete', 'issue'] as const;

export interface InvoiceActPlan {
  readonly afterMs: number;
  readonly kind: (typeof INVOICE_ACTS)[number];
  /** The new due dates, for acts that change them. */
  readonly schedule: SchedulePlan;
}

export interface InvoicePlan {
  readonly createAfterMs: number;
  readonly lines: readonly { readonly qty: number; readonly unitAmountMinor: number }[];
  /** Of the whole invoice; 0 for none. */
  readonly discountBasisPoints: number;
  readonly taxBasisPoints: number;
  readonly schedule: SchedulePlan;
  readonly partialPayments: boolean;
  readonly reminders: { readonly beforeDays: readonly number[]; readonly overdueDays: readonly number[] };
  /** Whether emails can be sent. */
  readonly email: boolean;
  /** Issued at creation. Otherwise it is a draft, which may be issued by an act. */
  readonly issued: boolean;
  /** Duplicate requests at about the same time. */
  readonly duplicates: number;
  readonly payments: readonly InvoicePaymentPlan[];
  readonly acts: readonly InvoiceActPlan[];
}

/** What a story invoices, and what happens to it. */
export interface InvoicesPlan {
  /** For each app: whether refunds of an invoice's payment make the amount due again. */
  readonly reopens: readonly boolean[];
  readonly invoices: readonly InvoicePlan[];
  /** How likely the mail server is unavailable when an email is sent, and how likely it refuses one. */
  readonly mail: { readonly unavailable: number; readonly refused: number };
  /** How likely a fault and a process failure occur at the very moment at which something about an invoice is due. */
  readonly troubled: number;
}

/** Returns null for a story without invoices. */
export function invoicesPlan(
  random: Random,
  { apps, expiryMs }: { apps: number; expiryMs: number },
): InvoicesPlan | null {
  if (random.chance(0.55)) {
    return null;
  }
  return {
    reopens: Array.from({ length: apps }, () => random.chance(0.7)),
    invoices: Array.from({ length: Number(random.weighted({ 1: 4, 2: 3, 3: 1, 4: 1 })) }, () =>
      invoicePlan(random, expiryMs),
    ),
    mail: { unavailable: random.pick([0, 0.3, 0.9]), refused: random.pick([0, 0, 0.3]) },
    troubled: random.pick([0, 0.05, 0.3]),
  };
}

function invoicePlan(random: Random, expiryMs: number): InvoicePlan {
  const issued = random.chance(0.75);
  const payments = random.weighted({ 0: 1.5, 1: 3, 2: 3, 3: 2, 5: 0.7 });
  // Two tabs, or two people with the same link.
  const rush = random.chance(0.4);
  const rushAtMs = payAfterMs(random);
  const createAfterMs = random.between(0, 20_000);
  const meetsAtMs = random.chance(0.6) ? createAfterMs + rushAtMs + MEETING_MS : null;
  return {
    createAfterMs,
    lines: Array.from({ length: random.between(1, 4) }, () => ({
      qty: random.between(1, 9),
      unitAmountMinor: random.between(random.chance(0.1) ? 0 : 500, 400_000),
    })),
    discountBasisPoints: random.chance(0.2) ? random.between(1, 5_000) : 0,
    taxBasisPoints: random.chance(0.3) ? random.between(1, 2_500) : 0,
    schedule: schedulePlan(random),
    partialPayments: random.chance(0.5),
    reminders: {
      beforeDays: daysOf(random, [0, 1, 3, 7]),
      overdueDays: daysOf(random, [1, 2, 5, 14]),
    },
    email: random.chance(0.6),
    issued,
    duplicates: random.chance(0.3) ? random.between(1, 2) : 0,
    payments: Array.from({ length: Number(payments) }, () => {
      const plan = invoicePaymentPlan(random, expiryMs);
      return rush ? inARush(random, plan, { atMs: rushAtMs, meetsAtMs }) : plan;
    }),
    acts: actPlans(random, issued),
  };
}

/** Makes payers act at about the same time, most of them ready to pay at once, so that the second payment to be finalized is an overpayment. */
function inARush(
  random: Random,
  plan: InvoicePaymentPlan,
  { atMs, meetsAtMs }: { atMs: number; meetsAtMs: number | null },
): InvoicePaymentPlan {
  const afterMs = atMs + random.between(0, 3_000);
  return random.chance(0.4)
    ? { ...plan, afterMs }
    : {
        ...plan,
        afterMs,
        share: random.pick(['all', 'asked', 'part']),
        onPage: random.chance(0.2),
        payment: {
          ...plan.payment,
          way: 'pays',
          actAfterMs: random.between(500, 5_000),
          cancelAfterMs: null,
          sessionRefused: false,
          ...(meetsAtMs === null ? {} : { meetsAtMs, takesMs: 500, lagMs: 0, noticeLost: false, noticeAfterMs: 10 }),
        },
      };
}

function daysOf(random: Random, days: readonly number[]): number[] {
  return days.filter(() => random.chance(0.3));
}

/** Includes days in the past: what was due before the invoice was issued is overdue at once. */
function schedulePlan(random: Random): SchedulePlan {
  switch (random.weighted({ none: 2, day: 3, parts: 3, plan: 2 })) {
    case 'none':
      return { kind: 'none' };
    case 'day':
      return { kind: 'day', inDays: random.between(-2, 12) };
    case 'parts': {
      const inDays = [random.between(-3, 4)];
      while (inDays.length < 4 && random.chance(0.7)) {
        inDays.push((inDays.at(-1) ?? 0) + random.between(1, 9));
      }
      return { kind: 'parts', inDays, shares: sharesOf(random, inDays.length) };
    }
    case 'plan':
      return {
        kind: 'plan',
        inDays: random.between(-10, 5),
        count: random.between(2, 4),
        every: random.weighted({ WEEK: 4, TWO_WEEKS: 2, MONTH: 1 }),
      };
  }
}

function sharesOf(random: Random, count: number): number[] {
  const shares = Array.from({ length: count - 1 }, () => random.between(500, 2_900));
  return [...shares, 10_000 - shares.reduce((sum, share) => sum + share, 0)];
}

function invoicePaymentPlan(random: Random, expiryMs: number): InvoicePaymentPlan {
  return {
    afterMs: payAfterMs(random),
    share: random.weighted<InvoiceShare>({ asked: 4, all: 4, part: 2 }),
    percent: random.between(5, 99),
    onPage: random.chance(0.4),
    payment: paymentPlan(random, expiryMs),
    refunds: random.chance(0.6) ? refundPlans(random) : [],
  };
}

function payAfterMs(random: Random): number {
  return random.chance(0.6) ? random.between(1_000, 30 * MINUTE_MS) : random.between(1, 20 * 24) * HOUR_MS;
}

function actPlans(random: Random, issued: boolean): InvoiceActPlan[] {
  const acts: InvoiceActPlan[] = [];
  const act = (kind: InvoiceActPlan['kind'], afterMs: number): void => {
    acts.push({ kind, afterMs, schedule: schedulePlan(random) });
  };
  const soon = (): number => random.between(500, 40 * MINUTE_MS);
  if (!issued) {
    if (random.chance(0.4)) {
      act('edit', soon());
    }
    act(random.weighted({ issue: 6, delete: 1, look: 1 }), soon());
    if (random.chance(0.2)) {
      act('issue', acts.at(-1)?.afterMs ?? 0);
    }
  }
  for (let looks = random.between(0, 4); looks > 0; looks -= 1) {
    act('look', random.chance(0.5) ? soon() : random.between(1, 25) * DAY_MS);
  }
  if (random.chance(0.25)) {
    act('void', random.chance(0.7) ? soon() : random.between(1, 15) * DAY_MS);
  }
  if (random.chance(0.25)) {
    const pausedAtMs = random.chance(0.5) ? soon() : random.between(1, 8) * DAY_MS;
    act('pause', pausedAtMs);
    if (random.chance(0.8)) {
      act('resume', pausedAtMs + random.between(1, 240) * HOUR_MS);
    }
  }
  for (let changes = random.chance(0.3) ? random.between(1, 3) : 0; changes > 0; changes -= 1) {
    act('new due dates', random.chance(0.5) ? soon() : random.between(1, 10) * DAY_MS);
  }
  return acts;
}
