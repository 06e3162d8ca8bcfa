import { endLinkMail, takeLinkToMail, type LinkToMail } from '../database/operators/links.ts';
import { operatorLinkPath } from '../domain/operator-link.ts';
import type { Mailer } from '../runtime/mailer.ts';
import { sha256 } from '../runtime/secrets.ts';
import { linkMail } from '../web/mail/link-mail.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** In one pass of the sweeper; each mail may take three quarters of a minute, so no more begin once a step's time is over. */
const MAILS_A_PASS_MAX = 10;
const STEP_MAX_MS = 5_000;
/** Until the next try. */
const PAUSE_SECONDS = 300;
/** An hour. Whoever manages operators can ask for another link at any time. */
const TRIES_MAX = 12;

/**
 * Mails the links by which operators set passwords. Each try makes a link of its own and is written down before it is made: whatever became of
 * an earlier mail, the newest link is the one that works. Answers how many mails were sent.
 */
export async function mailOperatorLinks({
  database,
  mailer,
  webUrl,
  log,
}: Pick<ActivityDependencies, 'database' | 'mailer' | 'webUrl' | 'log'>): Promise<number> {
  if (mailer === null) {
    return 0;
  }
  const stopAtMs = Date.now() + STEP_MAX_MS;
  for (let sent = 0, tried = 0; ; tried += 1) {
    if (tried >= MAILS_A_PASS_MAX || Date.now() >= stopAtMs) {
      return sent;
    }
    const link = await database.withSystem((em) => takeLinkToMail(em, { pauseSeconds: PAUSE_SECONDS }));
    if (link === null) {
      return sent;
    }
    const outcome = await send(mailer, link, webUrl);
    if (outcome.kind === 'unavailable' && link.tries < TRIES_MAX) {
      continue;
    }
    await database.withSystem((em) => endLinkMail(em, link));
    if (outcome.kind === 'sent') {
      sent += 1;
    } else {
      log.error(
        { operatorId: link.operatorId.toString(), error: outcome.code, alert: 'operator-link-not-sent' },
        'the mail with an operator’s link could not be sent',
      );
    }
  }
}

function send(mailer: Mailer, { operatorId, email, name, token }: LinkToMail, webUrl: string) {
  const mail = linkMail({ name, email, link: new URL(operatorLinkPath(token), webUrl).href });
  // Of its own for each link, and no part of the link.
  const messageId = `operator-link.${operatorId}.${sha256(sha256(token)).toString('hex').slice(0, 16)}`;
  return mailer.send({ to: email, ...mail, language: 'en', messageId });
}
