import { Skeleton, Stack, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useLanguage } from '../words/language.tsx';
import { ErrorNotice } from './error-notice.tsx';

interface Asked<Data> {
  readonly data: Data | undefined;
  readonly error: Error | null;
  readonly refetch: () => unknown;
}

/** Shows what was asked for, or that it is on its way, or why it did not come. What is known stays visible beside an error. */
export function Loaded<Data>({
  asked: { data, error, refetch },
  children,
}: {
  readonly asked: Asked<Data>;
  readonly children: (data: Data) => ReactNode;
}) {
  const { words } = useLanguage();
  return (
    <Stack>
      {error !== null && <ErrorNotice error={error} retry={() => void refetch()} />}
      {data !== undefined && children(data)}
      {data === undefined && error === null && (
        <Stack aria-busy="true" aria-label={words.loading} role="status">
          <Skeleton height={28} width="40%" />
          <Skeleton height={120} />
          <Skeleton height={120} />
        </Stack>
      )}
    </Stack>
  );
}

/** Like `Loaded`, for a page that is nothing without its data: if it does not come, the page has a heading all the same. */
export function LoadedPage<Data>({
  asked,
  children,
}: {
  readonly asked: Asked<Data>;
  readonly children: (data: Data) => ReactNode;
}) {
  const { words } = useLanguage();
  return (
    <>
      {asked.error !== null && asked.data === undefined && (
        <Title order={1} size="h3" mb="sm">
          {words.notShown}
        </Title>
      )}
      <Loaded asked={asked}>{children}</Loaded>
    </>
  );
}
