import { Badge, Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf, dataOf, type Schemas } from '../api/client.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { shortInstantOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useChange } from '../parts/use-change.ts';

const SESSIONS = ['sessions'];

export function SessionsPart() {
  const { words } = useLanguage();
  const sessions = useQuery({ queryKey: SESSIONS, queryFn: () => dataOf(api.GET('/auth/sessions')) });
  return (
    <Stack component="section" aria-labelledby="sessions">
      <Title order={2} size="h4" id="sessions">
        {words.account.sessions}
      </Title>
      <Loaded asked={sessions}>{(open) => open.map((one) => <SessionCard key={one.id} session={one} />)}</Loaded>
    </Stack>
  );
}

function SessionCard({ session }: { readonly session: Schemas['OpenSession'] }) {
  const { words, language } = useLanguage();
  const queries = useQueryClient();
  const end = useChange({
    mutationFn: () => bodyOf(api.DELETE('/auth/sessions/{id}', { params: { path: { id: session.id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: SESSIONS }),
  });
  return (
    <Card withBorder padding="sm">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Stack gap={0}>
          <Text className="breaks">{session.userAgent ?? '–'}</Text>
          <Text size="sm" c="dimmed">
            {words.account.lastSeen(shortInstantOf(session.lastSeenAt, language), session.address ?? '–')}
          </Text>
        </Stack>
        {session.current ? (
          <Badge variant="dot" tt="none" miw="max-content">
            {words.account.thisOne}
          </Badge>
        ) : (
          <Button variant="default" size="xs" loading={end.isPending} onClick={() => end.mutate()} miw="max-content">
            {words.account.endSession}
          </Button>
        )}
      </Group>
      {end.error !== null && <ErrorNotice error={end.error} />}
    </Card>
  );
}
