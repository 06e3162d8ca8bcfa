import { endLinkEmail, takeLinkToEmail, type LinkToEmail } from './store/links.ts';
import { operatorLinkPath } from '../../domain/operator-link.ts';
import { describeError } from '../../runtime/logger.ts';
import type { Mailer } from '../../runtime/mailer.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { linkMail } from '../../web/mail/link-mail.ts';
import type { MailingDependencies } from '../dependencies.ts';

const EMAILS_A_PASS_MAX = 10;
/** Until the next try; longer than sending an email can take. */
const PAUSE_SECONDS = 300;
/** One hour in total. A user manager can request another link at any time. */
const TRIES_MAX = 12;

type Dependencies = Pick<MailingDependencies, 'database' | 'mailer' | 'webUrl' | 'log'>;

/**
 * Starts to email the links with which operators set their passwords. Each try creates its own link and is recorded before it is made, so only the
 * newest link works. An email may take 45 seconds, so the sweeper does not wait for it. Returns one promise per email in progress; none of them
 * rejects.
 */
export async function beginOperatorLinks(deps: Dependencies): Promise<Promise<void>[]> {
  const { database, mailer, log } = deps;
  const sending: Promise<void>[] = [];
  if (mailer === null) {
    return sending;
  }
  while (sending.length < EMAILS_A_PASS_MAX) {
    const link = await database.withSystem((em) => takeLinkToEmail(em, { pauseSeconds: PAUSE_SECONDS }));
    if (link === null) {
      break;
    }
    sending.push(
      emailLink(deps, mailer, link).catch((error: unknown) => {
        log.warn(
          { error: describeError(error) },
          'the outcome of an email with an operator’s link is unknown; it is sent again',
        );
      }),
    );
  }
  return sending;
}

async function emailLink({ database, webUrl, log }: Dependencies, mailer: Mailer, link: LinkToEmail): Promise<void> {
  const { operatorId, email, name, token, tries } = link;
  const mail = linkMail({ name, email, link: new URL(operatorLinkPath(token), webUrl).href });
  // Unique per link, and does not reveal any part of it.
  const messageId = `operator-link.${operatorId}.${sha256(sha256(token)).toString('hex').slice(0, 16)}`;
  const outcome = await mailer.send({ to: email, ...mail, language: 'en', messageId });
  if (outcome.kind === 'unavailable' && tries < TRIES_MAX) {
    return;
  }
  await database.withSystem((em) => endLinkEmail(em, link));
  if (outcome.kind !== 'sent') {
    log.error(
      { operatorId: operatorId.toString(), error: outcome.code, alert: 'operator-link-not-sent' },
      'the email with an operator’s link could not be sent',
    );
  }
}
