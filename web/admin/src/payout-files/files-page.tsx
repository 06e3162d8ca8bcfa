import { Button } from '@mantine/core';
import { Link, useSearch } from '@tanstack/react-router';
import { api } from '../api/client.ts';
import { GATEWAY_OPTIONS } from '../api/names.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { countOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { FILE_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

export function FilesPage() {
  const words = useWords(FILE_WORDS);
  const { language } = useLanguage();
  const { mode, path } = useMode();
  const may = useMay();
  const filter = useSearch({ from: '/$mode/payout-files' });
  return (
    <Page
      title={words.title}
      why={words.why}
      action={
        may('reconciliation:manage') && (
          <Link to="/$mode/payout-files/upload" params={{ mode: path }} className="plain-link">
            <Button component="span">{words.upload}</Button>
          </Link>
        )
      }
    >
      <FilterForm
        filter={filter}
        fields={[
          {
            name: 'gateway',
            label: words.gateway,
            options: GATEWAY_OPTIONS,
          },
          {
            name: 'kind',
            label: words.kind,
            options: words.kinds,
          },
          {
            name: 'state',
            label: words.state,
            options: words.states,
          },
        ]}
      />
      <List
        label={words.title}
        queryKey={['payout files', mode, filter]}
        get={(page) => api.GET('/admin/payout-files', { params: { query: { mode, ...filter, ...page } } })}
        columns={[
          {
            name: words.name,
            cell: ({ reference, name }) => (
              <Link to="/$mode/payout-files/$reference" params={{ mode: path, reference }}>
                {name}
              </Link>
            ),
          },
          { name: words.gateway, from: 'md', cell: ({ gateway }) => gateway ?? '–' },
          { name: words.kind, from: 'sm', cell: ({ kind }) => words.kinds[kind] },
          { name: words.state, cell: ({ state }) => words.states[state] },
          { name: words.added, from: 'sm', isNumber: true, cell: ({ linesAdded }) => countOf(linesAdded, language) },
          {
            name: words.rejected,
            from: 'md',
            isNumber: true,
            cell: ({ linesRejected }) => countOf(linesRejected, language),
          },
          { name: words.uploaded, from: 'lg', cell: ({ createdAt }) => <Instant at={createdAt} /> },
        ]}
        keyOf={({ reference }) => reference}
        empty={words.empty}
      />
    </Page>
  );
}
