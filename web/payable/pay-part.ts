import { wordsIn } from '../checkout/words.ts';
import { symbol } from '../frame/symbol.ts';
import { phrase } from '../frame/phrase.ts';
import { documentWordsIn } from '../documents/words.ts';
import { html, type Html } from '../html.ts';
import { moneyPart } from '../money-text.ts';
import { SafeUrl } from '../safe-url.ts';
import { calendarDayText, dateText, momentText } from '../time-text.ts';
import { chip } from './chip.ts';
import { payForms } from './pay-forms.ts';
import { inProgressPart } from './in-progress-part.ts';
import type { PayableView } from './view.ts';
import { payableWordsIn } from './words.ts';

/** Renders what the payer decides on: whose invoice, how much, until when; and the ways to pay. */
export function payPart(view: PayableView): Html {
  const label = payableWordsIn(view.language).downloadPdf;
  const pdf = SafeUrl.localPath(view.pdfPath);
  const closed = view.paying === null && view.inProgress === null;
  return html`${head(view)} ${unappliedParts(view)} ${standing(view)} ${beyondParts(view)}
    <p class="pdf">
      ${closed ? html`<a class="button quiet" href="${pdf}">${label}</a>` : html`<a href="${pdf}">${label}</a>`}
    </p>`;
}

/**
 * Renders unapplied payments of payments that succeeded, such as overpayments, and what happens to them, in the same words as the payment's own page.
 */
function beyondParts({ language, branding, unapplied }: PayableView): Html[] {
  const { beyond } = wordsIn(language);
  const besideWhatWasPaid = unapplied.filter(({ unpaid = false }) => !unpaid);
  return besideWhatWasPaid.map(({ status, ...sum }) => {
    const parts = { app: branding.companyName, amount: moneyPart(sum, language) };
    return html`<p class="notice" role="status">${phrase(beyond[status], parts)}</p>`;
  });
}

/** Renders unapplied payments of payments that had ended unpaid, in the same words as the payment's own page. They come before the request to pay. */
function unappliedParts({ language, branding, invoice, unapplied }: PayableView): Html[] {
  const late = unapplied.filter(({ unpaid = false }) => unpaid);
  return late.map(({ status, ...sum }) => {
    const { title, text } = wordsIn(language).unapplied[status];
    return html`<p class="notice" role="status">
      <b>${title}: ${moneyPart(sum, language)}</b>
      ${phrase(text, { app: branding.companyName, reference: invoice.number })}
    </p>`;
  });
}

function head({ language, branding, invoice }: PayableView): Html {
  const words = payableWordsIn(language);
  const { companyName, logoPath } = branding;
  return html`${
      logoPath !== null &&
      html`<img
        class="logo"
        src="${SafeUrl.localPath(logoPath)}"
        alt="${words.logo}: ${companyName}"
        width="160"
        height="56"
      />`
    }
    <h1>
      <small><bdi>${companyName}</bdi></small> ${phrase(words.title, { number: invoice.number })}
    </h1>`;
}

function standing(view: PayableView): Html {
  switch (view.invoice.status) {
    case 'PAID':
      return paid(view);
    case 'VOID':
    case 'EXPIRED':
      return voided(view);
    default:
      return html`${due(view)} ${actions(view)}`;
  }
}

function paid({ language, timeZone, branding, invoice }: PayableView): Html {
  const words = payableWordsIn(language);
  const last = invoice.payments.at(-1);
  return html`${symbol('done', 'good')}
    <h2>${words.paidTitle}</h2>
    <p class="amount">${moneyPart({ ...invoice, amountMinor: invoice.totalMinor }, language)}</p>
    <p>
      ${phrase(words.paidText, { company: branding.companyName })}
      ${last !== undefined && phrase(words.paidOn, { date: html`${calendarDayText(last.paidAt, language, timeZone)}` })}
    </p>`;
}

function voided({ language, branding, invoice }: PayableView): Html {
  const words = payableWordsIn(language);
  const expired = invoice.status === 'EXPIRED';
  return html`${symbol('cross', 'calm')}
    <h2>${expired ? words.expiredTitle : words.voidTitle}</h2>
    <p class="amount"><s>${moneyPart({ ...invoice, amountMinor: invoice.totalMinor }, language)}</s></p>
    <p class="notice">${phrase(expired ? words.expiredText : words.voidText, { company: branding.companyName })}</p>`;
}

/** Renders the amount requested now, and below it everything due if that is more. */
function due({ language, invoice, paying, timeZone }: PayableView): Html {
  const words = payableWordsIn(language);
  const { currency, dueMinor, totalMinor, status } = invoice;
  const requestedMinor = paying?.requestedMinor ?? dueMinor;
  const money = (amountMinor: bigint): Html => moneyPart({ amountMinor, currency }, language);
  const next = requestedMinor < dueMinor ? words.nextInstallment : documentWordsIn(language).amountDue;
  return html`<p class="asked">${status === 'OVERDUE' ? words.dueNow : next}</p>
    <p class="amount">${money(requestedMinor)}</p>
    ${dueLine({ language, invoice, timeZone })}
    ${
      (requestedMinor < dueMinor || dueMinor < totalMinor) &&
      html`<p class="note">${phrase(words.stillToPay, { amount: money(dueMinor), total: money(totalMinor) })}</p>`
    }`;
}

function dueLine({ language, invoice, timeZone }: Pick<PayableView, 'language' | 'invoice' | 'timeZone'>): Html | null {
  const words = payableWordsIn(language);
  const overdue = invoice.status === 'OVERDUE';
  const date = invoice.installments.find(({ status }) => status !== 'PAID')?.dueDate ?? invoice.dueDate;
  if (date === null) {
    return null;
  }
  const { payBefore } = invoice;
  const time =
    payBefore === null
      ? html`<time datetime="${date}">${dateText(date, language)}</time>`
      : html`<time datetime="${payBefore.toISOString()}">${momentText(payBefore, language, timeZone)}</time>`;
  return html`<p class="deadline">
    ${phrase(overdue ? words.wasDue : words.dueBy, { date: time })} ${overdue && chip('OVERDUE', language)}
  </p>`;
}

function actions(view: PayableView): Html {
  const { language, branding, paying, inProgress } = view;
  const words = payableWordsIn(language);
  return html`${inProgress !== null && inProgressPart(view, inProgress)} ${paying !== null && payForms(view, paying)}
  ${
    paying === null &&
    inProgress === null &&
    html`<p class="notice">${phrase(words.cannotPay, { company: branding.companyName })}</p>`
  }`;
}
