import { documentWordsIn } from '../documents/words.ts';
import { html, type Html } from '../html.ts';
import { amountPart, amountText, countText, currencySign, taxLabel } from '../money-text.ts';
import { tableClass } from './table-class.ts';
import type { PayableLine, PayableView } from './view.ts';
import { payableWordsIn } from './words.ts';

/**
 * Renders the lines in two columns on every screen: the description with its figures below it, and the amount. The table therefore fits on the
 * smallest phone.
 */
export function linesPart(view: PayableView): Html {
  const { language, invoice } = view;
  const words = documentWordsIn(language);
  return html`<section>
    <h2>${payableWordsIn(language).items}</h2>
    <table class="${tableClass(invoice)}">
      <thead>
        <tr>
          <th scope="col">${words.description}</th>
          <th scope="col">${words.amount} (${currencySign(invoice.currency, language)})</th>
        </tr>
      </thead>
      <tbody>
        ${invoice.lines.map((line) => lineRow(line, view))}
      </tbody>
      <tfoot>
        ${sums(view).map(sumRow)}
      </tfoot>
    </table>
  </section>`;
}

function lineRow(line: PayableLine, { language, invoice }: PayableView): Html {
  const words = documentWordsIn(language);
  const amount = (amountMinor: bigint): Html => amountPart({ ...invoice, amountMinor }, language);
  const figures = [
    line.qty !== 1n && html`${countText(line.qty, language)} × ${amount(line.unitAmountMinor)}`,
    line.discountMinor > 0n && html`${unbroken(words.discount)} −${amount(line.discountMinor)}`,
    line.taxMinor > 0n && html`${unbroken(words.tax)} ${amount(line.taxMinor)}`,
  ].filter((figure) => figure !== false);
  return html`<tr>
    <td>
      <bdi>${line.description}</bdi>
      ${figures.length > 0 && html`<small>${figures.map((figure, index) => html`${index > 0 && ' · '}${figure}`)}</small>`}
    </td>
    <td>${amount(line.lineTotalMinor)}</td>
  </tr>`;
}

/** Keeps a figure on one line with its name if it fits. */
function unbroken(name: string): string {
  return name.replaceAll(' ', '\u00a0');
}

interface Sum {
  readonly label: string;
  readonly value: string;
  readonly strong?: boolean;
}

function sums({ language, invoice }: PayableView): Sum[] {
  const { subtotalMinor, discountMinor, taxes, totalMinor, paidMinor, dueMinor } = invoice;
  const words = documentWordsIn(language);
  const amount = (amountMinor: bigint): string => amountText({ ...invoice, amountMinor }, language);
  return [
    ...(subtotalMinor === totalMinor && discountMinor === 0n && taxes.length === 0
      ? []
      : [{ label: words.subtotal, value: amount(subtotalMinor) }]),
    ...(discountMinor > 0n ? [{ label: words.discount, value: `−${amount(discountMinor)}` }] : []),
    ...taxes.map((tax) => ({
      label: taxLabel(tax.name, tax.basisPoints, language),
      value: amount(tax.amountMinor),
    })),
    { label: words.total, value: amount(totalMinor), strong: true },
    ...(paidMinor > 0n
      ? [
          { label: words.paid, value: `−${amount(paidMinor)}` },
          { label: words.amountDue, value: amount(dueMinor), strong: true },
        ]
      : []),
  ];
}

function sumRow({ label, value, strong = false }: Sum): Html {
  return html`<tr class="${strong ? 'strong' : ''}">
    <th scope="row"><bdi>${label}</bdi></th>
    <td>${value}</td>
  </tr>`;
}
