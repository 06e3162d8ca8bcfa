import { Text } from '@mantine/core';
import type { Schemas } from '../api/client.ts';
import { useWords } from '../words/use-words.ts';
import { GATEWAY_WORDS } from './words.ts';

export function StoreState({ store }: { readonly store: Pick<Schemas['GatewayStore'], 'storeId' | 'pendingChanges'> }) {
  const words = useWords(GATEWAY_WORDS);
  return (
    <>
      <Text size="sm" className="breaks">
        {store.storeId ?? words.none}
      </Text>
      {store.pendingChanges.length > 0 && (
        <Text size="sm" c="dimmed">
          {words.pending}
        </Text>
      )}
    </>
  );
}
