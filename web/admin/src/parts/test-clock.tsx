import { Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient, type QueryKey } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { durationText } from '../../../time-text.ts';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { ErrorNotice } from './error-notice.tsx';
import { TEST_CLOCK_WORDS } from './test-clock-words.ts';
import { useChange } from './use-change.ts';

type Move = Schemas['MoveTestClock']['forward'];

/** Of one object: an event has an id of another kind than a payment. */
type ObjectOf<Body> = Body extends { object: infer Kind; id: infer Id }
  ? { readonly object: Kind; readonly id: Id }
  : never;

interface Clocked {
  readonly of: ObjectOf<Schemas['MoveTestClock']>;
  readonly applicationId: number;
  /** Null where the clock is another object's. */
  readonly aheadSeconds: number | null;
  readonly moves: readonly ('hour' | 'expiry' | 'next-attempt' | 'month')[];
  /** What has to be read again afterwards. */
  readonly refresh: readonly QueryKey[];
}

/** Lets time pass for an object in TEST. Shows nothing in LIVE, nor to whoever may not. */
export function TestClock(clocked: Clocked) {
  const { mode } = useMode();
  const may = useMay();
  return mode === 'TEST' && may('app:manage', clocked.applicationId) ? <Clock {...clocked} /> : null;
}

function Clock({ of, aheadSeconds, moves, refresh }: Clocked) {
  const words = useWords(TEST_CLOCK_WORDS);
  const { language } = useLanguage();
  const queries = useQueryClient();
  const support = useQuery({
    queryKey: ['test-clock'],
    queryFn: () => dataOf(api.GET('/admin/test-clock')),
  });
  const move = useChange({
    mutationFn: (forward: Move) => dataOf(api.POST('/admin/test-clock', { body: { ...of, forward } })),
    onSettled: () => Promise.all(refresh.map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
  const cannot = support.data?.skipsTime === false;
  return (
    <Card withBorder component="section">
      <Stack gap="xs">
        <Title order={2} size="h4">
          {words.title}
        </Title>
        {aheadSeconds !== null && (
          <Text>{aheadSeconds === 0 ? words.realTime : words.ahead(durationText(aheadSeconds, language))}</Text>
        )}
        <Group>
          {moves.map((to) => (
            <Button
              key={to}
              variant="default"
              disabled={cannot || move.isPending}
              onClick={() => move.mutate(to === 'hour' ? HOUR_SECONDS : to)}
            >
              {words.moves[to]}
            </Button>
          ))}
        </Group>
        {cannot && <Text c="dimmed">{words.cannot}</Text>}
        {move.isSuccess && (
          <Text role="status">
            {move.data.movedSeconds === 0 ? words.passed : words.moved(durationText(move.data.movedSeconds, language))}
            {move.data.workflowsBehind > 0 && ` ${words.behind}`}
          </Text>
        )}
        {move.error !== null && <ErrorNotice error={move.error} isChange />}
      </Stack>
    </Card>
  );
}

const HOUR_SECONDS = 3_600;
