import type { Explanation } from '../../core/payments/store/explanation.ts';
import type { PaymentStatus } from '../../domain/payment.ts';

export function explanationView(status: PaymentStatus, { timeline, ...situation }: Explanation) {
  return {
    status,
    ...situation,
    until: situation.until?.toISOString() ?? null,
    timeline: timeline.map((entry) => ({ ...entry, at: entry.at.toISOString() })),
  };
}
