import { Button } from '@mantine/core';
import { Link, useSearch } from '@tanstack/react-router';
import { api } from '../api/client.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { useWords } from '../words/use-words.ts';
import { APPLICATION_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

export function ApplicationsPage() {
  const words = useWords(APPLICATION_WORDS);
  const { path } = useMode();
  const may = useMay();
  const filter = useSearch({ from: '/$mode/applications' });
  return (
    <Page
      title={words.title}
      why={words.why}
      action={
        may('app:manage') && (
          <Link to="/$mode/applications/new" params={{ mode: path }} className="plain-link">
            <Button component="span">{words.create}</Button>
          </Link>
        )
      }
    >
      <FilterForm
        filter={filter}
        fields={[
          { name: 'name', type: 'search', label: words.name },
          { name: 'status', label: words.status, options: words.statuses },
        ]}
      />
      <List
        label={words.title}
        queryKey={['applications', filter]}
        get={(page) => api.GET('/admin/apps', { params: { query: { ...filter, ...page } } })}
        columns={[
          {
            name: words.name,
            cell: ({ id, name }) => (
              <Link to="/$mode/applications/$id" params={{ mode: path, id: id.toString() }}>
                {name}
              </Link>
            ),
          },
          { name: words.status, cell: ({ status }) => words.statuses[status] },
          { name: words.webhookUrl, from: 'md', cell: ({ webhookUrl }) => webhookUrl ?? words.none },
          { name: words.created, from: 'sm', cell: ({ createdAt }) => <Instant at={createdAt} /> },
        ]}
        keyOf={({ id }) => id}
        empty={words.empty}
      />
    </Page>
  );
}
