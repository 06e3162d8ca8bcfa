import { Badge, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { useApplicationNames } from '../applications/application-names.ts';
import { Act, Note } from '../parts/act.tsx';
import { Facts } from '../parts/facts.tsx';
import { DataTable } from '../parts/list.tsx';
import { Loaded, LoadedPage } from '../parts/loaded.tsx';
import { TestClock } from '../parts/test-clock.tsx';
import { RawText } from '../parts/raw-text.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { NotFound } from '../shell/not-found.tsx';
import { countOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { WEBHOOK_WORDS } from './words.ts';
import { Instant } from '../parts/instant.tsx';

const OPEN_MS = 2_000;
const ENDED_MS = 15_000;

type Event = Schemas['WebhookEvent'];

export function WebhookPage() {
  const { id } = useParams({ from: '/$mode/webhooks/$id' });
  const { mode } = useMode();
  const event = useQuery({
    queryKey: ['webhook', id],
    queryFn: () => dataOf(api.GET('/admin/webhooks/{id}', { params: { path: { id: Number(id) } } })),
    refetchInterval: ({ state }) => (state.data?.nextAttemptAt === null ? ENDED_MS : OPEN_MS),
  });
  return (
    <LoadedPage asked={event}>{(data) => (data.mode === mode ? <Detail event={data} /> : <NotFound />)}</LoadedPage>
  );
}

function Detail({ event }: { readonly event: Event }) {
  const words = useWords(WEBHOOK_WORDS);
  const { language } = useLanguage();
  const may = useMay();
  const applications = useApplicationNames();
  return (
    <Stack>
      <Group justify="space-between" align="flex-start">
        <Stack gap={0}>
          <Title order={1} size="h3">
            {event.type}
          </Title>
          <Text c="dimmed" className="breaks">
            {event.eventId}
          </Text>
        </Stack>
        <Group>
          <Badge variant="dot" tt="none" miw="max-content" color={event.deliveryStatus === 'PARKED' ? 'red' : 'teal'}>
            {words.statuses[event.deliveryStatus]}
          </Badge>
          {may('app:manage', event.applicationId) && (
            <Act
              label={words.resend}
              what={words.resendAct(event.type)}
              run={() => dataOf(api.POST('/admin/webhooks/{id}/resend', { params: { path: { id: event.id } } }))}
              refresh={[['webhook'], ['webhooks'], ['inbox']]}
            >
              <Note>{words.resendNote}</Note>
            </Act>
          )}
        </Group>
      </Group>
      {event.circuit.state !== 'closed' && <Text>{words.circuit[event.circuit.state]}</Text>}
      <Facts
        facts={[
          [words.application, applications[event.applicationId.toString()] ?? countOf(event.applicationId, language)],
          [words.contract, event.contract],
          [words.created, <Instant key="at" at={event.createdAt} />],
          [words.next, event.nextAttemptAt === null ? '–' : <Instant key="at" at={event.nextAttemptAt} />],
        ]}
      />
      {event.nextAttemptAt !== null && (
        <TestClock
          of={{ object: 'delivery', id: event.eventId }}
          applicationId={event.applicationId}
          aheadSeconds={null}
          moves={['hour', 'next-attempt']}
          refresh={[['webhook'], ['webhooks']]}
        />
      )}
      <Attempts event={event} />
      <Title order={2} size="h4">
        {words.request}
      </Title>
      <RawText text={event.payload} label={words.request} />
    </Stack>
  );
}

function Attempts({ event: { id, attempts: made } }: { readonly event: Event }) {
  const words = useWords(WEBHOOK_WORDS);
  const { language } = useLanguage();
  const attempts = useQuery({
    queryKey: ['webhook', id.toString(), 'attempts', made],
    queryFn: () => dataOf(api.GET('/admin/webhooks/{id}/attempts', { params: { path: { id } } })),
  });
  return (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {words.attempts}
      </Title>
      <Loaded asked={attempts}>
        {(rows) =>
          rows.length === 0 ? (
            <Text c="dimmed">{words.noAttempts}</Text>
          ) : (
            <DataTable
              label={words.attempts}
              rows={rows}
              keyOf={({ number }) => number}
              columns={[
                { name: words.number, isNumber: true, cell: ({ number }) => countOf(number, language) },
                { name: words.time, cell: ({ createdAt }) => <Instant at={createdAt} isExact /> },
                {
                  name: words.answer,
                  cell: ({ responseStatus, error, responseExcerpt }) => (
                    <>
                      <Text>{responseStatus ?? error ?? '–'}</Text>
                      {responseExcerpt !== null && responseExcerpt !== '' && (
                        <Text size="sm" c="dimmed" className="breaks">
                          {responseExcerpt}
                        </Text>
                      )}
                    </>
                  ),
                },
                {
                  name: words.duration,
                  from: 'sm',
                  isNumber: true,
                  cell: ({ durationMs }) => words.milliseconds(countOf(durationMs, language)),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Stack>
  );
}
