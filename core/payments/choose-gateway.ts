import { DomainError } from '../../domain/errors.ts';
import { attemptReference } from '../../domain/references.ts';
import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { paymentHandleOf } from '../dispatch.ts';
import { SESSION_WAIT } from './create-payment.ts';
import { chooseGateway as storeChoice, type ChoiceOutcome } from './store/gateway-choices.ts';
import { findPublicPayment, type PublicPayment } from './store/public-references.ts';

/**
 * Stores the payer's choice and opens the gateway's page. Returns the payment as it is then. If the gateway's page could not be opened in time, the
 * payment has none yet and our page waits for it. Returns null if there is nothing left to choose.
 * @throws DomainError VALIDATION_ERROR for a gateway that the payment does not offer, RATE_LIMITED after ten choices
 */
export async function chooseGateway(
  deps: Pick<CoreDependencies, 'database' | 'dispatch' | 'gateways' | 'log'>,
  found: PublicPayment,
  gateway: string,
): Promise<PublicPayment | null> {
  const { scope, payment, applicationName } = found;
  const choice = {
    paymentId: payment.id,
    gateway,
    reference: attemptReference(),
    storeId: deps.gateways.defaultStoreId(gateway, payment.mode) ?? null,
  };
  const outcome = await deps.database.withScope(scope, (statements) => storeChoice(statements, choice));
  const attempt = attemptOf(outcome);
  if (attempt === null) {
    return null;
  }
  const { reference } = payment;
  const handle = paymentHandleOf({ ...payment, gateway }, applicationName);
  const opening =
    outcome.kind === 'kept'
      ? deps.dispatch.signalChoice(reference)
      : deps.dispatch.chooseGateway(handle, { attemptReference: attempt, ...SESSION_WAIT });
  await opening.catch((error: unknown) => {
    deps.log.warn(
      { payment: reference, error: describeError(error) },
      'checkout at the chosen gateway not open yet; the page waits for it',
    );
  });
  return (await findPublicPayment(deps.database, reference)) ?? found;
}

function attemptOf(outcome: ChoiceOutcome): string | null {
  switch (outcome.kind) {
    case 'chosen':
    case 'kept':
      return outcome.reference;
    case 'closed':
      return null;
    case 'not-offered':
      throw new DomainError('VALIDATION_ERROR', 'the payment cannot be paid at that gateway');
    case 'too-often':
      throw new DomainError('RATE_LIMITED', 'the gateway was changed too often', { retryAfterSeconds: 3_600 });
  }
}
