import type { Database } from '../database/connection.ts';
import { readOperatingFigures } from '../core/maintenance/store/gauges.ts';
import type { Reading } from '../runtime/telemetry.ts';

export async function readGauges(database: Database): Promise<Reading[]> {
  const figures = await readOperatingFigures(database);
  return [
    { gauge: 'lenden.payments.open', value: figures.openPayments },
    { gauge: 'lenden.payments.review', value: figures.paymentsInReview },
    { gauge: 'lenden.ledger.unsealed_age', value: figures.oldestUnsealedSeconds },
    ...figures.unappliedMoney.flatMap(({ currency, charges, amountMinor }): Reading[] => [
      { gauge: 'lenden.unapplied_payments.held', value: charges, attributes: { currency } },
      { gauge: 'lenden.unapplied_payments.held_minor', value: amountMinor, attributes: { currency } },
    ]),
  ];
}
