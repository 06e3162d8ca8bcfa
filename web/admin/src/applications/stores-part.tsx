import { Group, Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { GATEWAYS } from '../api/names.ts';
import { GATEWAY_WORDS } from '../gateways/words.ts';
import { StoreFields } from '../gateways/store-fields.tsx';
import { StoreState } from '../gateways/store-state.tsx';
import { Act } from '../parts/act.tsx';
import { textOf } from '../parts/form.tsx';
import { DataTable } from '../parts/list.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { useWords } from '../words/use-words.ts';
import { APPLICATION_WORDS } from './words.ts';

type Application = Schemas['Application'];
type Gateway = Schemas['ApplicationGateway'];

/** Where the application's payments open in the mode that is shown. */
export function StoresPart({ application }: { readonly application: Application }) {
  const words = useWords(APPLICATION_WORDS);
  const storeWords = useWords(GATEWAY_WORDS);
  const { mode } = useMode();
  const may = useMay();
  const { id } = application;
  const gateways = useQuery({
    queryKey: ['application', id.toString(), 'gateways'],
    queryFn: () => dataOf(api.GET('/admin/apps/{id}/gateways', { params: { path: { id } } })),
    select: (all) => all.filter((gateway) => gateway.mode === mode),
  });
  return (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {words.stores} ({mode})
      </Title>
      <Loaded asked={gateways}>
        {(rows) => (
          <DataTable
            label={words.stores}
            rows={rows}
            keyOf={({ gateway }) => gateway}
            columns={[
              { name: storeWords.gateway, cell: ({ displayName }) => displayName },
              { name: storeWords.store, cell: (gateway) => <StoreState store={gateway} /> },
              {
                name: storeWords.source,
                from: 'md',
                cell: ({ source }) => (source === null ? '–' : storeWords.sources[source]),
              },
              {
                name: storeWords.allowed,
                from: 'sm',
                cell: ({ allowed }) => (allowed ? storeWords.yes : storeWords.no),
              },
              {
                name: words.ownStore,
                cell: (gateway) => may('app:manage', id) && <OwnStoreAct application={application} gateway={gateway} />,
              },
            ]}
          />
        )}
      </Loaded>
    </Stack>
  );
}

function OwnStoreAct({
  application: { id, name },
  gateway,
}: {
  readonly application: Application;
  readonly gateway: Gateway;
}) {
  const words = useWords(APPLICATION_WORDS);
  const storeWords = useWords(GATEWAY_WORDS);
  const { mode, displayName } = gateway;
  return (
    <Group gap="xs">
      <Act
        size="xs"
        label={words.ownStore}
        what={words.ownStoreAct(displayName, name)}
        run={(form) =>
          dataOf(
            api.PUT('/admin/apps/{id}/gateway-override', {
              params: { path: { id } },
              body: {
                mode,
                gateway: GATEWAYS.find((one) => one === gateway.gateway) ?? 'sslcommerz',
                storeId: textOf(form, 'storeId'),
                storePassword: textOf(form, 'storePassword'),
              },
            }),
          )
        }
        refresh={[['application', id.toString()], ['changes']]}
        done={({ checked, pendingChanges }) =>
          pendingChanges.length > 0 ? storeWords.waits : checked ? storeWords.checked : storeWords.unchecked
        }
      >
        <StoreFields gateway={gateway.gateway} storeId={gateway.source === 'APPLICATION' ? gateway.storeId : null} />
      </Act>
    </Group>
  );
}
