import type { TimelineEntry } from '../../core/payments/store/explanation.ts';
import type { Situation } from '../../domain/explanation.ts';
import type { PaymentStatus } from '../../domain/payment.ts';

export function explanationView(
  status: PaymentStatus,
  { timeline, ...situation }: Situation & { readonly timeline: readonly TimelineEntry[] },
) {
  return {
    status,
    ...situation,
    until: situation.until?.toISOString() ?? null,
    timeline: timeline.map((entry) => ({ ...entry, at: entry.at.toISOString() })),
  };
}
