import { Anchor, Card, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { useApplicationNames } from '../applications/application-names.ts';
import { Facts } from '../parts/facts.tsx';
import { LoadedPage } from '../parts/loaded.tsx';
import { TestClock } from '../parts/test-clock.tsx';
import { useMode } from '../shell/mode.ts';
import { NotFound } from '../shell/not-found.tsx';
import { moneyOf, shortInstantOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { Actions } from './actions.tsx';
import { CustomerPart } from './customer-part.tsx';
import { DeliveriesPart } from './deliveries-part.tsx';
import {
  AttemptsPart,
  DecisionsPart,
  LedgerPart,
  PayoutLinesPart,
  RefundsPart,
  UnappliedPart,
} from './related-parts.tsx';
import { StateDiagram } from './state-diagram.tsx';
import { TimelinePart } from './timeline-part.tsx';
import { PAYMENT_WORDS } from './words.ts';
import { Instant } from '../parts/instant.tsx';

const OPEN_MS = 2_000;
const ENDED_MS = 15_000;

export function PaymentPage() {
  const { id } = useParams({ from: '/$mode/payments/$id' });
  const { mode } = useMode();
  const { language } = useLanguage();
  const detail = useQuery({
    queryKey: ['payment', id, language],
    queryFn: () =>
      dataOf(api.GET('/admin/payments/{id}', { params: { path: { id: Number(id) }, query: { language } } })),
    refetchInterval: ({ state }) => (isOpen(state.data) ? OPEN_MS : ENDED_MS),
  });
  return (
    <LoadedPage asked={detail}>
      {/* A TEST payment is never shown in the colours of LIVE, whatever the address says. */}
      {(data) => (data.payment.mode === mode ? <Detail detail={data} /> : <NotFound />)}
    </LoadedPage>
  );
}

function isOpen(detail: Schemas['PaymentDetail'] | undefined): boolean {
  return (
    detail === undefined ||
    detail.payment.status === 'CREATED' ||
    detail.payment.status === 'PENDING' ||
    detail.explanation.waitingFor !== 'nothing' ||
    detail.deliveries.some(({ deliveryStatus }) => deliveryStatus !== 'DELIVERED')
  );
}

function Detail({ detail }: { readonly detail: Schemas['PaymentDetail'] }) {
  const { words, language } = useLanguage();
  const own = useWords(PAYMENT_WORDS);
  const { payment, explanation, workflow } = detail;
  const applications = useApplicationNames();
  return (
    <Stack>
      <Group justify="space-between" align="flex-start">
        <Stack gap={0}>
          <Title order={1} size="h3" className="breaks">
            {payment.reference}
          </Title>
          <Text size="xl" fw={700} className="tabular">
            {moneyOf(payment, language)}
          </Text>
        </Stack>
        <Actions detail={detail} />
      </Group>
      <StateDiagram status={payment.status} />
      <Card withBorder>
        <Text fw={600}>{explanation.summary}</Text>
        {payment.review !== null && <Text fw={600}>{words.reviews[payment.review.reason]}</Text>}
        {explanation.waitingFor !== 'nothing' && (
          <Text>
            {words.waitingFor[explanation.waitingFor]}
            {explanation.until !== null && ` ${words.payment.until(shortInstantOf(explanation.until, language))}`}
          </Text>
        )}
        <Text c="dimmed">
          {words.payment.next}: {explanation.next}
        </Text>
      </Card>
      <Facts
        facts={[
          [words.payments.application, applications[payment.applicationId.toString()] ?? '–'],
          [words.payment.gateway, payment.gateway ?? '–'],
          [words.payment.gatewayTxnId, payment.gatewayTxnId ?? '–'],
          [words.payment.created, <Instant key="at" at={payment.createdAt} />],
          ...(detail.invoice === null
            ? []
            : [[own.invoice, <InvoiceLink key="invoice" invoice={detail.invoice} />] as const]),
          [words.payment.expires, <Instant key="at" at={payment.expiresAt} />],
        ]}
      />
      <Group>
        {workflow.url !== null && (
          <Anchor href={workflow.url} target="_blank" rel="noreferrer">
            {words.payment.workflow}
          </Anchor>
        )}
        <Anchor href={payment.checkoutUrl} target="_blank" rel="noreferrer">
          {words.payment.checkout}
        </Anchor>
      </Group>
      <TestClock
        of={{ object: 'payment', id: payment.id }}
        applicationId={payment.applicationId}
        aheadSeconds={detail.clockAheadSeconds}
        moves={['hour', 'expiry', 'next-attempt', 'month']}
        refresh={[['payment'], ['payments']]}
      />
      <Part name={own.customer}>
        <CustomerPart detail={detail} />
      </Part>
      <Part name={words.payment.timeline}>
        <TimelinePart timeline={explanation.timeline} />
      </Part>
      <Part name={words.payment.deliveries}>
        <DeliveriesPart deliveries={detail.deliveries} applicationId={payment.applicationId} paymentId={payment.id} />
      </Part>
      <Part name={words.payment.refunds}>
        <RefundsPart refunds={detail.refunds} />
      </Part>
      <Part name={words.payment.ledger}>
        <LedgerPart entries={detail.ledger} />
      </Part>
      <Part name={words.payment.attempts}>
        <AttemptsPart attempts={detail.attempts} currency={payment.currency} />
      </Part>
      {detail.payoutLines.length > 0 && (
        <Part name={own.payouts}>
          <PayoutLinesPart lines={detail.payoutLines} />
        </Part>
      )}
      {detail.unappliedPayments.length > 0 && (
        <Part name={words.payment.unapplied}>
          <UnappliedPart unappliedPayments={detail.unappliedPayments} />
        </Part>
      )}
      {detail.decisions.length > 0 && (
        <Part name={words.payment.decisions}>
          <DecisionsPart decisions={detail.decisions} />
        </Part>
      )}
    </Stack>
  );
}

function InvoiceLink({ invoice }: { readonly invoice: NonNullable<Schemas['PaymentDetail']['invoice']> }) {
  const words = useWords(PAYMENT_WORDS);
  const { path } = useMode();
  return (
    <Link to="/$mode/invoices/$id" params={{ mode: path, id: invoice.id.toString() }}>
      {invoice.number ?? words.draft}
    </Link>
  );
}

function Part({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {name}
      </Title>
      {children}
    </Stack>
  );
}
