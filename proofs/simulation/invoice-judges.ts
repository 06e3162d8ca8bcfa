import type { Evidence } from './evidence.ts';
import { sum, table, text, timeOf } from './evidence-rows.ts';
import type { InvoiceState } from './invoice-evidence.ts';
import { askedOf, dueOf, isOpenState, noticesOf, todays, type DueNotice } from './invoice-schedule.ts';
import type { Value, Values } from './postgres/values.ts';

type Judge = (evidence: Evidence) => string[];

/** The invariants of invoices, checked against the rows at every commit, the answers to clients and payers, and the mail server. */
export const INVOICE_JUDGES = {
  'invoice-counts-its-money': ({ invoices }) => [...invoices.miscounted],
  'invoice-numbers-without-gaps': ({ invoices }) => [...invoices.misnumbered],
  'invoice-steps-are-legal': ({ invoices }) => [...invoices.missteps],
  'overpayment-never-silent': overpaymentNeverSilent,
  'nobody-pays-for-void': ({ invoices }) => [...invoices.payingForVoid],
  'invoice-adds-up': addsUp,
  'link-asks-what-is-due': linkAsksWhatIsDue,
  'told-only-what-is-due': ({ invoices }) => [...invoices.toldAmiss],
  'every-due-notice-told': everyDueNoticeTold,
  'one-event-per-invoice-change': oneEventPerChange,
  'open-invoice-has-a-workflow': hasAWorkflow,
  'promises-about-invoices-kept': promisesKept,
  'emails-come-to-an-end': emailsEnd,
} as const satisfies Record<string, Judge>;

function statesOf({ invoices }: Evidence, id: Value | undefined): readonly InvoiceState[] {
  return invoices.stands.get(id as bigint) ?? [];
}

/** An overpayment is held, being refunded, refunded or kept, exactly once, and no invoice received more than it asked for. */
function overpaymentNeverSilent(evidence: Evidence): string[] {
  const held = table(evidence, 'unapplied_payments').filter(({ kind }) => kind === 'overpayment');
  const payments = table(evidence, 'payments').filter(({ invoice_id: id }) => typeof id === 'bigint');
  const wrong = payments.flatMap((payment) => {
    const overpayment = payment['overpayment_minor'] as bigint;
    const own = held.filter(({ payment_id: id }) => id === payment['id']);
    const amounts = own.map((row) => row['gross_minor'] as bigint);
    return sum(amounts) === overpayment && own.length <= 1
      ? []
      : [`${text(payment['reference'])} brought ${overpayment} too much, and [${amounts.join()}] is held`];
  });
  return [...evidence.invoices.overpaymentLost, ...wrong, ...overCollected(evidence)];
}

function overCollected(evidence: Evidence): string[] {
  return table(evidence, 'invoices').flatMap((invoice) => {
    const paid = invoice['paid_minor'] as bigint;
    return paid >= 0n && paid <= (invoice['total_minor'] as bigint)
      ? []
      : [`invoice ${text(invoice['id'])} has ${paid} paid of ${text(invoice['total_minor'])}`];
  });
}

/** Paid and due add up to the total, and the status agrees, in every answer. */
function addsUp(evidence: Evidence): string[] {
  const { answers, looks } = evidence.invoices;
  const told = table(evidence, 'webhook_events')
    .filter(({ invoice_id: id }) => typeof id === 'bigint')
    .map(({ type, payload }) => ({ what: text(type), view: (JSON.parse(text(payload)) as { data: Shown }).data }));
  const views = [...answers.flatMap(({ what, view }) => (view === null ? [] : [{ what, view }])), ...told];
  return [
    ...views.flatMap(({ what, view }) => (isSound(view) ? [] : [`${what}: ${JSON.stringify(view).slice(0, 300)}`])),
    ...looks
      .filter((look) => look.amountDueMinor !== 0 && look.amountDueMinor + look.amountPaidMinor !== look.totalMinor)
      .map(
        (look) => `a link said ${look.amountDueMinor} is due and ${look.amountPaidMinor} paid of ${look.totalMinor}`,
      ),
  ];
}

interface Shown {
  readonly status: string;
  readonly totalMinor: number;
  readonly amountPaidMinor: number;
  readonly amountDueMinor: number;
}

function isSound({ status, totalMinor, amountPaidMinor, amountDueMinor }: Shown): boolean {
  switch (status) {
    case 'DRAFT':
    case 'VOID':
      return amountPaidMinor === 0 && amountDueMinor === 0;
    case 'PAID':
      return amountPaidMinor === totalMinor && amountDueMinor === 0;
    case 'ISSUED':
      return amountPaidMinor === 0 && amountDueMinor === totalMinor;
    case 'PARTIALLY_PAID':
      return amountPaidMinor > 0 && amountDueMinor > 0 && amountPaidMinor + amountDueMinor === totalMinor;
    default:
      return status === 'OVERDUE' && amountDueMinor > 0 && amountPaidMinor + amountDueMinor === totalMinor;
  }
}

/** A link shows the amount due in one of the states that the invoice had while the link was read. */
function linkAsksWhatIsDue(evidence: Evidence): string[] {
  return evidence.invoices.looks.flatMap(({ invoiceId, queriedAtMs, answeredAtMs, ...look }) => {
    const stands = evidence.invoices.stands.get(invoiceId) ?? [];
    const possible = stands.filter(
      ({ fromMs }, index) => fromMs <= answeredAtMs && (stands[index + 1]?.fromMs ?? Infinity) >= queriedAtMs,
    );
    const tolerance = evidence.clockToleranceMs;
    const wanted = possible.flatMap((stand) =>
      todays(queriedAtMs - tolerance, answeredAtMs + tolerance).map((today) => ({
        asked: askedOf(stand, today),
        due: dueOf(stand),
      })),
    );
    return wanted.some(({ asked, due }) => asked === BigInt(look.requestedMinor) && due === BigInt(look.amountDueMinor))
      ? []
      : [
          `the link of invoice ${invoiceId} asked ${look.requestedMinor} of ${look.amountDueMinor}, not ${wanted
            .map(({ asked, due }) => `${asked} of ${due}`)
            .join(' or ')}`,
        ];
  });
}

/** Hours after the due time or the last fault: the sweeper runs within minutes, and every half hour at most once nothing fails any more. */
const TOLD_WITHIN_MS = 3 * 3_600_000;

/** Every notice that became due and stayed due long enough was sent, or was skipped for a later notice of the same day. */
function everyDueNoticeTold(evidence: Evidence): string[] {
  return table(evidence, 'invoices').flatMap((invoice) => {
    const stands = statesOf(evidence, invoice['id']);
    const told = table(evidence, 'invoice_notices').filter(({ invoice_id: id }) => id === invoice['id']);
    const missed = new Map<string, string>();
    stands.forEach((stand, index) => {
      const untilMs = quietUntilMs(stands, index) ?? evidence.endedMs;
      for (const notice of stand.paused ? [] : noticesOf(stand)) {
        const lateMs = Math.max(notice.atMs, quietFromMs(stands, index), evidence.faultsEndedMs) + TOLD_WITHIN_MS;
        if (lateMs < untilMs && !told.some((row) => isNotice(row, notice) && timeOf(row['created_at']) <= lateMs)) {
          const name = `${notice.kind} ${notice.dueDate} ${notice.offsetDays}`;
          missed.set(name, `"${name}" of invoice ${text(invoice['id'])} was not told in time`);
        }
      }
    });
    return [...missed.values()];
  });
}

function isNotice(row: Values, { kind, dueDate, offsetDays }: DueNotice): boolean {
  return row['kind'] === kind && row['due_date'] === dueDate && row['offset_days'] === offsetDays;
}

function quietFromMs(stands: readonly InvoiceState[], index: number): number {
  return stands[index]?.fromMs ?? 0;
}

function quietUntilMs(stands: readonly InvoiceState[], index: number): number | undefined {
  return stands[index + 1]?.fromMs;
}

/** Each change has one event: first issued, paid as often as it became paid, void, and each due-date notice; numbered without gaps. */
function oneEventPerChange(evidence: Evidence): string[] {
  return table(evidence, 'invoices').flatMap((invoice) => {
    const events = table(evidence, 'webhook_events')
      .filter(({ invoice_id: id }) => id === invoice['id'])
      .sort((a, b) => Number(a['sequence']) - Number(b['sequence']));
    const count = (type: string): number => events.filter((event) => event['type'] === `invoice.${type}`).length;
    const told = (kind: string): number =>
      table(evidence, 'invoice_notices').filter(
        (row) => row['invoice_id'] === invoice['id'] && row['kind'] === kind && row['skipped'] === false,
      ).length;
    const stands = statesOf(evidence, invoice['id']);
    const became = (status: string): number =>
      stands.filter((stand, index) => stand.status === status && stands[index - 1]?.status !== status).length;
    const wanted: readonly (readonly [string, number])[] = [
      ['issued', invoice['status'] === 'DRAFT' ? 0 : 1],
      ['paid', became('PAID')],
      ['voided', invoice['status'] === 'VOID' ? 1 : 0],
      ['reminder', told('reminder')],
      ['overdue', told('overdue')],
    ];
    const gapless = events.every(({ sequence }, index) => sequence === index + 1);
    const first = events.length === 0 || events[0]?.['type'] === 'invoice.issued';
    const sound = gapless && first && invoice['event_sequence'] === events.length;
    const twice = new Set(events.map(subjectOf)).size !== events.length;
    return [
      ...(sound && !twice
        ? []
        : [`the events of invoice ${text(invoice['id'])} are [${events.map(subjectOf).join(', ')}]`]),
      ...wanted
        .filter(([type, times]) => count(type) !== times)
        .map(([type, times]) => `invoice ${text(invoice['id'])} told "${type}" ${count(type)} times, not ${times}`),
    ];
  });
}

/** Returns what an event is about. An invoice may become paid again after a refund. */
function subjectOf({ type, payload, sequence }: Values): string {
  const { data } = JSON.parse(text(payload)) as { data: { notice?: { dueDate: string; offsetDays: number } } };
  const { notice } = data;
  return notice === undefined
    ? `${text(type)} ${type === 'invoice.paid' ? text(sequence) : ''}`
    : `${text(type)} ${notice.dueDate} ${notice.offsetDays}`;
}

/** At rest every open invoice has a running workflow, and no other invoice has one. */
function hasAWorkflow(evidence: Evidence): string[] {
  return table(evidence, 'invoices')
    .filter(({ status }) => status !== 'DRAFT')
    .flatMap((invoice) => {
      const runs = evidence.running.includes(`invoice:${text(invoice['reference'])}`);
      const open = isOpenState({ status: text(invoice['status']) });
      return runs === open
        ? []
        : [
            `invoice ${text(invoice['id'])} is ${text(invoice['status'])}, and its workflow ${runs ? 'runs' : 'does not run'}`,
          ];
    });
}

/** There is one invoice for each key, with the number and total that were answered. Invoices reported as void or deleted are so. */
function promisesKept(evidence: Evidence): string[] {
  const rows = table(evidence, 'invoices');
  const byKey = Map.groupBy(rows, ({ customer_reference: key }) => text(key));
  return [
    ...[...byKey].filter(([, all]) => all.length > 1).map(([key, all]) => `${key} made ${all.length} invoices`),
    ...evidence.invoices.answers.flatMap(({ key, what, view }) => {
      const row = rows.find(({ customer_reference: reference }) => reference === key);
      if (what === 'deleted') {
        return row === undefined ? [] : [`${key} was deleted, and is still there`];
      }
      const numbered = view?.number ?? null;
      const gone = row === undefined && numbered !== null;
      const other =
        row !== undefined &&
        numbered !== null &&
        (view?.id !== Number(row['id']) ||
          numbered !== `INV-${text(row['number']).padStart(6, '0')}` ||
          BigInt(view.totalMinor) !== row['total_minor']);
      const revived = what === 'voided' && row?.['status'] !== 'VOID';
      return gone || other || revived ? [`${key} was ${what} as ${JSON.stringify(view)}, and is not so`] : [];
    }),
  ];
}

/** Each email was sent, refused, given up or skipped, and the mail server accepted every email that counts as sent. */
function emailsEnd(evidence: Evidence): string[] {
  return table(evidence, 'invoice_notices').flatMap((notice) => {
    const id = text(notice['id']);
    const sent = evidence.invoices.emails.filter(
      ({ messageId, outcome }) => messageId.startsWith(`notice.${id}.`) && outcome === 'sent',
    );
    // While an invoice is paused, its pending notices keep waiting.
    const paused = statesOf(evidence, notice['invoice_id']).at(-1)?.paused === true;
    return notice['email_status'] === 'PENDING' && !paused
      ? [`the email of notice ${id} still waits`]
      : notice['email_status'] === 'SENT' && sent.length === 0
        ? [`the email of notice ${id} counts as sent, and nobody took it`]
        : [];
  });
}
