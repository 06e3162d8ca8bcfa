import { chooseGateway } from '../../core/payments/choose-gateway.ts';
import type { PublicPayment } from '../../core/payments/store/public-references.ts';
import { DomainError } from '../../domain/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { readText } from '../http/body.ts';
import type { Context } from '../http/surface.ts';
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
 * Reads the payer's choice from the form and opens the gateway's page. Returns what `chooseGateway` returns.
 * @throws DomainError for a form that is not the page's, and the errors of `chooseGateway`
 */
export async function choose(
  deps: ApiDependencies,
  { context, found, secure }: { readonly context: Context; readonly found: PublicPayment; readonly secure: boolean },
): Promise<PublicPayment | null> {
  const gateway = await readChoice(context);
  const chosen = await chooseGateway(deps, found, gateway);
  if (chosen !== null) {
    remember(context, { gateway, secure });
  }
  return chosen;
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
