import type { InstallmentState } from '../../domain/installments.ts';
import { documentWordsIn } from '../documents/words.ts';
import { html, type Html } from '../html.ts';
import type { Language } from '../language.ts';

const TONES = {
  OPEN: 'calm',
  PARTIALLY_PAID: 'calm',
  PAID: 'good',
  OVERDUE: 'late',
} as const satisfies Record<InstallmentState['status'], string>;

/** Renders a state as a word in its colour. */
export function chip(status: InstallmentState['status'], language: Language): Html {
  return html`<span class="chip ${TONES[status]}">${documentWordsIn(language).installmentStatuses[status]}</span>`;
}
