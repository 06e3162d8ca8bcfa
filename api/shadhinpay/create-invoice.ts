import { readNow } from '../../database/clock.ts';
import type { InvoiceContent } from '../../core/invoices/store/drafts.ts';
import { DomainError } from '../../domain/errors.ts';
import { NO_REMINDERS } from '../../domain/invoice-notices.ts';
import { InvoiceAmountError, totalsOf, type InvoiceTotals } from '../../domain/invoice-totals.ts';
import { minorFromDecimalText } from '../../domain/money.ts';
import { shadhinpayInvoiceReference } from '../../domain/references.ts';
import { returnUrlProblem } from '../../domain/return-url.ts';
import { numberLabelOf } from '../../domain/shadhinpay-invoice.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { writeInvoice } from '../../core/invoices/write-invoice.ts';
import { orAsAnswered } from '../../core/idempotency/idempotency.ts';
import { boundsInWords, CONTRACT_BOUNDS } from './amounts.ts';
import type { ShadhinpayCaller } from './authenticate.ts';
import { keyOf, replay, type SentRequest } from './idempotency.ts';
import { showInvoice } from './find-invoice.ts';
import type { CreateInvoice } from './invoice-schemas.ts';
import { CURRENCY } from './schemas.ts';
import { answered } from './views.ts';

export const INVALID_INVOICE = 'Invalid invoice request';
const EXPIRY_DAYS_MAX = 5 * 366;

/** Stores an invoice by ShadhinPay's rules, sends it unless it stays a draft, and returns its view. */
export async function createShadhinpayInvoice(
  deps: ApiDependencies,
  request: SentRequest & { readonly body: CreateInvoice },
) {
  const { caller, body } = request;
  const keyed = keyOf(request, 'POST /invoices');
  const outcome = await orAsAnswered(deps, keyed, () => write(deps, { caller, body, keyed }));
  return outcome.kind === 'replay'
    ? replay(outcome)
    : {
        status: 201,
        data: answered(await showInvoice(deps, outcome.made), 'Invoice created successfully'),
        ...outcome.keep,
      };
}

interface Wanted {
  readonly caller: ShadhinpayCaller;
  readonly body: CreateInvoice;
  readonly keyed: ReturnType<typeof keyOf>;
}

async function write(deps: ApiDependencies, { caller, body, keyed }: Wanted) {
  const amounts = amountsOf(body);
  const now = await deps.database.inOneTrip(caller.scope, readNow);
  const totals = checked(caller, { body, amounts, now });
  const reference = shadhinpayInvoiceReference();
  const expiresAt = body.expiresAt ?? null;
  return writeInvoice(deps, {
    scope: caller.scope,
    applicationName: caller.application.name,
    reference,
    content: {
      ...contentOf(body),
      ...amounts,
      totals,
      // Used to find the invoice in native lists; the payer's address would reveal too much there.
      customerReference: reference,
      // The last day on which the invoice can be paid. An expiry at midnight belongs to the day before.
      dueDate: expiresAt === null ? null : deps.calendar.today(new Date(expiresAt.getTime() - 1)),
    },
    shadhinpay: {
      contract: 'shadhinpay',
      numberLabel: numberLabelOf(caller.businessId),
      customerPhone: body.customerPhone ?? null,
      returnUrl: body.redirectUrl ?? null,
      expiresAt,
    },
    issue: body.draft !== true,
    ...keyed,
  });
}

function contentOf(body: CreateInvoice) {
  return {
    currency: CURRENCY,
    customerEmail: body.customerEmail ?? null,
    customerName: body.customerName ?? null,
    customerAddress: null,
    language: 'en' as const,
    notes: body.note ?? null,
    installments: [],
    partialPayments: false,
    reminders: NO_REMINDERS,
  };
}

type Amounts = Pick<InvoiceContent, 'lines' | 'discount' | 'taxes' | 'rounding'>;

function amountsOf({ items, discount, tax }: CreateInvoice): Amounts {
  const [discountMinor, taxMinor] = [discount, tax].map((given) => minorOf(given ?? '0'));
  return {
    lines: items.map(({ description, quantity, unitPrice }) => ({
      description,
      qty: BigInt(quantity),
      unitAmountMinor: minorOf(unitPrice),
      discount: null,
      taxes: [],
    })),
    discount: discountMinor ? { amountMinor: discountMinor } : null,
    taxes: taxMinor ? [{ name: 'Tax', amountMinor: taxMinor }] : [],
    rounding: 'HALF_UP',
  };
}

/** The schema accepts amounts only, so the error is unreachable. */
function minorOf(text: string): bigint {
  const minor = minorFromDecimalText(text, CURRENCY, 'exact');
  if (minor === null) {
    throw new RangeError('an amount is not decimal text');
  }
  return minor;
}

/** Returns the totals. Throws VALIDATION_ERROR with all problems. */
function checked(
  { application, scope }: ShadhinpayCaller,
  {
    body: { redirectUrl, expiresAt },
    amounts,
    now,
  }: { readonly body: CreateInvoice; readonly amounts: Amounts; readonly now: Date },
): InvoiceTotals {
  const { totals, problems } = added(amounts);
  if (typeof redirectUrl === 'string') {
    const problem = returnUrlProblem(redirectUrl, { origins: application.returnOrigins, mode: scope.mode });
    if (problem !== null) {
      problems['redirectUrl'] = URL.canParse(redirectUrl) ? problem : 'Invalid URL format';
    }
  }
  if (expiresAt instanceof Date) {
    const inMs = expiresAt.getTime() - now.getTime();
    if (inMs <= 0 || inMs > EXPIRY_DAYS_MAX * 86_400_000) {
      problems['expiresAt'] = inMs <= 0 ? 'must be in the future' : 'must be within five years';
    }
  }
  if (totals === null || Object.keys(problems).length > 0) {
    throw new DomainError('VALIDATION_ERROR', INVALID_INVOICE, { fields: problems });
  }
  return totals;
}

function added(amounts: Amounts): { totals: InvoiceTotals | null; problems: Record<string, string> } {
  const total = `Total must be ${boundsInWords(CONTRACT_BOUNDS, CURRENCY)}`;
  try {
    const totals = totalsOf(amounts);
    const { minMinor, maxMinor } = CONTRACT_BOUNDS;
    const within = totals.totalMinor >= minMinor && totals.totalMinor <= maxMinor;
    return { totals, problems: within ? {} : { items: total } };
  } catch (error) {
    if (error instanceof InvoiceAmountError) {
      return {
        totals: null,
        problems: error.field === 'discount' ? { discount: 'must not exceed the subtotal' } : { items: total },
      };
    }
    throw error;
  }
}
