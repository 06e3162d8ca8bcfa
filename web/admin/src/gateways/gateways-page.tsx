import { Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Act, Note } from '../parts/act.tsx';
import { textOf } from '../parts/form.tsx';
import { DataTable } from '../parts/list.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { useWords } from '../words/use-words.ts';
import { StoreFields } from './store-fields.tsx';
import { StoreState } from './store-state.tsx';
import { GATEWAY_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';

type Store = Schemas['GatewayStore'];

export function GatewaysPage() {
  const words = useWords(GATEWAY_WORDS);
  const { mode } = useMode();
  const stores = useQuery({
    queryKey: ['gateways'],
    queryFn: () => dataOf(api.GET('/admin/gateways')),
    select: (all) => all.filter((store) => store.mode === mode),
  });
  return (
    <Page title={words.title} why={words.why}>
      <Loaded asked={stores}>
        {(rows) => (
          <DataTable
            label={words.title}
            rows={rows}
            keyOf={({ gateway }) => gateway}
            columns={[
              { name: words.gateway, cell: ({ displayName }) => displayName },
              { name: words.store, cell: (store) => <StoreState store={store} /> },
              {
                name: words.source,
                from: 'md',
                cell: ({ source }) => (source === null ? '–' : words.sources[source]),
              },
              { name: words.currencies, from: 'lg', cell: ({ currencies }) => currencies.join(' ') },
              { name: words.choose, cell: (store) => <Changes store={store} /> },
            ]}
          />
        )}
      </Loaded>
    </Page>
  );
}

function Changes({ store }: { readonly store: Store }) {
  const words = useWords(GATEWAY_WORDS);
  const may = useMay();
  const { displayName, mode, source } = store;
  // The API's path takes the gateways that it knows; the list has no others.
  const path = { gateway: store.gateway, mode } as { gateway: 'sslcommerz'; mode: Store['mode'] };
  if (!may('app:manage')) {
    return null;
  }
  return (
    <Group gap="xs">
      <Act
        size="xs"
        label={words.choose}
        what={words.chooseAct(displayName, mode)}
        run={(form) =>
          dataOf(
            api.PUT('/admin/gateways/{gateway}/{mode}', {
              params: { path },
              body: { storeId: textOf(form, 'storeId'), storePassword: textOf(form, 'storePassword') },
            }),
          )
        }
        refresh={[['gateways'], ['changes']]}
        done={({ checked, pendingChanges }) =>
          pendingChanges.length > 0 ? words.waits : checked ? words.checked : words.unchecked
        }
      >
        <StoreFields gateway={store.gateway} storeId={store.storeId} />
      </Act>
      {source === 'INSTALLATION' && (
        <Act
          size="xs"
          color="red"
          label={words.clear}
          what={words.clearAct(displayName, mode)}
          run={() => dataOf(api.DELETE('/admin/gateways/{gateway}/{mode}', { params: { path } }))}
          refresh={[['gateways'], ['changes']]}
        >
          <Note>{words.clearNote}</Note>
        </Act>
      )}
    </Group>
  );
}
