import type { Scope } from '../../database/connection.ts';
import { beginInvoicePayment, payableAt } from '../../core/invoices/begin-payment.ts';
import { noteViewed } from '../../core/invoices/store/invoice-changes.ts';
import { readLogo } from '../../core/invoices/store/invoice-templates.ts';
import type { InvoiceRecord } from '../../core/invoices/store/invoices.ts';
import { readPaymentRules, type ApplicationPaymentRules } from '../../core/applications/store/payment-rules.ts';
import type { PublicInvoice } from '../../core/payments/store/public-references.ts';
import { DomainError } from '../../domain/errors.ts';
import { invoiceNumber } from '../../domain/invoice.ts';
import { dueMinorOf } from '../../domain/invoice-due.ts';
import { checkoutPath } from '../../domain/payment-view.ts';
import { describeError } from '../../runtime/logger.ts';
import { renderInvoice } from '../../web/documents/render.ts';
import { pageHeaders } from '../../web/headers.ts';
import type { Language } from '../../web/language.ts';
import { brandStylesheet } from '../../web/payable/brand-stylesheet.ts';
import { renderPayablePage } from '../../web/payable/page.ts';
import { minorFromTypedText, readPayForm, readTypedAmount, type PayForm } from '../../web/payable/pay-form.ts';
import type { PayProblem } from '../../web/payable/view.ts';
import { brandingOf } from '../documents/branding.ts';
import { invoiceDocument } from '../documents/invoice-document.ts';
import { DOCUMENT_HEADERS, pdfReply } from '../documents/pdf-reply.ts';
import { readText } from '../http/body.ts';
import type { Context } from '../http/surface.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { formOrigins } from './form-origins.ts';
import { openedByPerson } from './opened-by-person.ts';
import { amountsOf, payableView, type Shown } from './payable-view.ts';

const FORM_BYTES_MAX = 4_000;
const FORM_TYPE = 'application/x-www-form-urlencoded';

export interface PayablePage {
  readonly context: Context;
  readonly found: PublicInvoice;
  readonly language: Language;
  readonly secure: boolean;
}

export async function showPayable(deps: ApiDependencies, page: PayablePage): Promise<void> {
  await answerPage(deps, page, null);
  const { scope, invoice } = page.found;
  if (invoice.viewedAt === null && dueMinorOf(invoice) > 0n && openedByPerson(page.context)) {
    // A failure to record the visit must not stop a payer from paying.
    await deps.database
      .inOneTrip(scope, (statements) => noteViewed(statements, invoice.id))
      .catch((error: unknown) => {
        deps.log.warn(
          { invoice: invoice.reference, error: describeError(error) },
          'opening of an invoice not recorded',
        );
      });
  }
}

async function answerPage(deps: ApiDependencies, page: PayablePage, problem: Shown['problem']): Promise<void> {
  const { context, found, language, secure } = page;
  const rules = await rulesOf(deps, found.scope);
  const gateways = await payableAt(deps, { invoice: found.invoice, rules });
  const view = await payableView(deps, { found, rules, gateways, language, problem });
  // For ShadhinPay's contract the form leads straight to the vendor's page if there is only one.
  const formActionOrigins = formOrigins(deps, { names: gateways, mode: found.invoice.mode });
  context.set(pageHeaders({ formActionOrigins, secure }));
  context.status = problem === null ? 200 : 422;
  context.body = renderPayablePage(view);
}

/** Sends the page's colours as a stylesheet of its own, because the page's policy forbids inline styles. */
export async function sendBrand(deps: ApiDependencies, { context, found }: PayablePage): Promise<void> {
  const { accentColor } = await brandingOf(deps.database, found.scope, found.applicationName);
  sendAsset(context, { type: 'text/css; charset=utf-8', body: brandStylesheet(accentColor) });
}

export async function sendLogo(deps: ApiDependencies, { context, found }: PayablePage): Promise<void> {
  const logo = await deps.database.inOneTrip(found.scope, (statements) =>
    readLogo(statements, found.scope.applicationId),
  );
  if (logo === null) {
    throw new DomainError('RESOURCE_NOT_FOUND', 'logo not found');
  }
  sendAsset(context, { type: `image/${logo.type}`, body: Buffer.from(logo.bytes) });
}

function sendAsset(context: Context, { type, body }: { readonly type: string; readonly body: string | Buffer }): void {
  context.set({
    'Content-Type': type,
    'Cache-Control': 'private, max-age=300',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  });
  context.body = body;
}

export async function sendInvoicePdf(deps: ApiDependencies, { context, found }: PayablePage): Promise<void> {
  const { scope, invoice, applicationName } = found;
  const branding = await brandingOf(deps.database, scope, applicationName);
  const { stream, headers } = await pdfReply(invoiceNumber(invoice) ?? '', () =>
    renderInvoice(invoiceDocument(invoice, { ...deps, branding })),
  );
  context.set({ ...headers, ...DOCUMENT_HEADERS });
  context.body = stream;
}

/** Starts a payment of the chosen amount and redirects to its checkout, or shows the page again with the problem. */
export async function payInvoice(deps: ApiDependencies, page: PayablePage): Promise<void> {
  const { context, found } = page;
  if (!context.is(FORM_TYPE)) {
    throw new DomainError('UNSUPPORTED_MEDIA_TYPE', 'send the form as application/x-www-form-urlencoded');
  }
  const form = readPayForm(await readText(context.req, FORM_BYTES_MAX));
  if (form === null) {
    throw new DomainError('VALIDATION_ERROR', 'the form does not belong to this page');
  }
  const rules = await rulesOf(deps, found.scope);
  const gateways = await payableAt(deps, { invoice: found.invoice, rules });
  const begun = await beginInvoicePayment(deps, found, {
    rules,
    gateways,
    amountOf: (invoice) => chosenAmount(deps, { invoice, form, rules, gateways }),
  });
  if ('problem' in begun) {
    await answerPage(deps, page, { kind: begun.problem, typed: form.typedAmount });
    return;
  }
  context.status = 303;
  context.set({ Location: `${checkoutPath(begun.reference)}?lang=${page.language}`, 'Referrer-Policy': 'no-referrer' });
}

interface Choosing {
  readonly invoice: InvoiceRecord;
  readonly form: PayForm;
  readonly rules: ApplicationPaymentRules;
  /** The gateways where it can be paid. */
  readonly gateways: readonly string[];
}

/** Returns the amount in minor units, or the problem. The amount must still be what the page showed. */
function chosenAmount(deps: ApiDependencies, { invoice, form, rules, gateways }: Choosing): bigint | PayProblem {
  const amounts = amountsOf(deps, { invoice, rules, gateways });
  if (amounts === null) {
    return 'unavailable';
  }
  const shownMinor = form.choice === 'asked' ? amounts.requestedMinor : dueMinorOf(invoice);
  if (form.expectedMinor !== shownMinor) {
    return 'changed';
  }
  if (form.choice === 'amount') {
    if (amounts.own === null) {
      return 'unavailable';
    }
    const { currency } = invoice;
    const typed = form.typedAmount ?? '';
    // Typing the whole due amount is the same as pressing the button for all of it.
    const takesAll = amounts.wholeAtOnce || amounts.requestedMinor === shownMinor;
    return takesAll && minorFromTypedText(typed, currency) === shownMinor
      ? shownMinor
      : readTypedAmount(typed, { ...amounts.own, currency });
  }
  return form.choice === 'rest' && !amounts.wholeAtOnce ? 'unavailable' : shownMinor;
}

function rulesOf({ database }: ApiDependencies, scope: Scope): Promise<ApplicationPaymentRules> {
  return database.inOneTrip(scope, (statements) => readPaymentRules(statements, scope.applicationId));
}
