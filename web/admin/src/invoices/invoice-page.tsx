import { Anchor, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Facts } from '../parts/facts.tsx';
import { DataTable } from '../parts/list.tsx';
import { LoadedPage } from '../parts/loaded.tsx';
import { TestClock } from '../parts/test-clock.tsx';
import { PaymentStatusBadge } from '../parts/status-badge.tsx';
import { PaymentLink } from '../payments/payment-link.tsx';
import { useMode } from '../shell/mode.ts';
import { NotFound } from '../shell/not-found.tsx';
import { countOf, dayOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { INVOICE_WORDS } from './words.ts';
import { Instant } from '../parts/instant.tsx';

const EVERY_MS = 10_000;

type Detail = Schemas['InvoiceDetail'];

export function InvoicePage() {
  const { id } = useParams({ from: '/$mode/invoices/$id' });
  const { mode } = useMode();
  const invoice = useQuery({
    queryKey: ['invoice', id],
    queryFn: () => dataOf(api.GET('/admin/invoices/{id}', { params: { path: { id: Number(id) } } })),
    refetchInterval: EVERY_MS,
  });
  return (
    <LoadedPage asked={invoice}>
      {(data) => (data.invoice.mode === mode ? <Invoice detail={data} /> : <NotFound />)}
    </LoadedPage>
  );
}

function Invoice({
  detail: { invoice, applicationId, applicationName, pdfUrl, clockAheadSeconds },
}: {
  readonly detail: Detail;
}) {
  const words = useWords(INVOICE_WORDS);
  const { language } = useLanguage();
  const { currency } = invoice;
  const amount = (amountMinor: number): string => moneyOf({ amountMinor, currency }, language);
  return (
    <Stack>
      <Stack gap={0}>
        <Title order={1} size="h3">
          {invoice.number ?? words.draft}
        </Title>
        <Text size="xl" fw={700} className="tabular">
          {amount(invoice.totalMinor)}
        </Text>
        <Text>{words.statuses[invoice.status]}</Text>
      </Stack>
      <Facts
        facts={[
          [words.application, applicationName],
          [words.customer, invoice.customerReference],
          [words.paid, amount(invoice.amountPaidMinor)],
          [words.due, amount(invoice.amountDueMinor)],
          [words.nextDue, invoice.nextDueDate === null ? '–' : dayOf(invoice.nextDueDate, language)],
          [words.issued, invoice.issuedAt === null ? '–' : <Instant key="at" at={invoice.issuedAt} />],
        ]}
      />
      <Group>
        {pdfUrl !== null && (
          <Anchor href={pdfUrl} target="_blank" rel="noreferrer">
            {words.pdf}
          </Anchor>
        )}
        {invoice.payableUrl !== null && (
          <Anchor href={invoice.payableUrl} target="_blank" rel="noreferrer">
            {words.page}
          </Anchor>
        )}
      </Group>
      {invoice.status !== 'DRAFT' && (
        <TestClock
          of={{ object: 'invoice', id: invoice.id }}
          applicationId={applicationId}
          aheadSeconds={clockAheadSeconds}
          moves={['hour', 'expiry', 'next-attempt', 'month']}
          refresh={[['invoice'], ['invoices'], ['payments']]}
        />
      )}
      <Title order={2} size="h4">
        {words.lines}
      </Title>
      <DataTable
        label={words.lines}
        rows={invoice.lineItems}
        keyOf={({ id }) => id}
        columns={[
          { name: words.description, cell: ({ description }) => description },
          { name: words.quantity, from: 'sm', isNumber: true, cell: ({ qty }) => countOf(qty, language) },
          { name: words.unit, from: 'sm', isNumber: true, cell: ({ unitAmountMinor }) => amount(unitAmountMinor) },
          { name: words.tax, from: 'md', isNumber: true, cell: ({ taxMinor }) => amount(taxMinor) },
          { name: words.lineTotal, isNumber: true, cell: ({ lineTotalMinor }) => amount(lineTotalMinor) },
        ]}
      />
      {invoice.installments.length > 0 && (
        <>
          <Title order={2} size="h4">
            {words.schedule}
          </Title>
          <DataTable
            label={words.schedule}
            rows={invoice.installments}
            keyOf={({ dueDate }) => dueDate}
            columns={[
              { name: words.dueDate, cell: ({ dueDate }) => dayOf(dueDate, language) },
              { name: words.status, cell: ({ status }) => words.installmentStatuses[status] },
              { name: words.amount, isNumber: true, cell: ({ amountMinor }) => amount(amountMinor) },
              { name: words.paid, isNumber: true, cell: ({ amountPaidMinor }) => amount(amountPaidMinor) },
            ]}
          />
        </>
      )}
      <Title order={2} size="h4">
        {words.payments}
      </Title>
      {invoice.payments.length === 0 ? (
        <Text c="dimmed">{words.noPayments}</Text>
      ) : (
        <DataTable
          label={words.payments}
          rows={invoice.payments}
          keyOf={({ id }) => id}
          columns={[
            { name: words.payments, cell: ({ id, reference }) => <PaymentLink id={id} reference={reference} /> },
            { name: words.status, cell: ({ status }) => <PaymentStatusBadge status={status} /> },
            { name: words.amount, isNumber: true, cell: ({ amountMinor }) => amount(amountMinor) },
          ]}
        />
      )}
    </Stack>
  );
}
