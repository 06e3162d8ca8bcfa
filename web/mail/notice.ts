import type { Mode } from '../../domain/mode.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import type { Branding } from '../documents/document.ts';
import type { Language } from '../language.ts';
import type { SafeUrl } from '../safe-url.ts';
import type { NoticeKind } from './words.ts';

export interface InvoiceNotice {
  readonly kind: NoticeKind;
  readonly language: Language;
  /** TEST is marked in the subject and the body. */
  readonly mode: Mode;
  readonly branding: Pick<Branding, 'companyName' | 'contactDetails'> & { readonly accentColor: string | null };
  /** As displayed, such as `INV-000042`. */
  readonly number: string;
  /** The amount to pay now. */
  readonly amountMinor: bigint;
  /** The whole amount left to pay. */
  readonly dueMinor: bigint;
  /** ISO 4217 code. */
  readonly currency: string;
  readonly dueDate: PlainDate;
  /** Absolute http or https URL. */
  readonly payableUrl: string;
}

/** An email without its addresses. The subject is one line of at most 300 characters. */
export interface RenderedEmail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The texts of a notice, for both parts. */
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
  /** Whether this is the notice's main figure. */
  readonly strong: boolean;
  /** Where it is shown. */
  readonly url?: SafeUrl;
}
