import { endEmail, nextEmailInMs, takeDueEmails, type EndedEmail, type WaitingEmail } from './store/invoice-notices.ts';
import { invoiceRulesOf } from './store/invoice-overpayment.ts';
import { readTemplate, type TemplateRecord } from './store/invoice-templates.ts';
import { readInvoiceByReference, type InvoiceRecord } from './store/invoices.ts';
import { MissingRow } from '../../database/missing-row.ts';
import type { Statements } from '../../database/statements.ts';
import { invoiceNumber } from '../../domain/invoice.ts';
import { requestedMinorOf, dueMinorOf } from '../../domain/invoice-due.ts';
import { payableUrl } from '../../domain/invoice-view.ts';
import type { Mail, Mailer } from '../../runtime/mailer.ts';
import { invoiceEmail } from '../../web/mail/invoice-mail.ts';
import type { InvoiceWorkflowInput, EmailsSent } from '../../workflows/messages/invoice.ts';
import type { MailingDependencies } from '../dependencies.ts';
import { scopeOf } from '../scope.ts';

/** Per run of the activity, since each email can take 45 seconds. */
const EMAILS_A_RUN_MAX = 3;
/** Seconds until the next try, by number of tries so far; the last value repeats. About three days in total. */
const PAUSE_SECONDS = [60, 300, 1_800, 7_200, 21_600, 43_200] as const;
const TRIES_MAX = 11;

interface NoticeEmail {
  readonly waiting: WaitingEmail;
  /** Null if there is nothing left to remind of. */
  readonly mail: Mail | null;
}

/**
 * Sends the due emails of an invoice. Each try is recorded before it is made, so if a worker dies during one, a later try sends the email with the
 * same message id. The mail server's answer decides whether there is another try.
 */
export async function sendInvoiceEmails(deps: MailingDependencies, input: InvoiceWorkflowInput): Promise<EmailsSent> {
  const scope = scopeOf(input);
  const emails = await deps.database.inTransaction(scope, async (statements) => {
    const invoice = await readInvoiceByReference(statements, scope, input.reference);
    if (invoice === null) {
      throw new MissingRow('invoice', input.reference);
    }
    const waiting = await takeDueEmails(statements, invoice.id, {
      limit: EMAILS_A_RUN_MAX,
      pauseSeconds: PAUSE_SECONDS,
    });
    return waiting.length === 0 ? [] : emailsOf(deps, statements, { invoice, waiting });
  });
  for (const email of emails) {
    const end = await endOf(deps.mailer, email);
    if (end !== null) {
      const { noticeId } = email.waiting;
      await deps.database.inOneTrip(scope, (statements) =>
        endEmail(statements, { invoice: input.reference, noticeId, ...end }),
      );
      if (end.status === 'REFUSED' || end.status === 'GIVEN_UP') {
        deps.log.error(
          { invoice: input.reference, error: end.error, alert: 'invoice-mail-not-sent' },
          'an email about an invoice could not be sent',
        );
      }
    }
  }
  return {
    againInMs: await deps.database.inTransaction(scope, (statements) => nextEmailInMs(statements, input.reference)),
  };
}

async function emailsOf(
  { calendar, webUrl }: MailingDependencies,
  statements: Statements,
  { invoice, waiting }: { readonly invoice: InvoiceRecord; readonly waiting: readonly WaitingEmail[] },
): Promise<NoticeEmail[]> {
  const template = await readTemplate(statements, invoice.applicationId);
  const { applicationName } = await invoiceRulesOf(statements, invoice);
  const today = calendar.today(invoice.readAt);
  return waiting.map((email) => ({
    waiting: email,
    mail: emailOf(email, { invoice, template, applicationName, webUrl, today }),
  }));
}

interface EmailFacts {
  readonly invoice: InvoiceRecord;
  readonly template: TemplateRecord | null;
  readonly applicationName: string;
  readonly webUrl: string;
  readonly today: string;
}

function emailOf(
  { noticeId, dueDate, offsetDays }: WaitingEmail,
  { invoice, template, applicationName, webUrl, today }: EmailFacts,
): Mail | null {
  const { customerEmail: to, language, mode, currency, reference } = invoice;
  const number = invoiceNumber(invoice);
  const dueMinor = dueMinorOf(invoice);
  if (dueMinor === 0n || to === null || number === null) {
    return null;
  }
  const rendered = invoiceEmail({
    kind: offsetDays > 0 ? 'overdue' : 'reminder',
    language,
    mode,
    branding: {
      companyName: template?.companyName ?? applicationName,
      contactDetails: template?.contactDetails ?? null,
      accentColor: template?.accentColor ?? null,
    },
    number,
    amountMinor: requestedMinorOf(invoice, today),
    dueMinor,
    currency,
    dueDate,
    payableUrl: payableUrl(reference, webUrl),
  });
  return { to, ...rendered, language, messageId: `notice.${noticeId}.${dueDate}` };
}

/** Returns how an email ended, or null if it will be tried again. */
async function endOf(
  mailer: Mailer | null,
  { waiting, mail }: NoticeEmail,
): Promise<Pick<EndedEmail, 'status' | 'error'> | null> {
  if (mail === null || mailer === null) {
    return { status: 'NONE', error: null };
  }
  const outcome = await mailer.send(mail);
  switch (outcome.kind) {
    case 'sent':
      return { status: 'SENT', error: null };
    case 'refused':
      return { status: 'REFUSED', error: outcome.code };
    case 'unavailable':
      return waiting.tries >= TRIES_MAX ? { status: 'GIVEN_UP', error: outcome.code } : null;
  }
}
