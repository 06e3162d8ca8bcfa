import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { passOn } from '../gateway-callbacks/pass-on.ts';
import { requestQueryForPayer } from '../gateway-callbacks/store/unkept.ts';
import { noteLedOn } from './store/payments.ts';
import { findPublicPayment, type PublicPayment } from './store/public-references.ts';

type Dependencies = Pick<CoreDependencies, 'database' | 'dispatch' | 'log'>;

/** Records that our page sends the payer to a gateway: from then on they may have paid without a callback. */
export async function rememberLedOn(deps: Dependencies, { scope, payment }: PublicPayment): Promise<void> {
  if (payment.ledOnAt instanceof Date) {
    return;
  }
  // A failure to record this must not stop a payer from paying.
  await deps.database
    .withScope(scope, (statements) => noteLedOn(statements, payment.id), { oneTrip: true })
    .catch((error: unknown) => {
      deps.log.warn(
        { payment: payment.reference, error: describeError(error) },
        'payer’s redirect to the gateway not recorded',
      );
    });
}

/**
 * Queries the gateway for a payer who was sent there and has opened our page again, at most once a minute. Returns the payment as it is then.
 */
export async function queryForReturned(deps: Dependencies, found: PublicPayment): Promise<PublicPayment> {
  const { scope, payment } = found;
  const { gateway, ledOnAt, status, reviewReason } = payment;
  if (status !== 'PENDING' || reviewReason !== null || !(ledOnAt instanceof Date) || typeof gateway !== 'string') {
    return found;
  }
  try {
    const asked = await deps.database.withScope(scope, (statements) => requestQueryForPayer(statements, payment.id));
    if (asked?.signal !== true) {
      return found;
    }
    await passOn(deps, asked, { scope, gateway });
  } catch (error) {
    deps.log.warn(
      { payment: payment.reference, error: describeError(error) },
      'gateway query for a returned payer not signalled',
    );
  }
  return (await findPublicPayment(deps.database, payment.reference)) ?? found;
}
