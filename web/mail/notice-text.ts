import type { NoticeContent } from './notice.ts';

/** Renders the plain text part. */
export function noticeText(content: NoticeContent): string {
  const { contact } = content;
  const paragraphs = [
    ...(content.testMode === null ? [] : [content.testMode]),
    content.intro,
    content.facts
      .map(({ label, value, url }) => `${label}: ${value}${url === undefined ? '' : `\n${url.toString()}`}`)
      .join('\n'),
    `${content.pay}:\n${content.url.toString()}`,
    content.alreadyPaid,
    ...(contact === null ? [] : [`${contact.label}:\n${contact.lines.join('\n')}`]),
    content.automatic,
  ];
  return `${paragraphs.join('\n\n').replaceAll('\u00a0', ' ')}\n`;
}
