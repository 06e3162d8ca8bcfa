import { Button, Card, Group, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { useNow } from '../parts/now.ts';
import { useMay } from '../session/session.tsx';
import { useSensitive } from '../session/step-up.tsx';
import { countOf, shortInstantOf, timeUntil } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { codeInWords } from './event-words.ts';
import { useChange } from '../parts/use-change.ts';

type Delivery = Schemas['PaymentDetail']['deliveries'][number];

export function DeliveriesPart({
  deliveries,
  applicationId,
  paymentId,
}: {
  readonly deliveries: readonly Delivery[];
  readonly applicationId: number;
  readonly paymentId: number;
}) {
  const { words } = useLanguage();
  return deliveries.length === 0 ? (
    <Text c="dimmed">{words.nothingHere}</Text>
  ) : (
    <Stack gap="xs">
      {deliveries.map((delivery) => (
        <DeliveryCard key={delivery.id} delivery={delivery} applicationId={applicationId} paymentId={paymentId} />
      ))}
    </Stack>
  );
}

function DeliveryCard({
  delivery,
  applicationId,
  paymentId,
}: {
  readonly delivery: Delivery;
  readonly applicationId: number;
  readonly paymentId: number;
}) {
  const { words, language } = useLanguage();
  const may = useMay();
  const sensitive = useSensitive();
  const queries = useQueryClient();
  const resend = useChange({
    mutationFn: () =>
      sensitive(`${words.payment.resend}: ${delivery.type}`, () =>
        dataOf(api.POST('/admin/webhooks/{id}/resend', { params: { path: { id: delivery.id } } })),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['payment', paymentId.toString()] }),
  });
  return (
    <Card withBorder padding="sm">
      <Group justify="space-between">
        <Stack gap={0}>
          <Text fw={600}>{delivery.type}</Text>
          <Text size="sm" c="dimmed" className="breaks">
            {delivery.eventId}
          </Text>
          <Text size="sm">
            {words.payment.attemptsMade(countOf(delivery.attempts, language))} · <Progress delivery={delivery} />
          </Text>
        </Stack>
        {may('app:manage', applicationId) && (
          <Button variant="default" size="xs" loading={resend.isPending} onClick={() => resend.mutate()}>
            {words.payment.resend}
          </Button>
        )}
      </Group>
      {resend.isSuccess && <Text role="status">{words.payment.resent}</Text>}
      {resend.error !== null && <ErrorNotice error={resend.error} isChange />}
    </Card>
  );
}

function Progress({ delivery: { deliveryStatus, deliveredAt, nextAttemptAt } }: { readonly delivery: Delivery }) {
  const { words, language } = useLanguage();
  const now = useNow();
  if (deliveredAt !== null) {
    return `${words.payment.delivered} ${shortInstantOf(deliveredAt, language)}`;
  }
  if (nextAttemptAt === null) {
    return codeInWords(deliveryStatus, language);
  }
  const left = timeUntil(nextAttemptAt, now, language);
  return left === null ? words.payment.attemptDue : words.payment.nextAttempt(left);
}
