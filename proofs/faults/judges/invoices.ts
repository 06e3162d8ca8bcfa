import { invoiceIn, type InvoiceView } from '../bill-load.ts';
import type { Bill } from '../bill-plan.ts';
import type { Evidence, InvoiceDelivery } from '../evidence.ts';
import type { Judge } from './judge.ts';
import { coursesOf, PAID } from './payments.ts';
import { isLate, refundCoursesOf } from './refunds.ts';

/** One invoice as the APIs showed it at the end, with the events that its application's receiver got. */
interface BillCourse {
  readonly bill: Bill;
  readonly last: InvoiceView | null;
  /** As each API showed it; only one element if only one API answered. */
  readonly looks: readonly InvoiceView[];
  readonly deliveries: readonly InvoiceDelivery[];
  readonly listens: boolean;
}

function billCoursesOf({ bills, answers, invoiceDeliveries, apps }: Evidence): BillCourse[] {
  return bills.map((bill) => {
    const own = answers.filter(({ mark, status }) => mark === bill.mark && status !== null && status < 300);
    const looks = own.filter(({ kind }) => kind === 'bill-look').flatMap((answer) => invoiceIn(answer) ?? []);
    const last = looks.at(-1) ?? null;
    return {
      bill,
      last,
      looks,
      deliveries: invoiceDeliveries.filter(({ invoiceId }) => invoiceId === last?.id),
      listens: (apps.find(({ index }) => index === bill.app)?.receiver ?? null) !== null,
    };
  });
}

/**
 * I16. The paid amount of an invoice is what the gateway took for its payments and did not refund, and never more than its total; the excess is in
 * suspense. Paid and due add up to the total, and the status agrees with them.
 */
export const invoicesCountTheirMoney: Judge = (evidence) => {
  const courses = billCoursesOf(evidence).filter(({ last }) => last !== null);
  return {
    judged: courses.length,
    violations: courses.flatMap((course) => [...wrongShown(course), ...wrongPaid(evidence, course)]),
  };
};

function wrongShown({ bill, last, looks }: BillCourse): string[] {
  if (last === null) {
    return [];
  }
  const { status, totalMinor, amountPaidMinor, amountDueMinor } = last;
  const open = status === 'ISSUED' || status === 'PARTIALLY_PAID' || status === 'OVERDUE';
  const adds =
    status === 'VOID' || status === 'DRAFT'
      ? amountPaidMinor + amountDueMinor === 0
      : amountPaidMinor + amountDueMinor === totalMinor;
  const follows = open ? amountDueMinor > 0 : status !== 'PAID' || amountDueMinor === 0;
  const alike = new Set(looks.map((look) => JSON.stringify(look))).size === 1;
  return [
    ...(adds && follows && totalMinor === bill.totalMinor
      ? []
      : [
          `${bill.mark} over ${bill.totalMinor} is ${status}: ${amountPaidMinor} paid and ${amountDueMinor} due of ${totalMinor}`,
        ]),
    ...(alike ? [] : [`${bill.mark} is shown differently by the two apis`]),
  ];
}

function wrongPaid(evidence: Evidence, { bill, last }: BillCourse): string[] {
  const own = coursesOf(evidence).filter(
    ({ errand, last: payment }) => errand.bill === bill.mark && payment !== null && PAID.has(payment.status),
  );
  const taken = total(own.flatMap(({ charges }) => charges.map(({ amountMinor }) => amountMinor)));
  const marks = new Set(own.map(({ errand }) => errand.mark));
  const suspended = total(evidence.overpayments.flatMap(({ mark, minor }) => (marks.has(mark) ? [minor] : [])));
  const given = total(
    refundCoursesOf(evidence)
      .filter(({ errand }) => marks.has(errand.mark))
      .flatMap(({ givings }) => givings)
      .filter((giving) => !isLate(giving) && giving.view.status === 'SUCCEEDED')
      .map(({ view }) => String(view.amountMinor)),
  );
  const wanted = taken - suspended - given;
  const silent = taken - suspended > BigInt(bill.totalMinor) + given;
  return wanted === BigInt(last?.amountPaidMinor ?? 0) && !silent
    ? []
    : [
        `${bill.mark} over ${bill.totalMinor} has ${last?.amountPaidMinor ?? 0} paid; the gateway took ${taken}, ${suspended} lies in suspense, ${given} went back`,
      ];
}

function total(amounts: readonly string[]): bigint {
  return amounts.reduce((sum, amount) => sum + BigInt(amount), 0n);
}

/**
 * I17. One key created one invoice with one number, which no other invoice of the run has. Whatever an answer said about an invoice is still true.
 */
export const oneNumberForEachInvoice: Judge = (evidence) => {
  const courses = billCoursesOf(evidence);
  return {
    judged: courses.length,
    violations: [
      ...courses.flatMap(({ bill, last }) => brokenPromises(evidence, { bill, last })),
      ...evidence.numbers.flatMap(({ app, numbers }) => {
        const sorted = numbers.toSorted((a, b) => a - b);
        return sorted.every((number, index) => number === index + 1)
          ? []
          : [`the invoices of application ${app} have the numbers ${sorted.join(', ')}`];
      }),
    ],
  };
};

function brokenPromises({ answers }: Evidence, { bill, last }: Pick<BillCourse, 'bill' | 'last'>): string[] {
  const own = answers.filter(({ mark, status }) => mark === bill.mark && status !== null && status < 300);
  const views = own.flatMap((answer) => invoiceIn(answer) ?? []);
  const ids = new Set(views.map(({ id }) => id));
  const numbers = new Set(views.flatMap(({ number }) => number ?? []));
  const replays = new Set(own.filter(({ replayed }) => replayed).map(({ text }) => text));
  const voided = own.some(({ kind }) => kind === 'bill-void');
  const states = answers
    .filter(({ mark }) => mark === bill.mark)
    .map(({ kind, status }) => `${kind} ${status ?? 'none'}`);
  return [
    ...(last === null ? [`${bill.mark} was never answered with an invoice: ${states.join(', ')}`] : []),
    ...(ids.size > 1 ? [`${bill.mark}: one key made the invoices ${[...ids].join(' and ')}`] : []),
    ...(numbers.size > 1 ? [`${bill.mark}: one invoice had the numbers ${[...numbers].join(' and ')}`] : []),
    ...(replays.size > 1 ? [`${bill.mark}: the replays of one key are not the same bytes`] : []),
    ...(voided && last?.status !== 'VOID' ? [`${bill.mark} was void, and is ${last?.status ?? 'gone'}`] : []),
    ...(!voided && last?.status === 'VOID' ? [`${bill.mark} is void, and nobody was told so`] : []),
  ];
}

/** I18. Each change of an invoice has one event at its application's receiver, numbered without gaps, and each overdue day is reported once. */
export const invoicesAreToldOf: Judge = (evidence) => {
  const courses = billCoursesOf(evidence).filter(({ last, listens }) => last !== null && listens);
  return {
    judged: courses.length,
    violations: courses.flatMap(({ bill, last, deliveries }) => {
      const events = [...new Map(deliveries.map((delivery) => [delivery.id, delivery])).values()];
      const wanted = wantedEvents(last);
      const count = (type: string): number => events.filter((event) => event.type === `invoice.${type}`).length;
      const sequences = events.map(({ sequence }) => sequence).toSorted((a, b) => a - b);
      const bodies = new Set(deliveries.map(({ body }) => body)).size;
      const told = events.flatMap(({ type, noticed }) => (noticed === null ? [] : [`${type} ${noticed}`]));
      const overdue = (last?.installments ?? []).filter(({ status }) => status === 'OVERDUE');
      return [
        ...wanted
          .filter(({ type, least, most }) => count(type) < least || count(type) > most)
          .map(
            ({ type, least }) =>
              `${bill.mark} is ${last?.status}, and "invoice.${type}" came ${count(type)} times, not ${least}`,
          ),
        ...(sequences.every((sequence, index) => sequence === index + 1) && bodies === events.length
          ? []
          : [`${bill.mark} has events ${sequences.join(', ')} with ${bodies} bodies`]),
        ...told
          .filter((name, index) => told.indexOf(name) !== index)
          .map((name) => `${bill.mark}: "${name}" was told twice`),
        ...(last?.status === 'VOID' ? [] : overdue)
          .filter(({ dueDate }) => !told.includes(`invoice.overdue ${dueDate} 1`))
          .map(({ dueDate }) => `${bill.mark}: what was due on ${dueDate} is overdue, and nobody was told`),
        ...(deliveries.every(({ signatureValid }) => signatureValid)
          ? []
          : [`${bill.mark}: an event came without a valid signature`]),
      ];
    }),
  };
};

/** An invoice that a refund reopened may have been paid before. */
function wantedEvents(last: InvoiceView | null): { type: string; least: number; most: number }[] {
  const once = (type: string, holds: boolean) => ({ type, least: holds ? 1 : 0, most: holds ? 1 : 0 });
  return [
    once('issued', last !== null && last.number !== null),
    once('voided', last?.status === 'VOID'),
    last?.status === 'PAID' ? { type: 'paid', least: 1, most: 2 } : { type: 'paid', least: 0, most: 1 },
  ];
}
