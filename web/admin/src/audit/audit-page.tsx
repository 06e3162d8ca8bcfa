import { Button, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useSearch } from '@tanstack/react-router';
import { api, type Schemas } from '../api/client.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Facts } from '../parts/facts.tsx';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { RawText } from '../parts/raw-text.tsx';
import { useWords } from '../words/use-words.ts';
import { queryOf } from './filter.ts';
import { SUBJECTS } from './subjects.ts';
import { AUDIT_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

type Entry = Schemas['AuditEntry'];

/** Both modes: most of what people do belongs to none. */
export function AuditPage() {
  const words = useWords(AUDIT_WORDS);
  const filter = useSearch({ from: '/$mode/audit' });
  return (
    <Page title={words.title} why={words.why}>
      <FilterForm
        filter={filter}
        fields={[
          { name: 'action', label: words.action, placeholder: words.actionHint, suggestions: SUBJECTS },
          { name: 'actorType', label: words.actorType, options: words.actorTypes },
          { name: 'targetType', label: words.targetType },
          { name: 'targetId', label: words.targetId },
          { name: 'from', type: 'date', label: words.from },
          { name: 'to', type: 'date', label: words.to },
        ]}
      />
      <List
        label={words.title}
        queryKey={['audit', filter]}
        get={(page) => api.GET('/admin/audit-logs', { params: { query: { ...queryOf(filter), ...page } } })}
        columns={[
          { name: words.when, cell: ({ createdAt }) => <Instant at={createdAt} isExact /> },
          { name: words.actor, cell: ({ actor }) => actor },
          { name: words.action, cell: ({ action }) => action },
          { name: words.target, from: 'md', cell: ({ targetType, targetId }) => `${targetType} ${targetId}` },
          { name: words.address, from: 'lg', cell: ({ address }) => address ?? '–' },
          { name: words.details, from: 'sm', cell: (entry) => <Details entry={entry} /> },
        ]}
        keyOf={({ id }) => id}
        empty={words.empty}
      />
    </Page>
  );
}

function Details({ entry }: { readonly entry: Entry }) {
  const words = useWords(AUDIT_WORDS);
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>
        {words.show}
      </Button>
      {isOpen && (
        <Dialog title={entry.action} close={close}>
          <Stack>
            <Facts
              facts={[
                [words.actor, entry.actor],
                [words.target, `${entry.targetType} ${entry.targetId}`],
                [words.address, entry.address ?? '–'],
                [words.requestId, entry.requestId ?? '–'],
              ]}
            />
            <RawText text={JSON.stringify(entry.details)} label={words.details} />
          </Stack>
        </Dialog>
      )}
    </>
  );
}
