import type { PaymentRecord } from '../../core/payments/store/payments.ts';
import {
  findPublicInvoice,
  findPublicPayment,
  type PublicPayment,
} from '../../core/payments/store/public-references.ts';
import { BUSINESS_TIME_ZONE } from '../../domain/calendar.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { isPaid } from '../../domain/payment.ts';
import { checkoutPath } from '../../domain/payment-view.ts';
import { assetAt } from '../../web/assets.ts';
import { renderCheckoutPage } from '../../web/checkout/page.ts';
import type { CheckoutState, SubmissionProblem } from '../../web/checkout/view.ts';
import { assetHeaders, pageHeaders } from '../../web/headers.ts';
import { inLanguage } from '../../web/language.ts';
import { allowHeader } from '../http/methods.ts';
import { admitAddress, type RateLimiter } from '../http/rate-limit.ts';
import type { Context } from '../http/surface.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { DOCUMENT_HEADERS } from '../documents/pdf-reply.ts';
import { receiptPdf } from '../documents/receipt-pdf.ts';
import { checkoutState } from './checkout-view.ts';
import { choose, optionsOf } from './choose-gateway.ts';
import { formOrigins } from './form-origins.ts';
import { queryForReturned, rememberLedOn } from '../../core/payments/led-on.ts';
import { manualState, paysOnOurPage, acceptSubmission } from './manual-payment.ts';
import { openedByPerson } from './opened-by-person.ts';
import { answerOperatorLink, OPERATOR_LINK } from './operator-link.ts';
import { payInvoice, sendBrand, sendInvoicePdf, sendLogo, showPayable } from './payable.ts';
import { gatewayName } from '../../core/gateways/gateway-name.ts';
import { requestCancel } from '../../core/payments/request-cancel.ts';
import { contractOf } from '../../core/contracts/contracts.ts';
import { leadBack } from './lead-back.ts';
import { CHECKOUT, keepLanguage, languageOf, PAYABLE } from './paths.ts';

/** The policy of responses that are not pages, such as redirects: nothing may be loaded or framed. Pages set their own. */
const PLAIN_POLICY = "default-src 'none'; frame-ancestors 'none'";
/** Requests with unknown references, per minute and address: a payer mistypes a few times, an attacker guesses many. */
const MISSES_PER_MINUTE = 30;
/** Visits to the gateway per minute and address: a person needs few, an attacker who tests stolen cards needs many. */
const CONTINUES_PER_MINUTE = 20;
const CANCELS_PER_MINUTE = 20;
/** Enough for a payer who corrects a few mistakes. */
const SUBMISSIONS_PER_MINUTE = 20;
const DOCUMENTS_PER_MINUTE = 30;

/** Returns the handler of the payers' pages. They are rendered on the server; every change is a form's POST, answered by 303. */
export function createPages(deps: ApiDependencies, limiter: RateLimiter): (context: Context) => Promise<boolean> {
  const secure = deps.webUrl.startsWith('https:');
  return async (context) => {
    context.set('Content-Security-Policy', PLAIN_POLICY);
    const asset = assetAt(context.path);
    if (asset !== null) {
      context.state.route = 'asset';
      requireMethod(context, 'GET');
      context.set(assetHeaders({ asset, secure }));
      context.body = asset.body;
      return true;
    }
    keepLanguage(context, secure);
    const checkout = CHECKOUT.exec(context.path);
    if (checkout !== null) {
      await answerCheckout(deps, { context, limiter, secure, match: checkout });
      return true;
    }
    const link = OPERATOR_LINK.exec(context.path)?.[1];
    if (link !== undefined) {
      await answerOperatorLink(deps, { context, limiter, secure, token: link });
      return true;
    }
    const payable = PAYABLE.exec(context.path);
    if (payable !== null) {
      await answerPayable(deps, { context, limiter, secure, match: payable });
      return true;
    }
    return false;
  };
}

interface Answering {
  readonly context: Context;
  readonly limiter: RateLimiter;
  readonly secure: boolean;
  /** The match of the path: reference and action. */
  readonly match: RegExpExecArray;
}

async function answerCheckout(deps: ApiDependencies, { context, limiter, secure, match }: Answering): Promise<void> {
  const [, reference = '', action] = match;
  context.state.route = `page checkout${action === undefined ? '' : ` ${action}`}`;
  requireMethod(context, action === undefined || action === 'receipt' ? 'GET' : 'POST');
  const found = await findPublicPayment(deps.database, reference);
  if (found === null) {
    throw missed(context, limiter, 'payment');
  }
  switch (action) {
    case 'continue':
      admitVelocity(deps, { context, limiter });
      await leadOn(deps, context, found);
      break;
    case 'gateway': {
      admitVelocity(deps, { context, limiter });
      const chosen = await choose(deps, { context, found, secure });
      if (chosen === null) {
        redirect(context, pagePath(context, found));
      } else {
        await leadOn(deps, context, chosen);
      }
      break;
    }
    case 'submission': {
      admitAddress(context, limiter, { bucket: 'submission', perMinute: SUBMISSIONS_PER_MINUTE });
      const problem = await acceptSubmission(deps, context, found);
      redirect(context, pagePath(context, found, problem));
      break;
    }
    case 'cancel':
      admitAddress(context, limiter, { bucket: 'cancel', perMinute: CANCELS_PER_MINUTE });
      await requestCancel(deps, found);
      redirect(context, pagePath(context, found));
      break;
    case 'receipt':
      admitDocument(context, limiter);
      await sendReceipt(deps, { context, found });
      break;
    default:
      await showCheckout(deps, { context, limiter, found, secure });
  }
}

async function answerPayable(deps: ApiDependencies, { context, limiter, secure, match }: Answering): Promise<void> {
  const [, reference = '', action] = match;
  context.state.route = `page pay${action === undefined ? '' : ` ${action}`}`;
  requireMethod(context, action === 'pay' ? 'POST' : 'GET');
  const found = await findPublicInvoice(deps.database, reference);
  if (found === null) {
    throw missed(context, limiter, 'invoice');
  }
  const page = { context, found, language: languageOf(context), secure };
  switch (action) {
    case 'pay':
      admitVelocity(deps, { context, limiter });
      await payInvoice(deps, page);
      break;
    case 'pdf':
      admitDocument(context, limiter);
      await sendInvoicePdf(deps, page);
      break;
    case 'logo':
      await sendLogo(deps, page);
      break;
    case 'brand.css':
      await sendBrand(deps, page);
      break;
    default:
      await showPayable(deps, page);
  }
}

function missed(context: Context, limiter: RateLimiter, what: string): DomainError {
  admitAddress(context, limiter, { bucket: 'page miss', perMinute: MISSES_PER_MINUTE });
  return notFound(what);
}

/** Rendering a document occupies a process for a moment. */
function admitDocument(context: Context, limiter: RateLimiter): void {
  admitAddress(context, limiter, { bucket: 'document', perMinute: DOCUMENTS_PER_MINUTE });
}

async function sendReceipt(
  deps: ApiDependencies,
  { context, found }: { readonly context: Context; readonly found: PublicPayment },
): Promise<void> {
  const { payment, applicationName, receiptsEnabled } = found;
  if (!receiptsEnabled || !isPaid(payment.status)) {
    throw notFound('receipt');
  }
  const { receiptNamesPayer } = contractOf(payment.contract).payer;
  const shown = receiptNamesPayer ? payment : { ...payment, customerName: null };
  const { stream, headers } = await receiptPdf(deps, {
    payment: shown,
    applicationName,
    language: languageOf(context),
  });
  context.set({ ...headers, ...DOCUMENT_HEADERS });
  context.body = stream;
}

function requireMethod(context: Context, method: 'GET' | 'POST'): void {
  if (context.method !== method) {
    context.set('Allow', allowHeader([method]));
    throw new DomainError('METHOD_NOT_ALLOWED', 'this page does not support that method');
  }
}

/** Redirects to the gateway, or to our page if the payer cannot go there. */
async function leadOn(deps: ApiDependencies, context: Context, found: PublicPayment): Promise<void> {
  const gatewayUrl = gatewayUrlOf(found);
  if (gatewayUrl !== null) {
    await rememberLedOn(deps, found);
  }
  redirect(context, gatewayUrl ?? pagePath(context, found));
}

function redirect(context: Context, location: string): void {
  context.status = 303;
  context.set('Location', location);
  context.set('Referrer-Policy', 'no-referrer');
}

/** Returns our own path, never built from the Host header. */
function pagePath(context: Context, { payment }: PublicPayment, problem: SubmissionProblem | null = null): string {
  const path = `${checkoutPath(payment.reference)}${problem === null ? '' : `?problem=${problem}`}`;
  return inLanguage(path, languageOf(context)).toString();
}

/** Returns null also after the payer has asked to cancel: the gateway's page would not show what ours says about it. */
function gatewayUrlOf({ payment }: PublicPayment): string | null {
  const { status, reviewSince, cancelRequestedAt, expiresAt, readAt, gatewayRedirectUrl } = payment;
  const undisturbed = status === 'PENDING' && reviewSince === null && cancelRequestedAt === null;
  return undisturbed && expiresAt > readAt ? (gatewayRedirectUrl ?? null) : null;
}

function admitVelocity(deps: ApiDependencies, { context, limiter }: { context: Context; limiter: RateLimiter }): void {
  try {
    admitAddress(context, limiter, { bucket: 'continue', perMinute: CONTINUES_PER_MINUTE });
  } catch (error) {
    deps.log.error({ alert: 'checkout-velocity' }, 'unusually many gateway redirects from one address');
    throw error;
  }
}

const PROBLEMS: readonly SubmissionProblem[] = ['transaction', 'transaction-characters', 'sender'];

interface Showing {
  readonly context: Context;
  readonly limiter: RateLimiter;
  readonly found: PublicPayment;
  readonly secure: boolean;
}

async function showCheckout(deps: ApiDependencies, showing: Showing): Promise<void> {
  const { context, limiter, secure } = showing;
  // Automatic refreshes do not query.
  const found = openedByPerson(context) ? await queryForReturned(deps, showing.found) : showing.found;
  const { scope, payment, applicationName } = found;
  const options = optionsOf(deps, found, context);
  const asked = new URLSearchParams(context.querystring);
  const choosing = { options, again: asked.has('choose') };
  const problem = PROBLEMS.find((known) => known === asked.get('problem')) ?? null;
  const state = await deps.database.withScope(scope, (statements) => {
    const ownPage = (otherWaysPath: string | null) =>
      manualState(deps, statements, { found, language: languageOf(context), otherWaysPath, problem });
    return checkoutState(statements, { ...found, choosing, ...(paysOnOurPage(deps, payment) ? { ownPage } : {}) });
  });
  const gatewayUrl = state.kind === 'open' && !state.returnedUnpaid && jumps(payment) ? gatewayUrlOf(found) : null;
  if (gatewayUrl !== null) {
    admitVelocity(deps, { context, limiter });
    if (openedByPerson(context)) {
      await rememberLedOn(deps, found);
    }
    redirect(context, gatewayUrl);
    return;
  }
  const returnUrl = contractOf(payment.contract).payer.returnUrl(payment);
  // Payers who are reading what happens to their money must not be redirected.
  if (state.kind !== 'unapplied' && state.kind !== 'confirming') {
    leadBack(context, payment, returnUrl);
  }
  const names = payment.gatewayChoices ?? [payment.gateway ?? ''];
  const formActionOrigins = formOrigins(deps, { names, mode: payment.mode, pageUrl: payment.gatewayRedirectUrl });
  context.set(pageHeaders({ formActionOrigins, secure }));
  context.body = renderCheckoutPage({
    reference: payment.reference,
    appName: applicationName,
    mode: payment.mode,
    language: languageOf(context),
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    productName: payment.productName ?? null,
    gatewayName: gatewayName(deps.gateways, queriedGateway(state) ?? payment.gateway),
    state,
    returnUrl,
    pagePath: checkoutPath(payment.reference),
    now: payment.readAt,
    timeZone: BUSINESS_TIME_ZONE,
  });
}

const queriedGateway = (state: CheckoutState): string | undefined =>
  state.kind === 'confirming' ? state.gateway : undefined;

/** Returns whether the page redirects at once to the gateway, until the payer has been there. */
function jumps({ contract, gatewayChoices }: PaymentRecord): boolean {
  return contractOf(contract).payer.opensGatewayAtOnce && !Array.isArray(gatewayChoices);
}
