/**
 * Drives one invoice from its number until it is paid or void. The row's status is authoritative.
 *
 *   looking   records due reminders and overdue notices, each once, and reads the invoice's state and the time of the next notice
 *   mailing   sends the queued emails
 *   waiting   for the next notice, the expiry, the next try of an email, or a change; while the invoice is paused, only for a change
 *   ended     paid or void; a refund that reopens the invoice starts the workflow again
 *
 * Messages: signal `changed`, update `due-dates-changed`, query `progress`.
 */
import {
  condition,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { record, utc } from './recording.ts';
import { Inbox } from './inbox.ts';
import {
  dueDatesChangedUpdate,
  invoiceChangedSignal,
  invoiceProgressQuery,
  type InvoiceActivities,
  type InvoiceProgress,
  type InvoiceState,
  type InvoiceWorkflowInput,
} from './messages/invoice.ts';
import { SEARCH_ATTRIBUTES } from './messages/names.ts';
import { unlessRowMissing } from './missing-row.ts';
import { NOTIFY, SEND_MAILS } from './options.ts';
import { isQuiet, renewWhenLong } from './renew.ts';

const { driveInvoice } = proxyLocalActivities<InvoiceActivities>(NOTIFY);
const { sendInvoiceEmails } = proxyActivities<InvoiceActivities>(SEND_MAILS);

/** The wait before emails are tried again after `sendInvoiceEmails` failed, which happens only when the database cannot be used. */
const MAIL_OUTAGE_PAUSE_MS = 600_000;
/** The shortest wait before the row is read again, so that the history does not fill up. */
const LOOK_MIN_MS = 50;
/** The shortest wait before an email is tried again, so that the history does not fill up. */
const MAIL_PAUSE_MIN_MS = 5_000;

/** The row has changed. A caller that changed due dates can wait until a read that began after the change has completed. */
interface Change {
  readonly kind: 'change';
  isSeen: boolean;
}

type State =
  | { readonly name: 'looking' }
  | { readonly name: 'mailing'; readonly invoice: InvoiceState }
  | { readonly name: 'waiting'; readonly invoice: InvoiceState; readonly emailAgainInMs: number | null }
  | { readonly name: 'ended'; readonly status: 'PAID' | 'VOID' };

export async function invoiceWorkflow(input: InvoiceWorkflowInput): Promise<'PAID' | 'VOID'> {
  const invoice = new InvoiceRun(input);
  setHandler(invoiceChangedSignal, () => invoice.inbox.put({ kind: 'change', isSeen: false }));
  setHandler(dueDatesChangedUpdate, async () => {
    const change: Change = { kind: 'change', isSeen: false };
    invoice.inbox.put(change);
    await condition(() => change.isSeen);
    return invoice.progress;
  });
  setHandler(invoiceProgressQuery, () => invoice.progress);
  return invoice.run();
}

class InvoiceRun {
  readonly inbox = new Inbox<Change>();
  progress: InvoiceProgress = {
    status: 'ISSUED',
    paused: false,
    nextNoticeAt: null,
    paidInstallments: 0,
    installments: 0,
  };
  private readonly input: InvoiceWorkflowInput;
  private shownStatus: string | null = null;

  constructor(input: InvoiceWorkflowInput) {
    this.input = input;
  }

  async run(): Promise<'PAID' | 'VOID'> {
    let state: State = { name: 'looking' };
    while (state.name !== 'ended') {
      await renewWhenLong<typeof invoiceWorkflow>(this.inbox, this.input);
      state = await this.step(state);
    }
    return state.status;
  }

  private step(state: Exclude<State, { name: 'ended' }>): Promise<State> {
    switch (state.name) {
      case 'looking':
        return this.looking();
      case 'mailing':
        return this.mailing(state.invoice);
      case 'waiting':
        return this.waiting(state.invoice, state.emailAgainInMs);
    }
  }

  private async looking(): Promise<State> {
    const changes = this.inbox.take('change');
    const invoice = await record(() => driveInvoice({ ...this.input, nowMs: Date.now() }), setCurrentDetails);
    changes.forEach((change) => (change.isSeen = true));
    this.show(invoice);
    if (invoice.ended) {
      // The caller of an update that is still waiting needs one more read.
      return (await isQuiet(this.inbox))
        ? { name: 'ended', status: invoice.status === 'VOID' ? 'VOID' : 'PAID' }
        : { name: 'looking' };
    }
    return invoice.emailWaits ? { name: 'mailing', invoice } : { name: 'waiting', invoice, emailAgainInMs: null };
  }

  private async mailing(invoice: InvoiceState): Promise<State> {
    const { againInMs } = await sendInvoiceEmails(this.input).catch(
      unlessRowMissing({ againInMs: MAIL_OUTAGE_PAUSE_MS }),
    );
    const emailAgainInMs = againInMs === null ? null : Math.max(againInMs, MAIL_PAUSE_MIN_MS);
    return { name: 'waiting', invoice, emailAgainInMs };
  }

  /** Computes each wait from the database's time, since its clock and the workflow's can differ. */
  private async waiting(
    { nowMs, nextNoticeAtMs, expiryAtMs }: InvoiceState,
    emailAgainInMs: number | null,
  ): Promise<State> {
    const waits = [
      ...(nextNoticeAtMs === null ? [] : [nextNoticeAtMs - nowMs]),
      ...(expiryAtMs === undefined ? [] : [expiryAtMs - nowMs]),
      ...(emailAgainInMs === null ? [] : [emailAgainInMs]),
    ];
    const hasChanged = (): boolean => !this.inbox.isEmpty;
    const summary = `the next notice${emailAgainInMs === null ? '' : ' or email'}${expiryAtMs === undefined ? '' : ', or the expiry'}`;
    await (waits.length === 0
      ? condition(hasChanged)
      : condition(hasChanged, Math.max(LOOK_MIN_MS, Math.min(...waits)), { summary }));
    return { name: 'looking' };
  }

  private show(invoice: InvoiceState): void {
    const { status, paused, nextNoticeAtMs, paidInstallments, installments } = invoice;
    const nextNoticeAt = nextNoticeAtMs === null ? null : new Date(nextNoticeAtMs).toISOString();
    this.progress = { status, paused, nextNoticeAt, paidInstallments, installments };
    setCurrentDetails(detailsOf(invoice));
    const shown = paused && !invoice.ended ? 'PAUSED' : status;
    // Updating a search attribute is the most expensive write in Temporal, so write only a changed value.
    if (shown !== this.shownStatus && !(this.shownStatus === null && shown === 'ISSUED')) {
      upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.status, value: shown }]);
    }
    this.shownStatus = shown;
  }
}

function detailsOf(invoice: InvoiceState): string {
  const { ended, status, paused, due, total, nextDueDate, nextNoticeAtMs, expiryAtMs, paidInstallments, installments } =
    invoice;
  if (ended) {
    return `Ended: ${status}.`;
  }
  const parts = [
    `${status}: ${due} of ${total} is due${nextDueDate === null ? '' : `, the next installment on ${nextDueDate}`}.`,
    ...(installments === 0 ? [] : [`${paidInstallments} of ${installments} installments are paid.`]),
    ...(expiryAtMs === undefined ? [] : [`Expires at ${utc(expiryAtMs)} unless paid.`]),
  ];
  if (paused) {
    return [...parts, 'Paused: no notices are sent until it is resumed.'].join(' ');
  }
  return [...parts, nextNoticeAtMs === null ? 'Waiting for payments.' : `Next notice at ${utc(nextNoticeAtMs)}.`].join(
    ' ',
  );
}
