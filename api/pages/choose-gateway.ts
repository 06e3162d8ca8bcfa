import { chooseGateway, type ChoiceOutcome } from '../../core/payments/store/gateway-choices.ts';
import { findPublicPayment, type PublicPayment } from '../../core/payments/store/public-references.ts';
import { DomainError } from '../../domain/errors.ts';
import { attemptReference } from '../../domain/references.ts';
import { describeError } from '../../runtime/logger.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { readText } from '../http/body.ts';
import type { Context } from '../http/surface.ts';
import { SESSION_WAIT } from '../../core/payments/create-payment.ts';
import { paymentHandleOf } from '../../core/dispatch.ts';
import { gatewayName } from '../../core/gateways/gateway-name.ts';

const FORM_TYPE = 'application/x-www-form-urlencoded';
const FORM_BYTES_MAX = 1_000;
const REMEMBERED = 'lenden_gateway';
const REMEMBERED_FOR_MS = 365 * 24 * 3_600_000;
const NAME = /^[a-z]{1,30}$/;

export interface Option {
  readonly name: string;
  readonly label: string;
}

/** Returns the gateways that the payer can choose from, with the last choice in this browser first. Empty if the application has chosen. */
export function optionsOf(deps: ApiDependencies, { payment }: PublicPayment, context: Context): Option[] {
  const remembered = context.cookies.get(REMEMBERED);
  const options = (payment.gatewayChoices ?? []).map((name) => ({
    name,
    label: gatewayName(deps.gateways, name) ?? name,
  }));
  return [...options.filter(({ name }) => name === remembered), ...options.filter(({ name }) => name !== remembered)];
}

/**
 * Reads the payer's choice from the form and opens the gateway's page. Returns the payment as it is then. If the gateway's page could not be opened
 * in time, the payment has none yet and our page waits for it. Returns null if there is nothing left to choose; our page shows why.
 * @throws DomainError for a form that is not the page's, a gateway that the page does not offer, and more than ten choices
 */
export async function choose(
  deps: ApiDependencies,
  { context, found, secure }: { readonly context: Context; readonly found: PublicPayment; readonly secure: boolean },
): Promise<PublicPayment | null> {
  const { scope, payment, applicationName } = found;
  const gateway = await readChoice(context);
  const choice = {
    paymentId: payment.id,
    gateway,
    reference: attemptReference(),
    storeId: deps.gateways.defaultStoreId(gateway, payment.mode) ?? null,
  };
  const outcome = await deps.database.inTransaction(scope, (statements) => chooseGateway(statements, choice));
  const attempt = attemptOf(outcome);
  if (attempt === null) {
    return null;
  }
  remember(context, { gateway, secure });
  const { reference } = payment;
  const handle = paymentHandleOf({ ...payment, gateway }, applicationName);
  const told =
    outcome.kind === 'kept'
      ? deps.dispatch.signalChoice(reference)
      : deps.dispatch.chooseGateway(handle, { attemptReference: attempt, ...SESSION_WAIT });
  await told.catch((error: unknown) => {
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

async function readChoice(context: Context): Promise<string> {
  if (!context.is(FORM_TYPE)) {
    throw new DomainError('UNSUPPORTED_MEDIA_TYPE', 'send the form as application/x-www-form-urlencoded');
  }
  const fields = new URLSearchParams(await readText(context.req, FORM_BYTES_MAX));
  const [gateway = '', ...more] = fields.getAll('gateway');
  if (!NAME.test(gateway) || more.length > 0) {
    throw new DomainError('VALIDATION_ERROR', 'the form does not belong to this page');
  }
  return gateway;
}

/** Stores the last choice in this browser. The cookie contains no personal data. */
function remember(context: Context, { gateway, secure }: { readonly gateway: string; readonly secure: boolean }): void {
  context.append(
    'Set-Cookie',
    `${REMEMBERED}=${gateway}; Path=/; Max-Age=${REMEMBERED_FOR_MS / 1_000}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`,
  );
}
