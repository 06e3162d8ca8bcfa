import type { Mode } from '../../domain/mode.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import type { Branding } from '../documents/document.ts';
import type { Language } from '../language.ts';
import type { SafeUrl } from '../safe-url.ts';
import type { NoticeKind } from './words.ts';

/** All that a notice about an invoice says. */
export interface InvoiceNotice {
  readonly kind: NoticeKind;
  readonly language: Language;
  /** TEST is marked in the subject and in the mail. */
  readonly mode: Mode;
  readonly branding: Pick<Branding, 'companyName' | 'contactDetails'> & { readonly accentColor: string | null };
  /** As it is shown, such as `INV-000042`. */
  readonly number: string;
  /** What is asked for now. */
  readonly amountMinor: bigint;
  /** What is left to pay in all. */
  readonly dueMinor: bigint;
  /** ISO 4217 code. */
  readonly currency: string;
  readonly dueDate: PlainDate;
  /** Absolute http or https URL. */
  readonly payableUrl: string;
}

/** A mail without its addresses. The subject is one line of at most 300 characters. */
export interface RenderedEmail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The texts of a notice, ready for both parts. */
export interface NoticeContent {
  readonly language: Language;
  readonly subject: string;
  readonly testMode: string | null;
  readonly heading: string;
  readonly intro: string;
  readonly facts: readonly NoticeFact[];
  readonly pay: string;
  readonly address: string;
  readonly url: SafeUrl;
  readonly alreadyPaid: string;
  readonly contact: { readonly label: string; readonly lines: readonly string[] } | null;
  readonly automatic: string;
  readonly accentColor: string;
}

export interface NoticeFact {
  readonly label: string;
  readonly value: string;
  /** The figure that the notice is about. */
  readonly strong: boolean;
}
