/**
 * One invoice, from its number to the day when it is paid or void.
 *
 * States (the row's status is the authority, this is what drives it):
 *   open → told of a due date → open …      reminders and overdue notices, each once, at the times that the row's dates give
 *        ↘ paused                           no notices; money is taken all the same
 *        ↘ paid | void                      ends; a refund that re-opens the invoice starts it again
 *        ↘ unpaid at its expiry             void, once no payment of it is open
 * Messages: signal `changed`, update `due-dates-changed`, query `progress`.
 */
import {
  allHandlersFinished,
  condition,
  makeContinueAsNewFunc,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { book, utc } from './booking.ts';
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

const { driveInvoice } = proxyLocalActivities<InvoiceActivities>(NOTIFY);
const { sendInvoiceEmails } = proxyActivities<InvoiceActivities>(SEND_MAILS);

/** When not even our own database could be asked, the letters wait for this long. */
const MAIL_OUTAGE_PAUSE_MS = 600_000;
/** However close the next thing is: a history does not fill with looks. */
const LOOK_MIN_MS = 50;
/** Whatever the rows say, a history does not fill with tries. */
const MAIL_PAUSE_MIN_MS = 5_000;

export async function invoiceWorkflow(input: InvoiceWorkflowInput): Promise<'PAID' | 'VOID'> {
  const invoice = new InvoiceRun(input);
  setHandler(invoiceChangedSignal, () => {
    invoice.wake();
  });
  setHandler(dueDatesChangedUpdate, async () => {
    const seen = invoice.wake();
    await condition(() => invoice.looks > seen);
    return invoice.progress;
  });
  setHandler(invoiceProgressQuery, () => invoice.progress);
  return invoice.run();
}

class InvoiceRun {
  progress: InvoiceProgress = {
    status: 'ISSUED',
    paused: false,
    nextNoticeAt: null,
    paidInstallments: 0,
    installments: 0,
  };
  /** Looks at the row that were begun and answered. */
  looks = 0;
  private readonly input: InvoiceWorkflowInput;
  private begun = 0;
  private woken = false;
  private shownStatus: string | null = null;

  constructor(input: InvoiceWorkflowInput) {
    this.input = input;
  }

  /** Answers how many looks were begun before: the next one sees what has changed. */
  wake(): number {
    this.woken = true;
    return this.begun;
  }

  async run(): Promise<'PAID' | 'VOID'> {
    while (true) {
      const stand = await this.look();
      this.tell(stand);
      if (stand.ended) {
        if (await this.isAnswered()) {
          return stand.status === 'VOID' ? 'VOID' : 'PAID';
        }
        continue;
      }
      const emailAgainInMs = stand.emailWaits ? await this.sendMails() : null;
      await this.renewWhenLong();
      await this.sleepUntil(stand, emailAgainInMs);
    }
  }

  private async look(): Promise<InvoiceState> {
    this.woken = false;
    this.begun += 1;
    const look = this.begun;
    const stand = await book(() => driveInvoice({ ...this.input, nowMs: Date.now() }), setCurrentDetails);
    this.looks = look;
    return stand;
  }

  private async sendMails(): Promise<number | null> {
    const { againInMs } = await sendInvoiceEmails(this.input).catch(
      unlessRowMissing({ againInMs: MAIL_OUTAGE_PAUSE_MS }),
    );
    return againInMs === null ? null : Math.max(againInMs, MAIL_PAUSE_MIN_MS);
  }

  /** For as long as the database says: its clock and the workflow's may be apart. */
  private async sleepUntil(
    { nowMs, nextNoticeAtMs, expiryAtMs }: InvoiceState,
    emailAgainInMs: number | null,
  ): Promise<void> {
    const waits = [
      ...(nextNoticeAtMs === null ? [] : [nextNoticeAtMs - nowMs]),
      ...(expiryAtMs === undefined ? [] : [expiryAtMs - nowMs]),
      ...(emailAgainInMs === null ? [] : [emailAgainInMs]),
    ];
    const woken = (): boolean => this.woken;
    const summary = `the next notice${emailAgainInMs === null ? '' : ' or letter'}${expiryAtMs === undefined ? '' : ', or the expiry'}`;
    await (waits.length === 0
      ? condition(woken)
      : condition(woken, Math.max(LOOK_MIN_MS, Math.min(...waits)), { summary }));
  }

  /** False when something has come since the last look: whoever waits for the next one is answered by it, and by nothing else. */
  private async isAnswered(): Promise<boolean> {
    await condition(() => this.woken || allHandlersFinished());
    return !this.woken;
  }

  /** A schedule may go on for years, and each due date costs a few events: the row holds all that a fresh run needs. */
  private async renewWhenLong(): Promise<void> {
    const { continueAsNewSuggested, typedSearchAttributes, workflowType } = workflowInfo();
    if (continueAsNewSuggested && (await this.isAnswered())) {
      await makeContinueAsNewFunc<typeof invoiceWorkflow>({ workflowType, typedSearchAttributes })(this.input);
    }
  }

  private tell(stand: InvoiceState): void {
    const { status, paused, nextNoticeAtMs, paidInstallments, installments } = stand;
    const nextNoticeAt = nextNoticeAtMs === null ? null : new Date(nextNoticeAtMs).toISOString();
    this.progress = { status, paused, nextNoticeAt, paidInstallments, installments };
    setCurrentDetails(detailsOf(stand));
    const shown = paused && !stand.ended ? 'PAUSED' : status;
    // The dearest write that Temporal makes, so only when it says something new.
    if (shown !== this.shownStatus && !(this.shownStatus === null && shown === 'ISSUED')) {
      upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.status, value: shown }]);
    }
    this.shownStatus = shown;
  }
}

function detailsOf(stand: InvoiceState): string {
  const { ended, status, paused, due, total, nextDueDate, nextNoticeAtMs, expiryAtMs, paidInstallments, installments } =
    stand;
  if (ended) {
    return `Ended: ${status}.`;
  }
  const parts = [
    `${status}: ${due} of ${total} is due${nextDueDate === null ? '' : `, the next part on ${nextDueDate}`}.`,
    ...(installments === 0 ? [] : [`${paidInstallments} of ${installments} installments are paid.`]),
    ...(expiryAtMs === undefined ? [] : [`Expires at ${utc(expiryAtMs)} unless it is paid.`]),
  ];
  if (paused) {
    return [...parts, 'Paused: no notices go out until it is resumed.'].join(' ');
  }
  return [...parts, nextNoticeAtMs === null ? 'Waiting for payments.' : `Next notice at ${utc(nextNoticeAtMs)}.`].join(
    ' ',
  );
}
