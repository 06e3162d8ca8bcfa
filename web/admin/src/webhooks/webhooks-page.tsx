import { Text } from '@mantine/core';
import { Link, useSearch } from '@tanstack/react-router';
import { EVENT_TYPES } from '../../../../domain/webhook.ts';
import { api } from '../api/client.ts';
import { useApplicationNames } from '../applications/application-names.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { useMode } from '../shell/mode.ts';
import { countOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { WEBHOOK_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

export function WebhooksPage() {
  const words = useWords(WEBHOOK_WORDS);
  const { language } = useLanguage();
  const { mode, path } = useMode();
  const filter = useSearch({ from: '/$mode/webhooks' });
  const applications = useApplicationNames();
  const { applicationId, ...rest } = filter;
  const query = { mode, ...rest, ...(applicationId === undefined ? {} : { applicationId: Number(applicationId) }) };
  return (
    <Page title={words.title} why={words.why}>
      <FilterForm
        filter={filter}
        fields={[
          {
            name: 'deliveryStatus',
            label: words.status,
            options: words.statuses,
          },
          { name: 'type', label: words.type, options: Object.fromEntries(EVENT_TYPES.map((type) => [type, type])) },
          { name: 'applicationId', label: words.application, options: applications },
        ]}
      />
      <List
        label={words.title}
        queryKey={['webhooks', mode, filter]}
        get={(page) => api.GET('/admin/webhooks', { params: { query: { ...query, ...page } } })}
        columns={[
          {
            name: words.type,
            cell: (event) => (
              <>
                <Link to="/$mode/webhooks/$id" params={{ mode: path, id: event.id.toString() }}>
                  {event.type}
                </Link>
                <Text size="sm" c="dimmed">
                  {event.eventId}
                </Text>
              </>
            ),
          },
          {
            name: words.application,
            from: 'md',
            cell: ({ applicationId: id }) => applications[id.toString()] ?? countOf(id, language),
          },
          { name: words.status, cell: ({ deliveryStatus }) => words.statuses[deliveryStatus] },
          { name: words.attempts, from: 'sm', isNumber: true, cell: ({ attempts }) => countOf(attempts, language) },
          {
            name: words.last,
            from: 'md',
            cell: ({ lastResponseStatus, lastError }) => lastResponseStatus ?? lastError ?? '–',
          },
          { name: words.created, from: 'sm', cell: ({ createdAt }) => <Instant at={createdAt} /> },
        ]}
        keyOf={({ id }) => id}
        empty={words.empty}
      />
    </Page>
  );
}
