import type { z } from 'zod';
import { pageOfPayments, sumOfPayments, type PaymentsSum } from '../../core/payments/store/payment-list.ts';
import { refundedOfAll } from '../../core/refunds/store/refunds.ts';
import { toDecimalText } from '../../domain/money.ts';
import { afterShadhinpayInstant, gatewayOf, paymentsWith, type ShadhinpayStatus } from '../../domain/shadhinpay.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { ShadhinpayCaller } from './authenticate.ts';
import { pageSliceOf } from './paging.ts';
import type { PaymentsQuery } from './schemas.ts';
import { answered, pageOf, paymentView } from './views.ts';

const CURRENCY = 'BDT';
/** A summary reads every row that it sums, so it is left out above this number. */
const SUMMED_MAX = 100_000;

/** Returns payments newest first, including those of other APIs. */
export async function listPayments(
  { database, webUrl }: ApiDependencies,
  { scope }: ShadhinpayCaller,
  query: z.infer<typeof PaymentsQuery>,
) {
  const slice = pageSliceOf(query);
  const filter = filterOf(query);
  const { rows, total, refunded, sum } = await database.withScope(scope, async (statements) => {
    const page = await pageOfPayments(statements, scope, { filter, slice });
    return {
      ...page,
      refunded: await refundedOfAll(statements, page.rows),
      sum: page.total <= SUMMED_MAX ? await sumOfPayments(statements, scope, { filter, currency: CURRENCY }) : null,
    };
  });
  const data = rows.map((row) => paymentView(row, { refundedMinor: refunded.get(row.id) ?? 0n, webUrl }));
  return {
    ...answered(data, 'Payments retrieved successfully'),
    pagination: pageOf(slice, total),
    ...(sum === null ? {} : { summary: summaryOf(sum) }),
  };
}

function filterOf(query: z.infer<typeof PaymentsQuery>) {
  const { status, vendor, from = null, to, amountMin, amountMax, merchantTxnId } = query;
  return {
    statuses: status === undefined ? undefined : paymentsWith(status),
    gateway: vendor === undefined ? undefined : gatewayOf(vendor),
    merchantReference: merchantTxnId,
    leastMinor: amountMin,
    mostMinor: amountMax,
    from,
    before: to === undefined ? null : afterShadhinpayInstant(to),
  };
}

function summaryOf({ statuses, amountMinor }: PaymentsSum) {
  const count = (...shown: ShadhinpayStatus[]) =>
    shown.flatMap(paymentsWith).reduce((sum, status) => sum + (statuses.get(status) ?? 0), 0);
  return {
    successCount: count('COMPLETED', 'REFUNDED'),
    failedCount: count('FAILED'),
    totalAmount: toDecimalText({ amountMinor, currency: CURRENCY }),
  };
}
