import { Stack, Text, Timeline, Title } from '@mantine/core';
import type { Schemas } from '../api/client.ts';
import { Instant } from '../parts/instant.tsx';
import { useWords } from '../words/use-words.ts';
import { CASE_WORDS } from './words.ts';

type Case = Schemas['ReconciliationCaseDetail'];
type Entry = Case['entries'][number];

export function CaseHistory({ found: { entries } }: { readonly found: Case }) {
  const words = useWords(CASE_WORDS);
  return entries.length === 0 ? null : (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {words.history}
      </Title>
      <Timeline active={entries.length} bulletSize={16} lineWidth={2}>
        {entries.map((entry) => (
          <Timeline.Item key={entry.id} title={<EntryTitle entry={entry} />}>
            {entry.text !== null && <Text className="breaks">{entry.text}</Text>}
            {entry.outcomeText !== null && <Text className="breaks">{entry.outcomeText}</Text>}
            {entry.answer !== null && (
              <Text className="breaks">
                {words.answered(entry.answer.kind)} {entry.answer.note}
              </Text>
            )}
            <Text size="sm" c="dimmed">
              {[entry.operator?.name, entry.secondOperator?.name].flatMap((name) =>
                name === undefined ? [] : [`${name} · `],
              )}
              <Instant at={entry.createdAt} isExact />
            </Text>
          </Timeline.Item>
        ))}
      </Timeline>
    </Stack>
  );
}

function EntryTitle({ entry: { kind, action, outcome } }: { readonly entry: Entry }) {
  const words = useWords(CASE_WORDS);
  const name = action === null ? words.entryKinds[kind] : words.actions[action];
  return outcome === null ? name : `${name}: ${words.outcomes[outcome]}`;
}
