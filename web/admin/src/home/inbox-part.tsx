import { Badge, Card, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Instant } from '../parts/instant.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMode } from '../shell/mode.ts';
import { countOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';

const EVERY_MS = 15_000;

type Kind = Schemas['Inbox']['kinds'][number];

/** What waits for a person, the oldest first. */
export function InboxPart() {
  const { words } = useLanguage();
  const { mode } = useMode();
  const inbox = useQuery({
    queryKey: ['inbox', mode],
    queryFn: () => dataOf(api.GET('/admin/inbox', { params: { query: { mode } } })),
    refetchInterval: EVERY_MS,
  });
  return (
    <Stack component="section" aria-labelledby="inbox">
      <Title order={1} size="h3" id="inbox">
        {words.home.title}
      </Title>
      <Loaded asked={inbox}>
        {({ kinds }) => {
          const waiting = kinds.filter(({ count }) => count > 0);
          return waiting.length === 0 ? (
            <Text c="dimmed">{words.home.clear}</Text>
          ) : (
            <Stack gap="xs">
              {waiting.map((kind) => (
                <KindCard key={kind.kind} kind={kind} />
              ))}
            </Stack>
          );
        }}
      </Loaded>
    </Stack>
  );
}

function KindCard({ kind }: { readonly kind: Kind }) {
  const { words, language } = useLanguage();
  const count = countOf(kind.count, language);
  return (
    <Card withBorder padding="sm">
      <KindLink kind={kind.kind}>
        <Group justify="space-between" wrap="nowrap">
          <Text fw={600}>{words.inbox[kind.kind]}</Text>
          <Badge size="lg" circle={count.length === 1}>
            {kind.isComplete ? count : words.home.atLeast(count)}
          </Badge>
        </Group>
      </KindLink>
      {kind.oldestSince !== null && (
        <Text size="sm" c="dimmed">
          {words.home.oldest} <Instant at={kind.oldestSince} isRelative />
        </Text>
      )}
      <Text size="sm" c="dimmed">
        {kind.applications
          .map(({ applicationName, count: ofOne }) => `${applicationName ?? 'Lenden'}: ${countOf(ofOne, language)}`)
          .join(' · ')}
      </Text>
    </Card>
  );
}

/** Leads to where the work is done. Overdue work is no person's: a worker has to be started. */
function KindLink({ kind, children }: { readonly kind: Kind['kind']; readonly children: ReactNode }) {
  const { path } = useMode();
  const target = TARGETS[kind];
  return target === null ? (
    children
  ) : (
    <Link to={target.to} params={{ mode: path }} search={target.search as never} className="plain-link">
      {children}
    </Link>
  );
}

const TARGETS = {
  REFUND_APPROVAL: { to: '/$mode/refunds', search: { status: 'AWAITING_APPROVAL' } },
  PAYMENT_REVIEW: { to: '/$mode/payments', search: { underReview: 'true' } },
  REFUND_REVIEW: { to: '/$mode/refunds', search: { underReview: 'true' } },
  UNAPPLIED_PAYMENT: { to: '/$mode/unapplied-payments', search: { status: 'HELD' } },
  MANUAL_SUBMISSION: { to: '/$mode/manual-payments', search: { status: 'WAITING' } },
  PAYOUT_CASE: { to: '/$mode/cases', search: { state: 'OPEN' } },
  PARKED_EVENT: { to: '/$mode/webhooks', search: { deliveryStatus: 'PARKED' } },
  DISABLED_ENDPOINT: { to: '/$mode/applications', search: {} },
  PENDING_CHANGE: { to: '/$mode/changes', search: { area: 'applications', status: 'PENDING' } },
  PENDING_OPERATOR_CHANGE: { to: '/$mode/changes', search: { area: 'operators', status: 'PENDING' } },
  PENDING_RECONCILIATION_CHANGE: { to: '/$mode/changes', search: { area: 'reconciliation', status: 'PENDING' } },
  OVERDUE_SWEEP: null,
} as const satisfies Record<Kind['kind'], { readonly to: string; readonly search: object } | null>;
