import { Card, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Facts } from '../parts/facts.tsx';
import { LoadedPage } from '../parts/loaded.tsx';
import { RefundStatusBadge } from '../parts/status-badge.tsx';
import { OperatorName } from '../session/operator-name.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { NotFound } from '../shell/not-found.tsx';
import { countOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { ApprovalPart } from './approval-part.tsx';
import { ReviewPart } from './review-part.tsx';
import { Instant } from '../parts/instant.tsx';

const OPEN_MS = 2_000;

/** What the second person must know, on one screen of a phone. */
export function RefundPage() {
  const { id } = useParams({ from: '/$mode/refunds/$id' });
  const { mode } = useMode();
  const refund = useQuery({
    queryKey: ['refund', id],
    queryFn: () => dataOf(api.GET('/admin/refunds/{id}', { params: { path: { id: Number(id) } } })),
    refetchInterval: ({ state }) => (isOpen(state.data) ? OPEN_MS : false),
  });
  return (
    <LoadedPage asked={refund}>{(data) => (data.mode === mode ? <Detail refund={data} /> : <NotFound />)}</LoadedPage>
  );
}

function isOpen(refund: Schemas['Refund'] | undefined): boolean {
  return refund?.status === 'AWAITING_APPROVAL' || refund?.status === 'PENDING';
}

function Detail({ refund }: { readonly refund: Schemas['Refund'] }) {
  const { words, language } = useLanguage();
  const payment = usePayment(refund.paymentId);
  return (
    <Stack maw={640}>
      <Group justify="space-between">
        <Title order={1} size="h3">
          {words.refunds.number(countOf(refund.id, language))}
        </Title>
        <RefundStatusBadge status={refund.status} />
      </Group>
      <Text size="xl" fw={700} className="tabular">
        {moneyOf(refund, language)}
      </Text>
      {payment !== undefined && <OfPayment payment={payment.payment} />}
      <Facts
        facts={[
          [words.refunds.askedBy, <OperatorName key="by" by={refund.createdBy} />],
          [words.refunds.asked, <Instant key="at" at={refund.createdAt} />],
          [words.refunds.reason, refund.reason ?? '–'],
          [
            words.refunds.approvedBy,
            refund.approvedBy === null ? '–' : <OperatorName key="approved" by={refund.approvedBy} />,
          ],
        ]}
      />
      {refund.status === 'AWAITING_APPROVAL' && <ApprovalPart refund={refund} payment={payment} />}
      {refund.review !== null && <ReviewPart refund={refund} />}
    </Stack>
  );
}

function OfPayment({ payment }: { readonly payment: Schemas['Payment'] }) {
  const { words, language } = useLanguage();
  const { path } = useMode();
  return (
    <Card withBorder padding="sm">
      <Text>{words.refunds.ofPayment(moneyOf(payment, language), words.statuses[payment.status])}</Text>
      <Link to="/$mode/payments/$id" params={{ mode: path, id: payment.id.toString() }} className="breaks">
        {payment.reference}
      </Link>
    </Card>
  );
}

/** Returns the refund's payment, if the person may see payments. */
function usePayment(paymentId: number): Schemas['PaymentDetail'] | undefined {
  const may = useMay();
  const { data } = useQuery({
    queryKey: ['payment', paymentId.toString()],
    enabled: may('payment:read'),
    queryFn: () => dataOf(api.GET('/admin/payments/{id}', { params: { path: { id: paymentId } } })),
  });
  return data;
}
