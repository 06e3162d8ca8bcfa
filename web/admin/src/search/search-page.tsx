import { Badge, Box, Card, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Instant } from '../parts/instant.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { SearchBox } from './search-box.tsx';
import { Page } from '../parts/page.tsx';

type Hit = Schemas['SearchHit'];

/** What was found, of both modes; each says its own. */
export function SearchPage() {
  const { words } = useLanguage();
  const { q } = useSearch({ from: '/$mode/search' });
  const hits = useQuery({
    queryKey: ['search', q],
    enabled: q !== '',
    queryFn: () => dataOf(api.GET('/admin/search', { params: { query: { q } } })),
  });
  return (
    <Page title={words.search.title}>
      {/* Wider screens have it in the frame. */}
      <Box hiddenFrom="sm">
        <SearchBox typed={q} focus={q === ''} />
      </Box>
      {q !== '' && (
        <Loaded asked={hits}>
          {(found) =>
            found.length === 0 ? (
              <Text c="dimmed">{words.search.nothing(q)}</Text>
            ) : (
              found.map((hit) => <HitCard key={`${hit.kind} ${hit.id}`} hit={hit} />)
            )
          }
        </Loaded>
      )}
    </Page>
  );
}

function HitCard({ hit }: { readonly hit: Hit }) {
  const { words, language } = useLanguage();
  const { amountMinor, currency } = hit;
  return (
    <Card withBorder padding="sm">
      <Group justify="space-between">
        <Stack gap={0}>
          <Text size="sm" c="dimmed">
            {words.search.kinds[hit.kind]} · {words.search.foundBy[hit.foundBy]}
          </Text>
          <HitLink hit={hit}>{hit.reference}</HitLink>
          <Text size="sm" c="dimmed">
            {hit.applicationName !== null && `${hit.applicationName} · `}
            <Instant at={hit.createdAt} />
          </Text>
        </Stack>
        <Stack gap={4} align="flex-end">
          {amountMinor !== null && currency !== null && (
            <Text fw={600} className="tabular">
              {moneyOf({ amountMinor, currency }, language)}
            </Text>
          )}
          <Group gap={4}>
            <Badge variant="default" tt="none" miw="max-content">
              {hit.status}
            </Badge>
            <Badge color={hit.mode === 'TEST' ? 'yellow.4' : 'teal.9'} autoContrast>
              {words.modes[hit.mode]}
            </Badge>
          </Group>
        </Stack>
      </Group>
    </Card>
  );
}

/** Leads to the page of what was found, in its own mode, if the dashboard has one. */
function HitLink({ hit, children }: { readonly hit: Hit; readonly children: ReactNode }) {
  const params = { mode: hit.mode === 'TEST' ? 'test' : 'live', id: hit.id.toString() } as const;
  switch (hit.kind) {
    case 'PAYMENT':
      return (
        <Link to="/$mode/payments/$id" params={params} className="breaks">
          {children}
        </Link>
      );
    case 'REFUND':
      return (
        <Link to="/$mode/refunds/$id" params={params} className="breaks">
          {children}
        </Link>
      );
    case 'EVENT':
      return (
        <Link to="/$mode/webhooks/$id" params={params} className="breaks">
          {children}
        </Link>
      );
    case 'INVOICE':
      return (
        <Link to="/$mode/invoices/$id" params={params} className="breaks">
          {children}
        </Link>
      );
    case 'PAYOUT':
      return (
        <Link to="/$mode/payouts/$reference" params={{ ...params, reference: hit.reference }} className="breaks">
          {children}
        </Link>
      );
    default:
      return (
        <Text span className="breaks">
          {children}
        </Text>
      );
  }
}
