import { readableAccent } from '../accent.ts';
import { html, type Html } from '../html.ts';
import { SafeColor } from '../safe-color.ts';
import type { NoticeContent, NoticeFact } from './notice.ts';

/**
 * Renders the HTML part: one column without tables, images or external content, which every mail program shows. Nothing reveals to the sender that
 * the email was opened. Styles are inline, because mail programs drop style sheets.
 */
export function noticeHtml(content: NoticeContent): Html {
  const accent = SafeColor.hex(readableAccent(content.accentColor));
  const { contact } = content;
  return html`<!DOCTYPE html>
    <html lang="${content.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${content.subject}</title>
      </head>
      <body style="margin:0;padding:0;background-color:#f3f5f8;">
        <div
          style="max-width:560px;margin:0 auto;padding:24px 16px;font-family:'Noto Sans','Noto Sans Bengali',Arial,sans-serif;font-size:16px;line-height:1.5;color:#17233c;"
        >
          ${content.testMode === null ? null : html`<p style="margin:0 0 16px;padding:8px 12px;background-color:#fff4d6;color:#5b4300;">${content.testMode}</p>`}
          <div style="background-color:#ffffff;border-top:4px solid ${accent};padding:24px;">
            <h1 style="margin:0 0 8px;font-size:22px;line-height:1.3;color:${accent};">${content.heading}</h1>
            <p style="margin:0 0 20px;">${content.intro}</p>
            ${content.facts.map(factHtml)}
            <p style="margin:24px 0;">
              <a
                href="${content.url}"
                style="display:inline-block;padding:12px 20px;background-color:${accent};color:#ffffff;font-weight:bold;text-decoration:none;border-radius:6px;"
                >${content.pay}</a
              >
            </p>
            <p style="margin:0;font-size:14px;color:#53607a;">
              ${content.address}<br /><a
                href="${content.url}"
                style="color:${accent};overflow-wrap:anywhere;word-break:break-all;"
                >${content.url}</a
              >
            </p>
          </div>
          <p style="margin:16px 0 0;font-size:14px;color:#53607a;">${content.alreadyPaid}</p>
          ${contact === null ? null : contactHtml(contact)}
          <p style="margin:8px 0 0;font-size:14px;color:#53607a;">${content.automatic}</p>
        </div>
      </body>
    </html> `;
}

/** Values are isolated, so that right-to-left text in a name does not reorder the sentence. */
function factHtml({ label, value, strong, url }: NoticeFact): Html {
  const text = strong ? html`<strong style="font-size:22px;"><bdi>${value}</bdi></strong>` : html`<bdi>${value}</bdi>`;
  const shown = url === undefined ? text : html`<a href="${url}" style="color:#17233c;">${text}</a>`;
  return html`<p style="margin:0 0 10px;overflow-wrap:anywhere;">
    <span style="font-size:14px;color:#53607a;">${label}</span><br />${shown}
  </p> `;
}

function contactHtml({ label, lines }: { label: string; lines: readonly string[] }): Html {
  return html`<p style="margin:8px 0 0;font-size:14px;color:#53607a;overflow-wrap:anywhere;">
    ${label}:${lines.map((line) => html`<br /><bdi>${line}</bdi>`)}
  </p>`;
}
