import { PasswordInput, Text, Textarea, TextInput } from '@mantine/core';
import { useWords } from '../words/use-words.ts';
import { GATEWAY_WORDS } from './words.ts';

/** The fields `storeId` and `storePassword`. What payers of a manual account read is no secret, so it is shown while it is written. */
export function StoreFields({ gateway, storeId }: { readonly gateway: string; readonly storeId: string | null }) {
  const words = useWords(GATEWAY_WORDS);
  return (
    <>
      <TextInput
        name="storeId"
        label={words.storeId}
        defaultValue={storeId ?? ''}
        maxLength={120}
        autoComplete="off"
        required
        data-autofocus
      />
      {gateway === 'manual' ? (
        <Textarea name="storePassword" label={words.instructions} maxLength={8_000} rows={6} required />
      ) : (
        <>
          <PasswordInput name="storePassword" label={words.password} maxLength={8_000} autoComplete="off" required />
          <Text size="sm" c="dimmed">
            {words.test}
          </Text>
        </>
      )}
    </>
  );
}
