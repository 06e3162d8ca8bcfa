import { Stack, Title } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { type ChangeStatus } from '../../../../domain/pending-change.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { OperatorName } from '../session/operator-name.tsx';
import { useMay } from '../session/session.tsx';
import { useWords } from '../words/use-words.ts';
import { CHANGES, type Area } from './areas.ts';
import { ChangeDecision } from './change-decision.tsx';
import { AREAS } from './filter.ts';
import { useTargetName } from './target-name.ts';
import { CHANGE_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

/** What a second person has to confirm, in both modes. */
export function ChangesPage() {
  const words = useWords(CHANGE_WORDS);
  const may = useMay();
  const { area, status } = useSearch({ from: '/$mode/changes' });
  const shown = AREAS.filter((one) => may(CHANGES[one].permission) && (area === undefined || area === one));
  return (
    <Page title={words.title} why={words.why}>
      <FilterForm
        filter={{ area, status }}
        fields={[
          { name: 'area', label: words.area, options: words.areas },
          {
            name: 'status',
            label: words.status,
            options: words.statuses,
          },
        ]}
      />
      {shown.map((one) => (
        <AreaPart key={one} area={one} status={status} />
      ))}
    </Page>
  );
}

function AreaPart({ area, status }: { readonly area: Area; readonly status: ChangeStatus | undefined }) {
  const words = useWords(CHANGE_WORDS);
  const targetName = useTargetName();
  return (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {words.areas[area]}
      </Title>
      <List
        label={words.areas[area]}
        queryKey={['changes', area, status]}
        get={(page) => CHANGES[area].list({ ...page, ...(status === undefined ? {} : { status }) })}
        columns={[
          { name: words.kindOf, cell: ({ kind, target }) => `${words.kinds[kind]}: ${targetName(target)}` },
          { name: words.proposedBy, cell: ({ proposedBy }) => <OperatorName by={proposedBy} /> },
          { name: words.status, from: 'sm', cell: (change) => words.statuses[change.status] },
          { name: words.expires, from: 'md', cell: ({ expiresAt }) => <Instant at={expiresAt} /> },
          { name: words.decide, cell: (change) => <ChangeDecision change={change} area={area} /> },
        ]}
        keyOf={({ id }) => id}
        empty={words.empty}
      />
    </Stack>
  );
}
