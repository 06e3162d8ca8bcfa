import { mayApprove } from '../../domain/approval.ts';
import { describeError } from '../../runtime/logger.ts';
import type { Mailer } from '../../runtime/mailer.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { approvalMail } from '../../web/mail/approval-mail.ts';
import type { MailingDependencies } from '../dependencies.ts';
import {
  addNotices,
  endNotices,
  possibleApprovers,
  takeDueEmail,
  toldOf,
  type DueEmail,
} from './store/approval-notices.ts';
import { waitingApprovals } from './store/waiting-approvals.ts';

const EMAILS_A_PASS_MAX = 10;
/** Until the next try; longer than sending an email can take. */
const PAUSE_SECONDS = 300;
/** One hour in total. What waits stays in the dashboard's inbox. */
const TRIES_MAX = 12;

type Dependencies = Pick<MailingDependencies, 'database' | 'mailer' | 'webUrl' | 'log'>;

/**
 * Starts to email operators what began to wait for their decision. Everybody who may decide it is told once, in one email with whatever else waits. An
 * email may take 45 seconds, so the sweeper does not wait for it. Returns one promise per email in progress; none of them rejects.
 */
export async function beginTellingApprovers(deps: Dependencies): Promise<Promise<void>[]> {
  const { database, mailer, log } = deps;
  const sending: Promise<void>[] = [];
  if (mailer === null) {
    return sending;
  }
  await noticeWhatWaits(deps);
  while (sending.length < EMAILS_A_PASS_MAX) {
    const due = await database.withSystem((em) => takeDueEmail(em, { pauseSeconds: PAUSE_SECONDS }));
    if (due === null) {
      break;
    }
    sending.push(
      sendEmail(deps, mailer, due).catch((error: unknown) => {
        log.warn(
          { error: describeError(error) },
          'the outcome of an email to an approver is unknown; it is sent again',
        );
      }),
    );
  }
  return sending;
}

async function noticeWhatWaits({ database }: Dependencies): Promise<void> {
  await database.withSystem(async (em) => {
    const waiting = await waitingApprovals(em);
    if (waiting.length === 0) {
      return;
    }
    const told = new Set((await toldOf(em, waiting)).map(({ kind, subjectId }) => `${kind} ${subjectId}`));
    const untold = waiting.filter(({ kind, id }) => !told.has(`${kind} ${id}`));
    if (untold.length === 0) {
      return;
    }
    const operators = await possibleApprovers(em);
    const notices = untold.flatMap((subject) =>
      operators
        .filter((operator) => mayApprove(operator, subject))
        .map(({ id: operatorId }) => ({ operatorId, kind: subject.kind, subjectId: subject.id })),
    );
    await addNotices(em, notices);
  });
}

/** What was decided meanwhile, and what the operator may no longer decide, is left out. */
async function sendEmail(
  { database, webUrl, log }: Dependencies,
  mailer: Mailer,
  { operator, notices }: DueEmail,
): Promise<void> {
  const waiting = await database.withSystem(waitingApprovals);
  const subjects = waiting.filter(
    (subject) =>
      operator.isActive &&
      mayApprove(operator, subject) &&
      notices.some(({ kind, subjectId }) => kind === subject.kind && subjectId === subject.id),
  );
  const ids = notices.map(({ id }) => id);
  if (subjects.length === 0) {
    await database.withSystem((em) => endNotices(em, { ids, sent: false }));
    return;
  }
  const messageId = `approvals.${operator.id}.${sha256(ids.join()).toString('hex').slice(0, 16)}`;
  const mail = approvalMail({ subjects, webUrl });
  const outcome = await mailer.send({ to: operator.email, ...mail, language: 'en', messageId });
  if (outcome.kind === 'unavailable' && notices.every(({ tries }) => tries < TRIES_MAX)) {
    return;
  }
  await database.withSystem((em) => endNotices(em, { ids, sent: outcome.kind === 'sent' }));
  if (outcome.kind !== 'sent') {
    log.error(
      { operatorId: operator.id.toString(), error: outcome.code, alert: 'approver-not-told' },
      'an approver could not be told by email what waits for them',
    );
  }
}
