import { testFileWithServers } from '../check.ts';
import type { Defect } from '../defect.ts';
import { STORIES } from './checks.ts';

/** Defects in invoices: their numbers, their money and their notices. */
export const INVOICES: readonly Defect[] = [
  {
    name: 'number-of-its-own-transaction',
    breaks:
      'An invoice gets its number in an earlier transaction. If the process dies in between, the numbers have a gap.',
    edits: [
      {
        in: 'core/invoices',
        find: 'const $ISSUED = await issueDraft($STATEMENTS, { $$$ORDER })',
        inside:
          'async function $NAME($DEPS: CoreDependencies, $STATEMENTS: Statements, $DRAFT: InvoiceRecord): $RESULT { $$$BODY }',
        replace: `const [taken] = await $DEPS.database.withScope($DRAFT, (own) =>
    own.execute<{ last_number: string }[]>(
      \`insert into invoice_counters as c (application_id, mode, last_number) values (?::bigint, ?, 1)
       on conflict (application_id, mode) do update set last_number = c.last_number + 1 returning c.last_number\`,
      [$DRAFT.applicationId, $DRAFT.mode],
    ),
  );
  const $ISSUED = await issueDraft($STATEMENTS, { taken: BigInt(taken?.last_number ?? 0), $$$ORDER });`,
      },
      {
        in: 'core/invoices/store',
        find: 'interface Issuing { $$$FIELDS }',
        replace: 'interface Issuing { readonly taken: bigint; $$$FIELDS }',
      },
      {
        in: 'core/invoices/store',
        find: 'interface Issued extends Scope { $$$FIELDS }',
        replace: 'interface Issued extends Scope { readonly taken: bigint; $$$FIELDS }',
      },
      {
        in: 'core/invoices/store',
        find: "$QUERY.insertInto('invoice_counters').values($VALUES).onConflict($CONFLICT).returning('lastNumber')",
        replace: "$QUERY.selectNoFrom((eb) => eb.cast<bigint>($('taken'), 'bigint').as('lastNumber'))",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'invoice-numbers-without-gaps' }],
  },
  {
    name: 'invoice-not-locked',
    breaks: 'Two payments of one invoice at the same time both add to the same old sum, and one of them is lost.',
    edits: [
      {
        in: 'core/invoices/store',
        find: '$QUERY.forUpdate()',
        inside: 'const LOCK_PAID_BY = $_',
        replace: '$QUERY',
      },
    ],
    // A story meets it once in some thousand seeds; twelve real connections meet it every time.
    caughtBy: [
      {
        check: testFileWithServers('test/core/invoices/money-in.test.ts'),
        names: 'a payment of an invoice made by twelve payers at once never counts more than the total',
      },
    ],
  },
  {
    name: 'overpayment-dropped',
    breaks: 'Two payers pay one invoice, and no operator sees the overpayment.',
    edits: [
      {
        in: 'core/invoices',
        find: '$PAYMENT.overpaymentMinor > 0n',
        replace: '$PAYMENT.overpaymentMinor > $PAYMENT.amountMinor',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'overpayment-never-silent' }],
  },
  {
    name: 'sweeper-blind-to-overpayment',
    breaks: 'An overpayment of an invoice whose workflow did not start waits in a list, and nobody is notified.',
    edits: [{ in: 'core/sweep', find: '() => runSweep($DEPS, dueHeldMoney($DEPS))', replace: 'async () => 0' }],
    caughtBy: [
      {
        check: testFileWithServers('test/core/invoices/money-in.test.ts'),
        names:
          'an overpayment that no workflow watches over since its start was lost is given one by the sweeper, until it has taken the money up',
      },
    ],
  },
  {
    name: 'refund-leaves-invoice-paid',
    breaks: 'After a refund of its payment, an invoice stays paid, so the amount is not due again.',
    edits: [
      {
        in: 'core/invoices',
        find: "if ($RULE === 'KEEP') { $$$BODY }",
        follows: 'const $RULES = await invoiceRulesOf($STATEMENTS, $INVOICE)',
        replace: "if ($RULE === 'KEEP' || $INVOICE.paidMinor === $INVOICE.totalMinor) { $$$BODY }",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'invoice-counts-its-money' }],
  },
  {
    name: 'notice-before-its-note',
    breaks:
      'The event about a due date is committed before the record that it was sent. If the process dies in between, the application gets it twice.',
    edits: [
      {
        in: 'core/invoices',
        find: 'return recordAndDeliver($DEPS, $STATEMENTS, $INVOICE, $EVENT)',
        follows: 'const $TYPE: EventType = $NOTICE',
        replace: `const { applicationId, mode } = $INVOICE;
  return $DEPS.database.withScope({ applicationId, mode }, (own) =>
    recordAndDeliver($DEPS, own, $INVOICE, $EVENT),
  );`,
      },
    ],
    caughtBy: [{ check: STORIES, names: 'one-event-per-invoice-change' }],
  },
  {
    name: 'void-while-paying',
    breaks: 'An invoice is voided while a payer is paying it at the gateway.',
    edits: [
      {
        in: 'core/invoices',
        find: 'if ($OPEN !== undefined) { $$$BODY }',
        follows: 'const [$OPEN] = await openPaymentsOf($$$OF)',
        replace: "if ($OPEN !== undefined && $OPEN.status === 'CREATED') { $$$BODY }",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'nobody-pays-for-void' }],
  },
  {
    name: 'told-while-paused',
    breaks: 'Customers get reminders of a paused invoice.',
    edits: [
      {
        in: 'core/invoices',
        find: '$INVOICE.pausedAt !== null || dueMinorOf($INVOICE) === 0n',
        replace: 'dueMinorOf($INVOICE) === 0n',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'told-only-what-is-due' }],
  },
  {
    name: 'link-asks-for-everything',
    breaks: 'The link of an invoice with installments charges the customer the whole amount at once.',
    edits: [
      {
        in: 'domain',
        find: '$LATE.length > 0 ? $LATE : $OPEN.slice(0, 1)',
        replace: '$LATE.length > 0 ? $LATE : $OPEN',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'link-asks-what-is-due' }],
  },
  {
    name: 'sweeper-blind-to-invoices',
    breaks: 'An invoice whose workflow did not start never expires and sends no reminders.',
    edits: [{ in: 'core/sweep', find: '() => runSweep($DEPS, dueInvoices($DEPS))', replace: 'async () => 0' }],
    caughtBy: [{ check: STORIES, names: 'open-invoice-has-a-workflow' }],
  },
  {
    name: 'emails-without-end',
    breaks: 'An invoice without emails counts as one with an email due now, so its workflow runs in a loop.',
    edits: [
      {
        in: 'core/invoices/store',
        find: "$EB.case().when($EB.fn.countAll(), '>', 0).then($PAUSE).end()",
        replace: '$PAUSE',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'instruments-agree' }],
  },
];
