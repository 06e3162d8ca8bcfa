import type { ApprovalKind } from '../../domain/approval.ts';
import type { Mode } from '../../domain/mode.ts';
import type { Money } from '../../domain/money.ts';
import { DEFAULT_ACCENT } from '../accent.ts';
import { moneyText } from '../money-text.ts';
import { SafeUrl } from '../safe-url.ts';
import { visibleText } from '../visible-text.ts';
import { noticeHtml } from './notice-html.ts';
import { noticeText } from './notice-text.ts';
import type { NoticeContent, NoticeFact, RenderedEmail } from './notice.ts';

/** What waits, as an email names it. */
export interface MailedSubject {
  readonly kind: ApprovalKind;
  readonly applicationName: string | null;
  /** Null: it belongs to both modes. */
  readonly mode: Mode | null;
  readonly amount: Money | null;
  /** The page of the dashboard where it is decided, behind the mode. */
  readonly page: string;
}

const NAMES = {
  REFUND: 'Refund to approve',
  DECISION: 'Decision that needs a second person',
  MANUAL_SUBMISSION: 'Manual payment to confirm',
  CHANGE: 'Change that needs a second person',
  CASE_ACTION: 'Payout case that needs a second person',
} as const satisfies Record<ApprovalKind, string>;

/** Shown one by one; the rest is counted. */
const SHOWN_MAX = 20;

/**
 * Renders the email that tells an operator what waits for their decision. It names no payer.
 * @throws Error when `webUrl` is not an http or https address, which is a programming error.
 */
export function approvalMail({
  subjects,
  webUrl,
}: {
  readonly subjects: readonly MailedSubject[];
  readonly webUrl: string;
}): RenderedEmail {
  const [first] = subjects;
  if (first === undefined) {
    throw new Error('An email about nothing.');
  }
  const isOne = subjects.length === 1;
  const isTest = subjects.every(({ mode }) => mode === 'TEST');
  const url = isOne ? urlOf(webUrl, first) : urlOf(webUrl, { mode: isTest ? 'TEST' : 'LIVE', page: '' });
  const left = subjects.length - SHOWN_MAX;
  const about = isOne ? NAMES[first.kind] : `${subjects.length} things wait for your decision`;
  const content: NoticeContent = {
    language: 'en',
    subject: `${isTest ? '[TEST] ' : ''}${about} – Lenden at ${url.host}`,
    testMode: isTest ? 'TEST: no real money moves.' : null,
    heading: about,
    intro: isOne
      ? 'This waits for your decision. Another person may decide it before you.'
      : 'These wait for your decision. Another person may decide some of them before you.',
    facts: [
      ...subjects.slice(0, SHOWN_MAX).map((subject) => factOf(webUrl, subject)),
      ...(left > 0 ? [{ label: 'And', value: `${left} more`, strong: false }] : []),
    ],
    pay: isOne ? 'Open it' : 'Open the inbox',
    address: 'Or open this address:',
    url,
    alreadyPaid: 'You get this email because your roles let you decide it. You have to log in first.',
    contact: null,
    automatic: 'This email was sent automatically. We never ask for your password.',
    accentColor: DEFAULT_ACCENT,
  };
  return { subject: content.subject, text: noticeText(content), html: noticeHtml(content).toString() };
}

function factOf(webUrl: string, subject: MailedSubject): NoticeFact {
  const { kind, applicationName, mode, amount } = subject;
  const parts = [
    amount === null ? null : moneyText(amount, 'en'),
    applicationName === null ? 'Lenden' : visibleText(applicationName),
    mode,
  ];
  const value = parts.filter((part) => part !== null).join(' · ');
  return { label: NAMES[kind], value, strong: false, url: urlOf(webUrl, subject) };
}

function urlOf(webUrl: string, { mode, page }: Pick<MailedSubject, 'mode' | 'page'>): SafeUrl {
  const url = SafeUrl.externalUrl(new URL(`/admin/${mode === 'TEST' ? 'test' : 'live'}/${page}`, webUrl).href);
  if (url === null) {
    throw new Error('The address of the dashboard must be an http or https URL.');
  }
  return url;
}
