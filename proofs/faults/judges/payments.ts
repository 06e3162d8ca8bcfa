import { paymentIn, paymentsIn, type PaymentView } from '../application.ts';
import type { Evidence } from '../evidence.ts';
import type { RecordedCharge, RecordedSession } from '../booked.ts';
import type { Errand } from '../plan.ts';

/** One errand with all outside records about it. */
export interface Course {
  readonly errand: Errand;
  /** As the API showed it at the end; null if the errand led to no payment. */
  readonly last: PaymentView | null;
  readonly sessions: readonly RecordedSession[];
  readonly charges: readonly RecordedCharge[];
}

export function coursesOf({ errands, answers, sessions, charges }: Evidence): Course[] {
  return errands.map((errand) => {
    const own = sessions.filter(({ mark }) => mark === errand.mark);
    const orders = new Set(own.map(({ tranId }) => tranId));
    const lists = answers.filter(({ mark, kind }) => mark === errand.mark && kind === 'list');
    return {
      errand,
      last: lists.flatMap((list) => paymentsIn(list) ?? []).at(-1) ?? null,
      sessions: own,
      charges: charges.filter(({ tranId }) => orders.has(tranId)),
    };
  });
}

/** Statuses of a payment that succeeded, in the only possible order. */
const AFTER_SUCCESS: readonly string[] = ['SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED'];
export const PAID: ReadonlySet<string> = new Set(AFTER_SUCCESS);
export const FINAL: ReadonlySet<string> = new Set([...AFTER_SUCCESS, 'FAILED', 'CANCELLED', 'EXPIRED']);

/** Returns the payment's final state, which later refunds do not change. */
export function endOf({ status }: { status: string }): string {
  return PAID.has(status) ? 'SUCCEEDED' : status;
}

/** Returns whether a payment may be seen first in one state and later in the other. */
export function mayFollow(earlier: string, later: string): boolean {
  return PAID.has(earlier) ? AFTER_SUCCESS.indexOf(later) >= AFTER_SUCCESS.indexOf(earlier) : earlier === later;
}

/** Returns each state of the errand's payment that a client saw, in the order of the requests. */
export function sightings({ answers }: Evidence, { mark }: Errand) {
  return answers
    .filter(
      (answer) =>
        answer.mark === mark && answer.status !== null && answer.status < 300 && answer.kind !== 'foreign-read',
    )
    .flatMap((answer) => {
      const payments = answer.kind === 'list' ? (paymentsIn(answer) ?? []) : [paymentIn(answer)];
      return payments.flatMap((payment) => (payment === null ? [] : [{ answer, payment }]));
    });
}
