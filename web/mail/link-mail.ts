import { DEFAULT_ACCENT } from '../accent.ts';
import { SafeUrl } from '../safe-url.ts';
import { visibleText } from '../visible-text.ts';
import { noticeHtml } from './notice-html.ts';
import { noticeText } from './notice-text.ts';
import type { NoticeContent, RenderedEmail } from './notice.ts';

/**
 * Renders the email with the link by which an operator sets a password.
 * @throws Error when the link is not an http or https address, which is a programming error.
 */
export function linkMail({ name, email, link }: { name: string; email: string; link: string }): RenderedEmail {
  const url = SafeUrl.externalUrl(link);
  if (url === null) {
    throw new Error('The link of an operator must be an http or https URL.');
  }
  const content: NoticeContent = {
    language: 'en',
    subject: `Set your password for Lenden at ${url.host}`,
    testMode: null,
    heading: 'Set your password',
    intro:
      'You can set a password for Lenden, the payment service at this address. The link works once, for 24 hours, and only the newest link works.',
    facts: [
      { label: 'Name', value: visibleText(name), strong: false },
      { label: 'Email', value: visibleText(email), strong: false },
    ],
    pay: 'Set password',
    address: 'Or open this address:',
    url,
    alreadyPaid:
      'If you did not expect this email, do not use the link, and inform the person who manages Lenden at your organization.',
    contact: null,
    automatic: 'This email was sent automatically. We never ask for your password.',
    accentColor: DEFAULT_ACCENT,
  };
  return { subject: content.subject, text: noticeText(content), html: noticeHtml(content).toString() };
}
