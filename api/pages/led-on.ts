import { askForPayer } from '../../core/gateway-callbacks/store.ts';
import { noteLedOn } from '../../core/payments/store/payments.ts';
import { findPublicPayment, type PublicPayment } from '../../core/payments/store/public-references.ts';
import { describeError } from '../../runtime/logger.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { passOn } from '../../core/gateway-callbacks/pass-on.ts';
import type { Context } from '../http/surface.ts';
import { openedByPerson } from './opened-by-person.ts';

/** Records that our page sends the payer to a gateway: from then on they may have paid without a callback. */
export async function rememberLedOn(deps: ApiDependencies, { scope, payment }: PublicPayment): Promise<void> {
  if (payment.ledOnAt instanceof Date) {
    return;
  }
  // A failure to record this must not stop a payer from paying.
  await deps.database
    .inOneTrip(scope, (statements) => noteLedOn(statements, payment.id))
    .catch((error: unknown) => {
      deps.log.warn(
        { payment: payment.reference, error: describeError(error) },
        'payer’s redirect to the gateway not recorded',
      );
    });
}

/**
 * Queries the gateway when a payer who was sent there opens our page again, at most once a minute. Automatic refreshes do not query. Returns the
 * payment as it is then.
 */
export async function queryAgainFor(
  deps: ApiDependencies,
  context: Context,
  found: PublicPayment,
): Promise<PublicPayment> {
  const { scope, payment } = found;
  const { gateway, ledOnAt, status, reviewReason } = payment;
  const waits = status === 'PENDING' && reviewReason === null && ledOnAt instanceof Date && typeof gateway === 'string';
  if (!waits || !openedByPerson(context)) {
    return found;
  }
  try {
    const asked = await deps.database.inTransaction(scope, (statements) => askForPayer(statements, payment.id));
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
