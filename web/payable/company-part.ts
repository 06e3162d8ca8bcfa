import { documentWordsIn } from '../documents/words.ts';
import { type Fact, facts } from '../frame/facts.ts';
import { html, type Html } from '../html.ts';
import { dateText } from '../time-text.ts';
import type { PayableView } from './view.ts';
import { payableWordsIn } from './words.ts';

/** Renders the notes, the invoice's dates and its issuer. */
export function companyPart({ language, branding, invoice }: PayableView): Html {
  const words = documentWordsIn(language);
  const { companyName, companyAddress, contactDetails, footerNote } = branding;
  return html`${
      invoice.notes !== null &&
      html`<section>
        <h2>${words.notes}</h2>
        ${lines(invoice.notes)}
      </section>`
    }
    <section>
      <h2>${payableWordsIn(language).issuedBy}</h2>
      <p class="name"><bdi>${companyName}</bdi></p>
      ${companyAddress !== null && lines(companyAddress)} ${contactDetails !== null && lines(contactDetails)}
      ${facts([
        { label: words.invoice, value: invoice.number, code: true },
        ...dateFact(words.issueDate, invoice.issueDate, language),
        ...dateFact(words.dueDate, invoice.dueDate, language),
      ])}
      ${footerNote !== null && html`<div class="note">${lines(footerNote)}</div>`}
    </section>`;
}

function dateFact(label: string, date: string | null, language: PayableView['language']): Fact[] {
  return date === null ? [] : [{ label, value: dateText(date, language) }];
}

function lines(text: string): Html {
  return html`<p class="lines"><bdi>${text}</bdi></p>`;
}
