import { Payment } from '../../database/entities/payment.ts';
import type { PaymentRecord } from '../../database/payments.ts';
import { findPublicPayment, type PublicPayment } from '../../database/public-references.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { OPEN_STATUSES } from '../../domain/payment.ts';
import { describeError } from '../../runtime/logger.ts';
import { assetAt } from '../../web/assets.ts';
import { renderErrorPage } from '../../web/checkout/error-page.ts';
import { renderCheckoutPage } from '../../web/checkout/page.ts';
import { errorPageStatus, type ErrorPageKind } from '../../web/checkout/view.ts';
import { assetHeaders, pageHeaders } from '../../web/headers.ts';
import { inLanguage, negotiateLanguage, type Language } from '../../web/language.ts';
import { admitAddress, type RateLimiter } from '../http/rate-limit.ts';
import type { Context } from '../http/surface.ts';
import type { ApiDependencies } from '../native/dependencies.ts';
import { checkoutState, PAGE_TIME_ZONE } from './checkout-view.ts';

const CHECKOUT = /^\/checkout\/([^/]+)(?:\/(continue|cancel))?$/;
/** References that name nothing, a minute and address: a payer mistypes a few times, a guesser many. */
const MISSES_PER_MINUTE = 30;
/** Ways to the gateway a minute and address: a person needs few, a tester of stolen cards many. */
const CONTINUES_PER_MINUTE = 20;
const CANCELS_PER_MINUTE = 20;

/** The pages that payers see. Server-rendered; every change is a form's POST that is answered by 303. */
export function createPages(deps: ApiDependencies, limiter: RateLimiter): (context: Context) => Promise<boolean> {
  const secure = deps.webUrl.startsWith('https:');
  return async (context) => {
    const asset = assetAt(context.path);
    if (asset !== null) {
      context.state.route = 'asset';
      requireMethod(context, 'GET');
      context.set(assetHeaders({ asset, secure }));
      context.body = asset.body;
      return true;
    }
    const match = CHECKOUT.exec(context.path);
    if (match === null) {
      return false;
    }
    const [, reference = '', action] = match;
    context.state.route = `page checkout${action === undefined ? '' : ` ${action}`}`;
    requireMethod(context, action === undefined ? 'GET' : 'POST');
    const found = await findPublicPayment(deps.database, reference);
    if (found === null) {
      admitAddress(context, limiter, { bucket: 'page miss', perMinute: MISSES_PER_MINUTE });
      throw notFound('payment');
    }
    if (action === undefined) {
      await showCheckout(deps, { context, found, secure });
    } else if (action === 'continue') {
      admitVelocity(deps, { context, limiter });
      redirect(context, gatewayUrlOf(found) ?? pagePath(context, found));
    } else {
      admitAddress(context, limiter, { bucket: 'cancel', perMinute: CANCELS_PER_MINUTE });
      await requestCancel(deps, found);
      redirect(context, pagePath(context, found));
    }
    return true;
  };
}

function requireMethod(context: Context, method: 'GET' | 'POST'): void {
  if (context.method !== method) {
    context.set('Allow', method);
    throw new DomainError('METHOD_NOT_ALLOWED', 'this page does not take that method');
  }
}

function redirect(context: Context, location: string): void {
  context.status = 303;
  context.set('Location', location);
  context.set('Referrer-Policy', 'no-referrer');
}

/** Our own path, never built from the Host header. */
function pagePath(context: Context, { payment }: PublicPayment): string {
  return inLanguage(`/checkout/${payment.reference}`, languageOf(context)).toString();
}

function languageOf(context: Context): Language {
  return negotiateLanguage(
    context.get('accept-language') || undefined,
    new URLSearchParams(context.querystring).get('lang') ?? undefined,
  );
}

function gatewayUrlOf({ payment }: PublicPayment): string | null {
  const open = payment.status === 'PENDING' && payment.reviewSince === null && payment.expiresAt.getTime() > Date.now();
  return open ? (payment.gatewayRedirectUrl ?? null) : null;
}

function admitVelocity(deps: ApiDependencies, { context, limiter }: { context: Context; limiter: RateLimiter }): void {
  try {
    admitAddress(context, limiter, { bucket: 'continue', perMinute: CONTINUES_PER_MINUTE });
  } catch (error) {
    deps.log.error({ alert: 'checkout-velocity' }, 'one address goes to the gateway unusually often');
    throw error;
  }
}

/** The request is stored before it is signalled; the gateway decides whether it can be granted. */
async function requestCancel(deps: ApiDependencies, { scope, payment }: PublicPayment): Promise<void> {
  const now = new Date();
  const asked = await deps.database.withScope(scope, (em) =>
    em.nativeUpdate(
      Payment,
      { id: payment.id, status: { $in: [...OPEN_STATUSES] }, cancelRequestedAt: null, reviewReason: null },
      { cancelRequestedAt: now, nextSweepAt: now, updatedAt: now },
    ),
  );
  if (asked > 0) {
    await deps.dispatch.signalCancel(payment.reference).catch((error: unknown) => {
      deps.log.warn(
        { payment: payment.reference, error: describeError(error) },
        'cancel not signalled; the sweeper will',
      );
    });
  }
}

interface Showing {
  readonly context: Context;
  readonly found: PublicPayment;
  readonly secure: boolean;
}

async function showCheckout(deps: ApiDependencies, { context, found, secure }: Showing): Promise<void> {
  const { scope, payment, applicationName } = found;
  const pageOrigin = deps.gateways.pageOrigin(payment.gateway, payment.mode);
  const state = await deps.database.withScope(scope, (em) => checkoutState(em, payment));
  context.set(pageHeaders({ formActionOrigins: formOrigins(payment, pageOrigin), secure }));
  context.body = renderCheckoutPage({
    reference: payment.reference,
    appName: applicationName,
    mode: payment.mode,
    language: languageOf(context),
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    productName: payment.productName ?? null,
    gatewayName: deps.gateways.capabilities(payment.gateway)?.displayName ?? payment.gateway,
    state,
    returnUrl: payment.returnUrl ?? null,
    pagePath: `/checkout/${payment.reference}`,
    now: new Date(),
    timeZone: PAGE_TIME_ZONE,
  });
}

/** Chromium checks every hop of a form's navigation, so the gateway's sister hosts are listed where it has them. */
function formOrigins(payment: PaymentRecord, pageOrigin: string | undefined): string[] {
  const origins = new Set<string>();
  if (pageOrigin !== undefined) {
    origins.add(pageOrigin);
    if (pageOrigin.endsWith('.sslcommerz.com')) {
      origins.add('https://*.sslcommerz.com');
    }
  }
  if (typeof payment.gatewayRedirectUrl === 'string') {
    origins.add(new URL(payment.gatewayRedirectUrl).origin);
  }
  return [...origins];
}

/** Failures on the web listener are pages, too. */
export function renderPageError(deps: Pick<ApiDependencies, 'webUrl'>): (context: Context, error: DomainError) => void {
  const secure = deps.webUrl.startsWith('https:');
  return (context, error) => {
    const kind = pageKind(error);
    const path = CHECKOUT.test(context.path) ? context.path : '/';
    context.status = errorPageStatus[kind];
    context.set(pageHeaders({ formActionOrigins: [], secure }));
    context.body = renderErrorPage({
      kind,
      language: languageOf(context),
      pagePath: path,
      retryPath:
        kind === 'not_found' || kind === 'method_not_allowed' ? null : path.replace(/\/(continue|cancel)$/, ''),
      retryAfterSeconds: error.retryAfterSeconds ?? null,
      requestId: context.state.requestId,
    });
  };
}

function pageKind(error: DomainError): ErrorPageKind {
  switch (error.code) {
    case 'RESOURCE_NOT_FOUND':
    case 'VALIDATION_ERROR':
      return 'not_found';
    case 'METHOD_NOT_ALLOWED':
      return 'method_not_allowed';
    case 'RATE_LIMITED':
      return 'too_many_requests';
    case 'SERVICE_UNAVAILABLE':
    case 'GATEWAY_ERROR':
      return 'gateway_unavailable';
    default:
      return 'internal_error';
  }
}
